import Synchronization

/// Values kept up to a number of bytes, the least recently used dropped first.
final class BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Entry {
    let value: Value
    let byteCount: Int
    var lastUse: Int
  }

  private struct State {
    var entries: [Key: Entry] = [:]
    var byteCount = 0
    var uses = 0
  }

  private let capacity: Int
  private let state = Mutex(State())

  /// - Parameter capacity: bytes of values at most.
  init(capacity: Int) { self.capacity = capacity }

  subscript(key: Key) -> Value? {
    state.withLock { state in
      state.uses += 1
      state.entries[key]?.lastUse = state.uses
      return state.entries[key]?.value
    }
  }

  func removeAll() {
    // Dropped entries die after the lock is given back.
    let dropped = state.withLock { state in
      let entries = state.entries
      state.entries = [:]
      state.byteCount = 0
      return entries
    }
    _ = consume dropped
  }

  /// Keeps a value, but for one that would drive out too many others.
  func insert(_ value: Value, byteCount: Int, for key: Key) {
    // The key and the tables take something too.
    let byteCount = byteCount + 1024
    guard byteCount <= capacity / 4 else { return }
    // Dropped entries die after the lock is given back.
    var dropped: [Entry] = []
    state.withLock { state in
      state.uses += 1
      if let old = state.entries.updateValue(
        Entry(value: value, byteCount: byteCount, lastUse: state.uses), forKey: key)
      {
        state.byteCount -= old.byteCount
        dropped.append(old)
      }
      state.byteCount += byteCount
      while state.byteCount > capacity, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
        state.entries[oldest.key] = nil
        state.byteCount -= oldest.value.byteCount
        dropped.append(oldest.value)
      }
    }
    dropped.removeAll()
  }
}
