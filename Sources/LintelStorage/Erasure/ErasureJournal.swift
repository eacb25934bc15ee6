internal import LintelColumns
internal import Synchronization

/// Keeps account of what erasing takes away, also for the process that goes on with it after a crash.
///
/// Before each step a file says what will have gone with it, `erasure/progress`; whether it went the manifest says. So a
/// receipt has what processes took away that didn't live to sign it.
final class ErasureJournal: Sendable {
  private let state: Mutex<ErasureProgress>
  private let folder: String
  private let fileSystem: any FileSystem

  private var path: String { "\(folder)/progress" }

  init(_ directory: StoreDirectory, _ progress: ErasureProgress = ErasureProgress()) {
    folder = directory.erasurePath
    fileSystem = directory.fileSystem
    state = Mutex(progress)
  }

  /// What former processes noted of erasures that aren't finished.
  ///
  /// A file that can't be read is left out, and reported: receipts account for less then, and say that the store was opened
  /// in between.
  static func load(
    _ directory: StoreDirectory, _ manifest: Manifest, _ rules: StoreRules
  ) throws(StorageError) -> (journal: ErasureJournal, problem: StorageError?) {
    let empty = ErasureJournal(directory)
    let bytes: [UInt8]
    do throws(StorageError) {
      bytes = try directory.fileSystem.readAll(empty.path, limit: ErasureProgressCodec.maximumBytes)
    } catch {
      if error.isMissingFile { return (empty, nil) }
      if error.code == .corrupt { return (empty, error) }
      throw error
    }
    do throws(StorageError) {
      var (rulesNumber, progress) = try ErasureProgressCodec.decode(bytes, path: empty.path)
      // Those are accounted for.
      if rulesNumber <= rules.finished {
        empty.clear()
        return (empty, nil)
      }
      progress.steps.removeAll { !$0.hasHappened(in: manifest) }
      return (ErasureJournal(directory, progress), nil)
    } catch {
      return (empty, error)
    }
  }

  var progress: ErasureProgress { state.withLock { $0 } }

  /// Begins to account, unless an earlier pass has.
  func begin(_ manifest: Manifest) {
    state.withLock { if $0.rootBefore == nil { $0.rootBefore = MerkleTree.root(manifest) } }
  }

  /// Takes note of what rows refer to that are about to go.
  func willErase(_ ids: ContentIDs, shard: Int) { state.withLock { $0.add(ids, shard: shard) } }

  /// Notes durably what will have gone with the next manifest.
  /// - Parameter rules: Number of the rules that it goes by.
  func willErase(_ step: ErasureProgress.Step, rules: UInt64) throws(StorageError) {
    var progress = progress
    progress.steps.append(step)
    let bytes = ErasureProgressCodec.encode(progress, rules: rules)
    try fileSystem.createFolderDurably(folder)
    try fileSystem.writeDurably(bytes, to: path, temporary: path + ".tmp", in: folder)
  }

  func hasErased(_ step: ErasureProgress.Step) { state.withLock { $0.steps.append(step) } }

  /// A receipt accounts for all of it. What stays of the file, because the device refuses, tells that it is older.
  func clear() {
    state.withLock { $0 = ErasureProgress() }
    try? fileSystem.removeIfPresent(path)
  }
}

extension Store {
  /// ``ErasureJournal/willErase(_:rules:)`` for whoever changes the manifest next.
  func willErase(_ step: ErasureProgress.Step, _ exclusions: Exclusions) throws(StorageError) {
    do throws(StorageError) {
      try erasureJournal.willErase(step, rules: exclusions.rules.sequence)
    } catch {
      if error.code == .failedStop { throw failStop(error) }
      throw error
    }
  }
}
