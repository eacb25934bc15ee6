internal import LintelColumns
internal import LintelQuery

/// One value of a result, and the conversions that decoding allows.
struct Cell {
  let column: QueryResult.Column
  let row: Int

  var isNull: Bool { !column.values.isValid(row) }

  func bool() throws(LintelError) -> Bool {
    guard !isNull, case .bool(let lanes) = column.values.storage else { throw mismatch("a Bool") }
    return lanes[row]
  }

  func double() throws(LintelError) -> Double {
    guard !isNull else { throw mismatch("a Double") }
    switch column.values.storage {
    case .float64(let lanes): return lanes[row]
    case .int64(let lanes): return Double(lanes[row])
    default: throw mismatch("a Double")
    }
  }

  func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws(LintelError) -> Number {
    guard !isNull, case .int64(let lanes) = column.values.storage else { throw mismatch("an integer") }
    let lane = lanes[row]
    if column.type == .id8, let bits = Number(exactly: UInt64(bitPattern: lane)) { return bits }
    guard let number = Number(exactly: lane) else { throw mismatch("\(Number.self): \(lane) doesn't fit") }
    return number
  }

  func text() throws(LintelError) -> String {
    guard !isNull else { throw mismatch("a String") }
    switch column.values.storage {
    case .bytes(let strings): return try text(strings, row)
    case .id128(let ids): return Self.hex(ids[row])
    case .codes(let codes, let dictionary):
      switch dictionary.values {
      case .bytes(let strings): return try text(strings, Int(codes[row]))
      case .id128(let ids): return Self.hex(ids[Int(codes[row])])
      }
    case .int64(let lanes):
      switch column.type {
      case .enumeration(let labels): return labels.label(of: lanes[row]) ?? String(lanes[row])
      case .id8: return Self.hex(UInt64(bitPattern: lanes[row]))
      default: throw mismatch("a String")
      }
    default: throw mismatch("a String")
    }
  }

  private func text(_ strings: ByteStrings, _ index: Int) throws(LintelError) -> String {
    guard column.type == .variant || column.type == .map else { return strings.string(index) }
    do {
      return try Variant(decoding: strings[index]).json()
    } catch {
      throw .decoding("column \(column.name), row \(row): \(error.message)")
    }
  }

  private static func hex(_ bits: some FixedWidthInteger & UnsignedInteger) -> String {
    let digits = String(bits, radix: 16)
    return String(repeating: "0", count: bits.bitWidth / 4 - digits.count) + digits
  }

  private func mismatch(_ wanted: String) -> LintelError {
    .decoding(
      "column \(column.name) (\(column.type.name)) is \(isNull ? "null" : "not") in row \(row); wanted \(wanted)")
  }
}
