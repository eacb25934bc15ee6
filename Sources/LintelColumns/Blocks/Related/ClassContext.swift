/// What is known of a row before its value is read, as a small number: rows of one class have values like each other.
///
///     context := 0 reference                  the row's key
///              | 1 column:varint steps:u8     the magnitude of the row's value in a column of integers
///              | 2 reference steps:u8         of the value before, in the same run
///              | 3                            nothing: there is one class, 0
///
/// A class of 1 and 2 is 0 where there is no such value, else 1 + the value's magnitude, with `2^steps` for each doubling.
public enum ClassContext: Sendable, Hashable {
  case key(BlockReference)
  case magnitude(column: Int, steps: Int)
  case previous(runs: BlockReference, steps: Int)
  case nothing

  static let maximumSteps = 4

  func write(into out: inout [UInt8]) {
    switch self {
    case .key(let reference):
      out.append(0)
      reference.write(into: &out)
    case .magnitude(let column, let steps):
      out.append(1)
      out.append(varint: UInt64(column))
      out.append(UInt8(truncatingIfNeeded: steps))
    case .previous(let runs, let steps):
      out.append(2)
      runs.write(into: &out)
      out.append(UInt8(truncatingIfNeeded: steps))
    case .nothing: out.append(3)
    }
  }

  init(_ reader: inout ByteReader) throws(ColumnError) {
    let kind = try reader.byte()
    switch kind {
    case 0: self = .key(try BlockReference(&reader))
    case 1:
      let column = try BlockReference.readColumn(&reader)
      self = .magnitude(column: column, steps: try Self.steps(&reader))
    case 2:
      let runs = try BlockReference(&reader)
      guard runs.kind == .runs else { throw ColumnError(.malformed, "values before within what are no runs") }
      self = .previous(runs: runs, steps: try Self.steps(&reader))
    case 3: self = .nothing
    default: throw ColumnError(.malformed, "classes of kind \(kind)")
    }
  }

  private static func steps(_ reader: inout ByteReader) throws(ColumnError) -> Int {
    let steps = Int(try reader.byte())
    guard steps <= maximumSteps else { throw ColumnError(.malformed, "\(steps) steps of magnitude") }
    return steps
  }

  /// Exact to `2^(steps + 1)`, from there on so many for each doubling; 0 for negative numbers. Below 2^10.
  @inline(__always)
  static func magnitude(_ value: Int64, steps: Int) -> UInt16 {
    let value = UInt64(bitPattern: max(0, value))
    let exponent = 63 &- max(value, 1).leadingZeroBitCount
    if exponent <= steps { return UInt16(truncatingIfNeeded: value) }
    let step = value &>> UInt64(exponent &- steps)
    return UInt16(truncatingIfNeeded: UInt64((exponent &- steps) &<< steps) &+ step)
  }

  /// The class of each row that `validity` has; `nil` where it takes the values before to know.
  func classes(
    _ related: some RelatedBlocks, _ validity: Bitmap?, rowCount: Int
  ) throws(ColumnError) -> [UInt16]? {
    var classes: [UInt16]
    switch self {
    case .previous: return nil
    case .nothing: classes = Array(repeating: 0, count: rowCount)
    case .key(let reference): classes = try related.keys(reference).keys
    case .magnitude(let column, let steps):
      let vector = try related.integers(column)
      guard case .int64(let lanes) = vector.storage else {
        throw ColumnError(.malformed, "magnitudes of what are no integers")
      }
      classes = lanes.map { 1 &+ Self.magnitude($0, steps: steps) }
      classes.withUnsafeMutableBufferPointer { vector.validity?.clear($0, to: 0) }
    }
    guard classes.count == rowCount else {
      throw ColumnError(.malformed, "classes of \(classes.count) rows in a block of \(rowCount)")
    }
    guard let validity else { return classes }
    return withValidLanes(classes, validity, count: validity.setCount) { Array($0) }
  }
}
