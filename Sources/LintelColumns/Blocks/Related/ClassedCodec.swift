/// Integers, or dictionary codes, that depend on what else is known of their rows, if not wholly: how long a call takes on how
/// many tokens it wrote, the tokens of a prompt on those of the one before.
///
///     classes := context classed             see ``ClassContext`` and ``ClassedIntegers``
enum ClassedCodec {
  /// Appends the body; false, and nothing of use, where there is no such context.
  /// - Parameter values: Those of the rows that `validity` has.
  static func encodeBody(
    _ values: UnsafeBufferPointer<Int64>, _ context: ClassContext, _ related: some RelatedBlocks, _ validity: Bitmap?,
    rowCount: Int, into out: inout [UInt8]
  ) -> Bool {
    let known: [UInt16]?
    do throws(ColumnError) { known = try context.classes(related, validity, rowCount: rowCount) } catch { return false }
    var classes = known ?? []
    if case .previous(let runs, let steps) = context {
      guard let keys = try? related.keys(runs), keys.keys.count == rowCount else { return false }
      classes = keys.withValid(validity, count: values.count) { keys in
        var classes = [UInt16](repeating: 0, count: values.count)
        for row in 1..<max(1, values.count) where keys[row] == keys[row &- 1] {
          classes[row] = 1 &+ ClassContext.magnitude(values[row &- 1], steps: steps)
        }
        return classes
      }
    }
    guard classes.count == values.count else { return false }
    context.write(into: &out)
    classes.withUnsafeBufferPointer { ClassedIntegers.encode(values, classes: $0, into: &out) }
    return true
  }

  /// Reads the values of the rows that `validity` has.
  static func decodeBody(
    _ reader: inout ByteReader, _ related: some RelatedBlocks, _ validity: Bitmap?, rowCount: Int,
    into out: UnsafeMutableBufferPointer<Int64>
  ) throws(ColumnError) {
    let context = try ClassContext(&reader)
    let known = try context.classes(related, validity, rowCount: rowCount)
    var streams = try ClassedIntegers.Streams(&reader, count: out.count)
    if let known {
      guard known.count == out.count else { throw ColumnError(.malformed, "classes of other rows") }
      return try known.span.withUnsafeBufferPointer { (classes) throws(ColumnError) in
        try streams.values(of: classes, into: out)
      }
    }
    guard case .previous(let runs, let steps) = context else { return }
    var keys = try related.keys(runs).keys
    guard keys.count == rowCount else { throw ColumnError(.malformed, "runs of other rows") }
    if let validity { keys = withValidLanes(keys, validity, count: out.count) { Array($0) } }
    for row in 0..<out.count {
      let isFirst = row == 0 || keys[row] != keys[row &- 1]
      out[row] = try streams.next(isFirst ? 0 : 1 &+ ClassContext.magnitude(out[row &- 1], steps: steps))
    }
  }
}
