internal import LintelColumns
internal import Synchronization

/// The keys of source blocks, kept for the length of a merge: most columns are read by the same few.
///
/// Beyond the limit nothing more is kept: further keys are made anew each time.
final class KeptKeys: Sendable {
  private struct State {
    var keys: [BlockCache.Key: PackedRowKeys] = [:]
    var bytes = 0
  }

  private let state = Mutex(State())
  private let maximumBytes: Int

  init(maximumBytes: Int) { self.maximumBytes = maximumBytes }

  subscript(place: BlockCache.Key) -> RowKeys? { state.withLock { $0.keys[place] }?.keys }

  func insert(_ keys: RowKeys, _ kind: BlockReference.Kind, for place: BlockCache.Key) {
    let packed = PackedRowKeys(keys, kind)
    state.withLock { state in
      guard state.bytes + packed.byteCount <= maximumBytes, state.keys[place] == nil else { return }
      state.keys[place] = packed
      state.bytes += packed.byteCount
    }
  }
}

/// Where a reader of blocks keeps what it decodes on the way.
enum BlockKeeping {
  /// In the store's cache.
  case cache
  /// For readers that come by once.
  case nowhere
  /// Keys only, for a merge, which reads column after column.
  case keys(KeptKeys)

  var isCache: Bool { if case .cache = self { true } else { false } }
}
