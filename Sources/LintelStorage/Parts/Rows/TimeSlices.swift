/// Cuts a part's time into slices of about half a million rows: a query for the last minutes reads few of them, and within
/// each the rows of a tenant are adjacent.
struct TimeSlices {
  /// Nanoseconds, a power of two, so that the slices of small parts lie within those of large ones; `nil` for a single slice.
  private let shift: Int64?

  /// - Parameters:
  ///   - times: Of the groups of rows that stay together.
  ///   - targetRows: Of a slice, about.
  init(_ times: [Int64], rowCount: Int, targetRows: Int = 1 << 19) {
    guard !times.isEmpty else {
      shift = nil
      return
    }
    let sample = stride(from: 0, to: times.count, by: max(1, times.count / 1000)).map { times[$0] }.sorted()
    // A few rows with a broken clock must not stretch the slices of the others.
    let (first, last) = (sample[sample.count / 10], sample[sample.count * 9 / 10])
    guard rowCount >= 2 * targetRows, first < last else {
      shift = nil
      return
    }
    let length = UInt64(bitPattern: last &- first) / UInt64(max(1, rowCount * 4 / 5 / targetRows))
    shift = Int64(63 - max(1, length).leadingZeroBitCount)
  }

  func number(of time: Int64) -> Int64 { shift.map { time >> $0 } ?? 0 }
}
