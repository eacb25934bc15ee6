internal import LintelColumns

/// Builds a vector from runs of rows of other vectors of the same physical type.
///
/// In code mode the runs bring codes, translated by a table; otherwise values, whatever form they come in.
struct VectorAssembler {
  let type: PhysicalType
  private let dictionary: Bool
  private var int64: [Int64] = []
  private var float64: [Double] = []
  private var bool: [Bool] = []
  private var bytes = ByteStrings()
  private var id128: [UInt128] = []
  private var codes: [UInt32] = []
  private var validity = ValidityBuilder()

  /// - Parameter dictionary: Whether to collect codes.
  init(_ type: PhysicalType, dictionary: Bool, capacity: Int) {
    self.type = type
    self.dictionary = dictionary
    if dictionary {
      codes.reserveCapacity(capacity)
      return
    }
    switch type {
    case .int64: int64.reserveCapacity(capacity)
    case .float64: float64.reserveCapacity(capacity)
    case .bool: bool.reserveCapacity(capacity)
    case .bytes: bytes.offsets.reserveCapacity(capacity + 1)
    case .id128: id128.reserveCapacity(capacity)
    }
  }

  var count: Int { validity.count }

  mutating func appendNulls(_ rows: Int) {
    validity.append(false, count: rows)
    if dictionary { return codes.append(contentsOf: repeatElement(0, count: rows)) }
    switch type {
    case .int64: int64.append(contentsOf: repeatElement(0, count: rows))
    case .float64: float64.append(contentsOf: repeatElement(0, count: rows))
    case .bool: bool.append(contentsOf: repeatElement(false, count: rows))
    case .bytes: bytes.offsets.append(contentsOf: repeatElement(bytes.offsets[bytes.count], count: rows))
    case .id128: id128.append(contentsOf: repeatElement(0, count: rows))
    }
  }

  /// Appends `range` of a vector of values of the assembler's type; of codes in code mode.
  /// - Parameter table: Translates codes; unknown ones, as null rows may hold, become 0.
  mutating func append(_ vector: ColumnVector, _ range: Range<Int>, table: [UInt32] = []) {
    validity.append(vector.validity, range)
    switch vector.storage {
    case .int64, .float64, .bool, .bytes, .id128:
      // A block without any value comes as plain nulls also where the others come as codes.
      if dictionary { return codes.append(contentsOf: repeatElement(0, count: range.count)) }
    case .codes: break
    }
    switch vector.storage {
    case .int64(let lanes): int64.append(contentsOf: lanes[range])
    case .float64(let lanes): float64.append(contentsOf: lanes[range])
    case .bool(let lanes): bool.append(contentsOf: lanes[range])
    case .id128(let lanes): id128.append(contentsOf: lanes[range])
    case .bytes(let strings): append(strings, range)
    case .codes(let source, let values):
      if dictionary { appendCodes(source, range, table) } else { appendValues(source, values, range) }
    }
  }

  private mutating func append(_ strings: ByteStrings, _ range: Range<Int>) {
    let first = strings.offsets[range.lowerBound]
    let shift = UInt32(truncatingIfNeeded: bytes.bytes.count) &- first
    bytes.bytes.append(contentsOf: strings.bytes[Int(first)..<Int(strings.offsets[range.upperBound])])
    let start = bytes.offsets.count
    bytes.offsets.append(contentsOf: strings.offsets[(range.lowerBound + 1)..<(range.upperBound + 1)])
    bytes.offsets.withUnsafeMutableBufferPointer { offsets in
      for index in start..<offsets.count { offsets[index] &+= shift }
    }
  }

  /// Appends codes that need no translation.
  mutating func appendCodes(_ source: [UInt32], validity: Bitmap?) {
    self.validity.append(validity, 0..<source.count)
    codes.append(contentsOf: source)
  }

  private mutating func appendCodes(_ source: [UInt32], _ range: Range<Int>, _ table: [UInt32]) {
    let start = codes.count
    codes.append(contentsOf: source[range])
    codes.withUnsafeMutableBufferPointer { codes in
      table.withUnsafeBufferPointer { table in
        for index in start..<codes.count {
          let code = Int(codes[index])
          codes[index] = code < table.count ? table[code] : 0
        }
      }
    }
  }

  private mutating func appendValues(_ source: [UInt32], _ values: ValueDictionary, _ range: Range<Int>) {
    switch values.values {
    case .bytes(let strings):
      for row in range {
        let code = Int(source[row])
        if code < strings.count { bytes.bytes.append(contentsOf: strings.bytes[strings.range(code)]) }
        bytes.offsets.append(UInt32(truncatingIfNeeded: bytes.bytes.count))
      }
    case .id128(let ids):
      for row in range {
        let code = Int(source[row])
        id128.append(code < ids.count ? ids[code] : 0)
      }
    }
  }

  /// The vector so far; the assembler begins anew.
  /// - Parameter values: In code mode, what the codes refer to.
  mutating func finish(_ values: ValueDictionary? = nil) -> ColumnVector {
    defer { self = VectorAssembler(type, dictionary: dictionary, capacity: count) }
    let validity = validity.finish()
    if dictionary, let values { return ColumnVector(.codes(codes, values), validity: validity) }
    switch type {
    case .int64: return ColumnVector(.int64(int64), validity: validity)
    case .float64: return ColumnVector(.float64(float64), validity: validity)
    case .bool: return ColumnVector(.bool(bool), validity: validity)
    case .bytes: return ColumnVector(.bytes(bytes), validity: validity)
    case .id128: return ColumnVector(.id128(id128), validity: validity)
    }
  }
}
