internal import Synchronization

/// What was found out last about which rows of a segment are gone. Each segment that lasts has one.
final class MaskMemo: Sendable {
  struct Key: Hashable, Sendable {
    /// Which rules: see ``Exclusions/number``.
    var rules: UInt64
    var purpose: Exclusions.Purpose
    /// Times before which rows are past their retention, as far as they lie within the segment.
    var cutoffs: [Int64]
  }

  private let last = Mutex<[Exclusions.Purpose: (key: Key, found: Exclusions.Remains)]>([:])

  subscript(key: Key) -> Exclusions.Remains? {
    get { last.withLock { $0[key.purpose].flatMap { $0.key == key ? $0.found : nil } } }
  }

  func set(_ found: Exclusions.Remains, for key: Key) { last.withLock { $0[key.purpose] = (key, found) } }
}

/// A segment that remembers its mask.
protocol MemoizingSegment: Segment {
  var maskMemo: MaskMemo { get }
  /// Bounds of the time column.
  var minTime: Int64 { get }
  var maxTime: Int64 { get }
}
