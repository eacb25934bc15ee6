/// A small number for each row of a block, taken from another column's block: rows with the same key have the same value
/// there. What follows from that value can then be written once a key instead of once a row.
public struct RowKeys: Sendable, Hashable {
  /// One a row, each below ``count``.
  public let keys: [UInt16]
  /// How many keys there are.
  public let count: Int

  /// Blocks of more rows have no keys.
  static let maximumRows = 1 << 16
  /// A predictor's dictionary may have this many entries at most: reading its keys takes a table of that size.
  public static let maximumDictionary = 1 << 16

  init(_ keys: [UInt16], count: Int) {
    self.keys = keys
    self.count = count
  }

  /// The keys of a block without any value: all rows have the same.
  public init(nulls rowCount: Int) {
    keys = Array(repeating: 0, count: rowCount)
    count = rowCount > 0 ? 1 : 0
  }

  /// Numbers the runs of equal values: what is constant in a trace is constant in a run of the trace's id.
  /// `nil` for vectors that runs are not looked for in.
  public init?(runsOf vector: ColumnVector) {
    guard vector.count <= Self.maximumRows else { return nil }
    switch vector.storage {
    case .codes(let lanes, _): (keys, count) = Self.runs(lanes, vector.validity)
    case .id128(let lanes): (keys, count) = Self.runs(lanes, vector.validity)
    case .int64(let lanes): (keys, count) = Self.runs(lanes, vector.validity)
    default: return nil
    }
  }

  init?(runsOfCodes codes: [UInt32], validity: Bitmap?) {
    guard codes.count <= Self.maximumRows else { return nil }
    (keys, count) = Self.runs(codes, validity)
  }

  private static func runs<Lane: BitwiseCopyable & Equatable>(_ lanes: [Lane], _ validity: Bitmap?) -> ([UInt16], Int) {
    guard !lanes.isEmpty else { return ([], 0) }
    var run = 0
    let keys = [UInt16](unsafeUninitializedCapacity: lanes.count) { keys, initialized in
      lanes.withUnsafeBufferPointer { lanes in
        keys[0] = 0
        for row in 1..<max(1, lanes.count) {
          var isNew = lanes[row] != lanes[row &- 1]
          if let validity {
            let (isValid, wasValid) = (validity[row], validity[row &- 1])
            isNew = isValid != wasValid || isValid && isNew
          }
          run &+= Int(unsafeBitCast(isNew, to: UInt8.self))
          keys[row] = UInt16(truncatingIfNeeded: run)
        }
      }
      initialized = lanes.count
    }
    return (keys, run + 1)
  }

  /// Numbers the dictionary codes that occur in the block, ascending; null, where it occurs, is number 0.
  /// `nil` for vectors without a dictionary, or with one that is too large.
  ///
  /// - Parameter codes: Below `dictionaryCount` in all valid rows.
  public init?(codes: [UInt32], validity: Bitmap?, dictionaryCount: Int) {
    guard codes.count <= Self.maximumRows, dictionaryCount <= Self.maximumDictionary else { return nil }
    guard codes.isEmpty || Int(Kernels.maximum(codes)) < max(1, dictionaryCount) else { return nil }
    let nulls = validity.flatMap { $0.isAllSet ? nil : $0 }
    // One entry more than there are codes, lest the code 0 of null rows has none in an empty dictionary.
    var numbers = [UInt16](repeating: 0, count: dictionaryCount + 1)
    Self.mark(codes, nulls, &numbers)
    var next = nulls == nil ? 0 : 1
    for code in numbers.indices where numbers[code] != 0 {
      numbers[code] = UInt16(truncatingIfNeeded: next)
      next += 1
    }
    // Null may come on top of as many values as there are rows less one: the keys always fit.
    count = next
    keys = [UInt16](unsafeUninitializedCapacity: codes.count) { keys, initialized in
      numbers.withUnsafeBufferPointer { numbers in
        codes.withUnsafeBufferPointer { codes in
          for row in 0..<codes.count { keys[row] = numbers[Int(codes[row])] }
        }
      }
      nulls?.clear(UnsafeMutableBufferPointer(rebasing: keys[..<codes.count]), to: 0)
      initialized = codes.count
    }
  }

  /// Sets the number of every code that a valid row has to 1.
  private static func mark(_ codes: [UInt32], _ validity: Bitmap?, _ numbers: inout [UInt16]) {
    codes.withUnsafeBufferPointer { codes in
      numbers.withUnsafeMutableBufferPointer { numbers in
        guard let validity else {
          for row in 0..<codes.count { numbers[Int(codes[row])] = 1 }
          return
        }
        validity.words.withUnsafeBufferPointer { words in
          for row in 0..<codes.count {
            numbers[Int(codes[row])] |= UInt16(truncatingIfNeeded: words[row &>> 6] &>> UInt64(row & 63) & 1)
          }
        }
      }
    }
  }

  /// Calls `body` with the keys of the valid rows.
  @inline(__always)
  func withValid<Result>(_ validity: Bitmap?, count: Int, _ body: (UnsafeBufferPointer<UInt16>) -> Result) -> Result {
    withValidLanes(keys, validity, count: count, body)
  }
}

/// Names the keys that a block was written with: of which column of the part, and how they are made.
///
///     reference := column:varint kind:u8        kind 0: runs of equal values | 1: the values themselves
public struct BlockReference: Sendable, Hashable {
  public enum Kind: UInt8, Sendable {
    /// ``RowKeys/init(runsOf:)``
    case runs = 0
    /// ``RowKeys/init(codes:validity:dictionaryCount:)``
    case values = 1
  }

  /// The column's number in the part's directory.
  public let column: Int
  public let kind: Kind

  public init(_ column: Int, _ kind: Kind) {
    self.column = column
    self.kind = kind
  }

  func write(into out: inout [UInt8]) {
    out.append(varint: UInt64(column))
    out.append(kind.rawValue)
  }

  init(_ reader: inout ByteReader) throws(ColumnError) {
    column = try Self.readColumn(&reader)
    let number = try reader.byte()
    guard let kind = Kind(rawValue: number) else {
      throw ColumnError(.malformed, "a reference of kind \(number)")
    }
    self.kind = kind
  }

  /// A column's number.
  static func readColumn(_ reader: inout ByteReader) throws(ColumnError) -> Int {
    let number = try reader.varint()
    guard number <= UInt64(UInt32.max) else { throw ColumnError(.malformed, "a reference to column \(number)") }
    return Int(number)
  }
}

/// The blocks of other columns, of the same rows, that a block refers to.
public protocol RelatedBlocks {
  /// Throws `.malformed` where there are no such keys.
  func keys(_ reference: BlockReference) throws(ColumnError) -> RowKeys
  /// Integers of a column, one lane a row, 0 where it is null. Throws `.malformed` where there are none.
  func integers(_ column: Int) throws(ColumnError) -> ColumnVector
}

/// No other column: what blocks by themselves have.
struct NoRelatedBlocks: RelatedBlocks {
  func keys(_ reference: BlockReference) throws(ColumnError) -> RowKeys { throw Self.missing(reference.column) }

  func integers(_ column: Int) throws(ColumnError) -> ColumnVector { throw Self.missing(column) }

  private static func missing(_ column: Int) -> ColumnError {
    ColumnError(.malformed, "the block refers to column \(column), which isn't at hand")
  }
}
