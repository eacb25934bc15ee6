internal import LintelColumns

/// Merges dictionaries into one: each entry of each is hashed once, rows are then translated by table.
struct DictionaryUnion {
  let type: PhysicalType
  private var builder: DictionaryBuilder
  init(_ type: PhysicalType) {
    self.type = type
    builder = DictionaryBuilder(type)
  }

  var count: Int { builder.count }
  /// Bytes of the entries.
  var bytes: Int { builder.byteCount }

  /// Adds the entries of `dictionary`; element `code` of the answer is the code here of its entry `code`.
  mutating func add(_ dictionary: ValueDictionary) -> [UInt32] {
    var table: [UInt32] = []
    table.reserveCapacity(dictionary.count)
    switch dictionary.values {
    case .bytes(let strings):
      strings.bytes.withUnsafeBytes { bytes in
        for index in 0..<strings.count {
          table.append(add(UnsafeRawBufferPointer(rebasing: bytes[strings.range(index)])))
        }
      }
    case .id128(let ids):
      for id in ids { table.append(add(id)) }
    }
    return table
  }

  mutating func add(_ value: UnsafeRawBufferPointer) -> UInt32 {
    builder.code(for: value)
  }

  mutating func add(_ value: UInt128) -> UInt32 { builder.code(for: value) }

  /// Codes of a vector of plain values; 0 where it is null.
  mutating func codes(of vector: ColumnVector) -> [UInt32] {
    var codes: [UInt32] = []
    codes.reserveCapacity(vector.count)
    switch vector.storage {
    case .bytes(let strings):
      strings.bytes.withUnsafeBytes { bytes in
        for row in 0..<strings.count {
          let value = UnsafeRawBufferPointer(rebasing: bytes[strings.range(row)])
          codes.append(vector.isValid(row) ? add(value) : 0)
        }
      }
    case .id128(let ids):
      for row in 0..<ids.count { codes.append(vector.isValid(row) ? add(ids[row]) : 0) }
    default:
      codes = Array(repeating: 0, count: vector.count)
    }
    return codes
  }

  /// The entries so far.
  func snapshot() -> ValueDictionary {
    var copy = builder
    return copy.finish()
  }

  mutating func finish() -> ValueDictionary { builder.finish() }
}

extension ColumnVector {
  /// Renumbers codes in the order of their first use and drops unused entries. Other vectors stay as they are.
  func withCodesByFirstUse() -> ColumnVector {
    guard case .codes(let codes, let dictionary) = storage else { return self }
    var numbering = CodeNumbering(entryCount: dictionary.count)
    let renumbered = numbering.renumber(codes, validity: validity)
    return ColumnVector(.codes(renumbered, numbering.dictionary(from: dictionary)), validity: validity)
  }
}

/// Gives codes new numbers in the order of their first use.
struct CodeNumbering {
  private static let unused = UInt32.max
  /// The new code of each old one.
  private var table: [UInt32]
  /// The old code of each new one.
  private(set) var order: [UInt32] = []

  init(entryCount: Int) { table = Array(repeating: Self.unused, count: entryCount) }

  mutating func renumber(_ codes: [UInt32], validity: Bitmap?) -> [UInt32] {
    var result = codes
    result.withUnsafeMutableBufferPointer { lanes in
      table.withUnsafeMutableBufferPointer { table in
        guard let validity else {
          for row in 0..<lanes.count { lanes[row] = Self.number(lanes[row], table, &order) }
          return
        }
        validity.words.withUnsafeBufferPointer { words in
          for row in 0..<lanes.count {
            let isValid = words[row >> 6] >> UInt64(row & 63) & 1 != 0
            lanes[row] = isValid ? Self.number(lanes[row], table, &order) : 0
          }
        }
      }
    }
    return result
  }

  @inline(__always)
  private static func number(
    _ code: UInt32, _ table: UnsafeMutableBufferPointer<UInt32>, _ order: inout [UInt32]
  ) -> UInt32 {
    guard Int(code) < table.count else { return 0 }
    let known = table[Int(code)]
    if known != unused { return known }
    let new = UInt32(truncatingIfNeeded: order.count)
    table[Int(code)] = new
    order.append(code)
    return new
  }

  /// The entries in use, in their new order.
  func dictionary(from old: ValueDictionary) -> ValueDictionary {
    switch old.values {
    case .id128(let ids):
      return ValueDictionary(.id128(order.map { ids[Int($0)] }))
    case .bytes(let strings):
      var result = ByteStrings()
      result.reserveCapacity(order.count, bytes: order.count == strings.count ? strings.bytes.count : 0)
      for code in order { result.append(strings[Int(code)]) }
      return ValueDictionary(.bytes(result))
    }
  }
}
