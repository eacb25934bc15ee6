internal import Synchronization

/// Where the parts of each tier lie, as far as that isn't the data directory.
///
/// Changed when a store is opened and when a manifest is taken over that says otherwise; read at every opening of a part.
final class TierVolumes: Sendable {
  private struct State {
    var directories: [Tier: String] = [:]
    var locks: [any FileLock] = []
  }

  private let state = Mutex(State())

  /// Directories outside the data directory.
  var directories: [Tier: String] { state.withLock { $0.directories } }

  func set(_ directories: [Tier: String]) { state.withLock { $0.directories = directories } }

  func keep(_ lock: any FileLock) { state.withLock { $0.locks.append(lock) } }

  func release() {
    let locks = state.withLock { state in
      defer { state.locks = [] }
      return state.locks
    }
    for lock in locks { lock.release() }
  }
}
