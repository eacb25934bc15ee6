import LintelColumns

/// Values of one expression for the selected rows of a block: lane `i` belongs to the `i`-th selected row.
///
/// The lanes of null rows hold anything, codes out of range included: kernels that look up by code clamp.
struct Vector {
  enum Lanes {
    case int64([Int64])
    case float64([Double])
    case bool([Bool])
    case bytes(ByteStrings)
    case id128([UInt128])
    case codes([UInt32], ValueDictionary)
  }

  var lanes: Lanes
  /// One entry a lane, false where the row is null; `nil` when no row is null.
  var validity: [Bool]?

  init(_ lanes: Lanes, validity: [Bool]? = nil) {
    self.lanes = lanes
    self.validity = validity
  }

  init(_ column: ColumnVector) {
    lanes =
      switch column.storage {
      case .int64(let values): .int64(values)
      case .float64(let values): .float64(values)
      case .bool(let values): .bool(values)
      case .bytes(let values): .bytes(values)
      case .id128(let values): .id128(values)
      case .codes(let codes, let dictionary): .codes(codes, dictionary)
      }
    validity = column.validity.map(Vector.expand)
  }

  var count: Int {
    switch lanes {
    case .int64(let values): values.count
    case .float64(let values): values.count
    case .bool(let values): values.count
    case .bytes(let values): values.count
    case .id128(let values): values.count
    case .codes(let codes, _): codes.count
    }
  }

  @inline(__always)
  func isValid(_ lane: Int) -> Bool { validity?[lane] ?? true }

  /// One byte a bit, eight at a time.
  static func expand(_ bitmap: Bitmap) -> [Bool] {
    let count = bitmap.count
    return [Bool](unsafeUninitializedCapacity: bitmap.words.count * 64) { out, initialized in
      let raw = UnsafeMutableRawBufferPointer(out)
      bitmap.words.withUnsafeBufferPointer { words in
        for index in 0..<words.count {
          var word = words[index]
          for byte in 0..<8 {
            // Spreads eight bits over eight bytes, least significant bit first.
            let bits = (word & 0xFF) &* 0x0101_0101_0101_0101 & 0x8040_2010_0804_0201
            let spread = ((bits &+ 0x7F7F_7F7F_7F7F_7F7F) | bits) >> 7 & 0x0101_0101_0101_0101
            raw.storeBytes(of: spread, toByteOffset: index &* 64 &+ byte &* 8, as: UInt64.self)
            word >>= 8
          }
        }
      }
      initialized = count
    }
  }

  static func nulls(_ type: PhysicalType, count: Int) -> Vector {
    var vector = zeros(type, count: count)
    vector.validity = Array(repeating: false, count: count)
    return vector
  }

  private static func zeros(_ type: PhysicalType, count: Int) -> Vector {
    switch type {
    case .int64: Vector(.int64(Array(repeating: 0, count: count)))
    case .float64: Vector(.float64(Array(repeating: 0, count: count)))
    case .bool: Vector(.bool(Array(repeating: false, count: count)))
    case .id128: Vector(.id128(Array(repeating: 0, count: count)))
    case .bytes:
      {
        var strings = ByteStrings()
        strings.offsets = Array(repeating: 0, count: count + 1)
        return Vector(.bytes(strings))
      }()
    }
  }

  /// `value` in every lane.
  static func constant(_ value: Value, _ type: PhysicalType, count: Int) -> Vector {
    switch value {
    case .null: return nulls(type, count: count)
    case .int64(let number): return Vector(.int64(Array(repeating: number, count: count)))
    case .float64(let number): return Vector(.float64(Array(repeating: number, count: count)))
    case .bool(let flag): return Vector(.bool(Array(repeating: flag, count: count)))
    case .id128(let id): return Vector(.id128(Array(repeating: id, count: count)))
    case .bytes(let bytes):
      var single = ByteStrings()
      single.append(bytes)
      return Vector(
        .codes(Array(repeating: 0, count: count), ValueDictionary(.bytes(single))))
    }
  }

  /// The value of one lane.
  func value(_ lane: Int) -> Value {
    guard isValid(lane) else { return .null }
    switch lanes {
    case .int64(let values): return .int64(values[lane])
    case .float64(let values): return .float64(values[lane])
    case .bool(let values): return .bool(values[lane])
    case .bytes(let values): return .bytes(Array(values[lane]))
    case .id128(let values): return .id128(values[lane])
    case .codes(let codes, let dictionary):
      let code = Int(codes[lane])
      guard code < dictionary.count else { return .null }
      switch dictionary.values {
      case .bytes(let values): return .bytes(Array(values[code]))
      case .id128(let values): return .id128(values[code])
      }
    }
  }

  /// As the result and storage layers hold it.
  var columnVector: ColumnVector {
    var bitmap: Bitmap?
    if let validity {
      var bits = Bitmap(repeating: true, count: validity.count)
      for (index, valid) in validity.enumerated() where !valid { bits[index] = false }
      bitmap = bits
    }
    let storage: ColumnVector.Storage =
      switch lanes {
      case .int64(let values): .int64(values)
      case .float64(let values): .float64(values)
      case .bool(let values): .bool(values)
      case .bytes(let values): .bytes(values)
      case .id128(let values): .id128(values)
      case .codes(let codes, let dictionary): .codes(codes, dictionary)
      }
    return ColumnVector(storage, validity: bitmap)
  }

  /// Bytes that the lanes take, roughly.
  var byteCount: Int {
    let lanesBytes =
      switch lanes {
      case .int64(let values): values.count * 8
      case .float64(let values): values.count * 8
      case .bool(let values): values.count
      case .bytes(let values): values.bytes.count + values.offsets.count * 4
      case .id128(let values): values.count * 16
      case .codes(let codes, _): codes.count * 4
      }
    return lanesBytes + (validity?.count ?? 0)
  }
}
