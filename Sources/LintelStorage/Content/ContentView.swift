internal import LintelColumns
internal import Synchronization

/// A content segment that queries see.
struct LiveContent: Sendable {
  var entry: ContentEntry
  let reader: ContentReader
  /// Of the pool when the oldest of its pieces was logged; see ``ContentPool/forget()``.
  var since: UInt64
}

/// Where the pieces of a shard are, as a snapshot found it.
struct ContentView: Sendable {
  var memories: [ContentMemory] = []
  var segments: [ContentReader] = []
  /// Names of segments that couldn't be opened.
  var lost: [String] = []
  let searches = ContentSearch.Memo()
  let digests = ContentDigests()
  var damage = ContentDamage()
}

/// What of the content couldn't be read for whoever used a snapshot: the values concerned read as null. And how much was read.
public final class ContentDamage: Sendable {
  private struct State {
    var notes: [String] = []
    var isCut = false
    /// Pieces that are in no segment, and what is said of them.
    var missing = ContentIDs()
    var missingCount: [String: Int] = [:]
    var groups: [ContentCache.Key: StorageError] = [:]
    var readGroups: Set<ContentCache.Key> = []
    var readBytes = 0
  }

  private let state = Mutex(State())
  private let rebuilt = Atomic(0)
  private let report: @Sendable (StorageError) -> Void
  private static let maximumNotes = 20

  public convenience init() { self.init { _ in } }

  /// - Parameter report: Called with everything that can't be read, some of it more than once.
  init(_ report: @escaping @Sendable (StorageError) -> Void) { self.report = report }

  /// What is wrong, each once; empty when everything could be read.
  public var notes: [String] {
    state.withLock { state in
      let notes = state.notes.map { note in state.missingCount[note].map { "\(note) (\($0) of them)" } ?? note }
      return notes + (state.isCut ? ["and more content can't be read: CHECK names all of it"] : [])
    }
  }

  /// Counts a piece that isn't there, for the note that all such pieces share.
  func count(missing id: UInt64, _ error: StorageError) {
    state.withLock { state in
      guard !state.missing.contains(id) else { return }
      state.missing.insert(id)
      state.missingCount[error.description, default: 0] += 1
    }
  }

  func note(_ error: StorageError) {
    let isNew = state.withLock { state in
      let text = error.description
      if state.notes.contains(text) { return false }
      guard state.notes.count < Self.maximumNotes else {
        state.isCut = true
        return false
      }
      state.notes.append(text)
      return true
    }
    if isNew { report(error) }
  }

  /// Bytes of values that were put together from pieces.
  package var rebuiltBytes: Int { rebuilt.load(ordering: .relaxed) }

  func addRebuilt(_ bytes: Int) { rebuilt.add(bytes, ordering: .relaxed) }

  /// Bytes on the disk of the groups that were needed, each once, whether or not they were in memory.
  public var readBytes: Int { state.withLock { $0.readBytes } }

  func addRead(_ group: ContentCache.Key, _ bytes: Int) {
    state.withLock { state in if state.readGroups.insert(group).inserted { state.readBytes += bytes } }
  }

  /// What is known to be wrong with a group, which isn't read again.
  subscript(group: ContentCache.Key) -> StorageError? {
    get { state.withLock { $0.groups[group] } }
    set { state.withLock { $0.groups[group] = newValue } }
  }
}

/// How much may be read at once, and until when.
public struct ReadBounds: Sendable {
  public var bytes: Int
  /// Asked now and then; what is being read ends with an error when it says yes.
  public var isOver: @Sendable () -> Bool

  public init(bytes: Int, isOver: @escaping @Sendable () -> Bool) {
    self.bytes = bytes
    self.isOver = isOver
  }

  /// Nobody keeps the values of a block that take more: their offsets are numbers of 32 bits.
  static let most = ReadBounds(bytes: Int(UInt32.max), isOver: { false })

  func check() throws(StorageError) {
    if isOver() { throw StorageError(.closed, "what is being read isn't wanted any more") }
  }
}
