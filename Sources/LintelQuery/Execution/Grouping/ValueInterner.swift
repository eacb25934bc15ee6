import LintelColumns

/// Numbers the values of one expression, null included, in order of appearance; equal values get one number, whatever their
/// coding. Values behind codes are hashed once per dictionary entry, when first seen.
///
/// Used by one thread at a time.
final class ValueInterner: @unchecked Sendable {
  private let type: PhysicalType
  /// Integers, doubles' bits and booleans; hashes of wide values.
  private let numbers = NumberInterner()
  private var wide: WideValues
  /// Number of a value by number of its entry in `numbers` (plain types: the same).
  private var nullNumber: UInt32?
  /// For each number: its entry; `UInt32.max` for null.
  private var entries: [UInt32] = []
  private var numberOfEntry: [UInt32] = []
  private var dictionary: ValueDictionary?
  private var translation: [UInt32] = []
  private static let unknown = UInt32.max

  init(_ type: PhysicalType) {
    self.type = type
    wide = WideValues(type)
  }

  var count: Int { entries.count }
  var byteCount: Int { numbers.byteCount + wide.byteCount + entries.count * 8 + translation.count * 4 }

  private func number(ofEntry entry: UInt32) -> UInt32 {
    if Int(entry) < numberOfEntry.count { return numberOfEntry[Int(entry)] }
    let number = UInt32(truncatingIfNeeded: entries.count)
    numberOfEntry.append(number)
    entries.append(entry)
    return number
  }

  private func numberOfNull() -> UInt32 {
    if let nullNumber { return nullNumber }
    let number = UInt32(truncatingIfNeeded: entries.count)
    entries.append(.max)
    nullNumber = number
    return number
  }

  /// The number of every lane.
  func intern(_ vector: Vector) -> [UInt32] {
    switch vector.lanes {
    case .int64(let values): return intern(values, vector.validity) { UInt64(bitPattern: $0) }
    case .float64(let values): return intern(values, vector.validity) { ValueHash.canonical($0).bitPattern }
    case .bool(let values): return intern(values, vector.validity) { $0 ? 1 : 0 }
    case .codes(let codes, let dictionary):
      if dictionary !== self.dictionary {
        self.dictionary = dictionary
        translation = Array(repeating: Self.unknown, count: dictionary.count)
      }
      return intern(codes: codes, vector.validity, dictionary)
    case .bytes(let values):
      return values.withView { view in
        (0..<vector.count).map { vector.isValid($0) ? intern(bytes: view[$0]) : numberOfNull() }
      }
    case .id128(let values):
      return values.indices.map { vector.isValid($0) ? intern(id: values[$0]) : numberOfNull() }
    }
  }

  @inline(__always)
  private func intern<T>(_ values: [T], _ validity: [Bool]?, _ bits: (T) -> UInt64) -> [UInt32] {
    var last: UInt64 = 0
    var lastNumber = Self.unknown
    return [UInt32](unsafeUninitializedCapacity: values.count) { out, initialized in
      values.withUnsafeBufferPointer { values in
        for lane in 0..<values.count {
          if let validity, !validity[lane] {
            out[lane] = numberOfNull()
            continue
          }
          let value = bits(values[lane])
          if value != last || lastNumber == Self.unknown {
            last = value
            lastNumber = number(ofEntry: numbers.intern(value))
          }
          out[lane] = lastNumber
        }
      }
      initialized = values.count
    }
  }

  private func intern(codes: [UInt32], _ validity: [Bool]?, _ dictionary: ValueDictionary) -> [UInt32] {
    [UInt32](unsafeUninitializedCapacity: codes.count) { out, initialized in
      codes.withUnsafeBufferPointer { codes in
        translation.withUnsafeMutableBufferPointer { translation in
          for lane in 0..<codes.count {
            let code = Int(codes[lane])
            if validity?[lane] ?? true, code < translation.count {
              var number = translation[code]
              if number == Self.unknown {
                number = intern(entry: code, of: dictionary)
                translation[code] = number
              }
              out[lane] = number
            } else {
              out[lane] = numberOfNull()
            }
          }
        }
      }
      initialized = codes.count
    }
  }

  private func intern(entry: Int, of dictionary: ValueDictionary) -> UInt32 {
    switch dictionary.values {
    case .id128(let ids): return intern(id: ids[entry])
    case .bytes(let values):
      return values.withView { intern(bytes: $0[entry]) }
    }
  }

  private func intern(bytes: UnsafeBufferPointer<UInt8>) -> UInt32 { number(ofEntry: wide.intern(bytes)) }
  private func intern(id: UInt128) -> UInt32 { number(ofEntry: wide.intern(id)) }

  /// For each number of `other`, the number of its value here.
  func merge(_ other: ValueInterner) -> [UInt32] {
    intern(other.vector(other.entries.indices.map { UInt32(truncatingIfNeeded: $0) }))
  }

  /// The values behind numbers.
  func vector(_ wanted: [UInt32]) -> Vector {
    let picked = mapLanes(wanted) { entries[Int($0)] }
    let hasNull = nullNumber != nil
    let validity = hasNull ? mapLanes(picked) { $0 != .max } : nil
    let lanes: Vector.Lanes =
      switch type {
      case .int64: .int64(mapLanes(picked) { $0 == .max ? 0 : Int64(bitPattern: numbers.values[Int($0)]) })
      case .float64: .float64(mapLanes(picked) { $0 == .max ? 0 : Double(bitPattern: numbers.values[Int($0)]) })
      case .bool: .bool(mapLanes(picked) { $0 == .max ? false : numbers.values[Int($0)] != 0 })
      case .bytes, .id128: wide.lanes(picked)
      }
    return Vector(lanes, validity: validity)
  }
}

/// The distinct byte strings or ids of an interner, by hash.
struct WideValues {
  private let type: PhysicalType
  private var strings = ByteStrings()
  private var ids: [UInt128] = []
  private var hashes: [UInt64] = []
  private var table: [UInt32] = Array(repeating: 0, count: 512)

  init(_ type: PhysicalType) { self.type = type }

  var byteCount: Int { strings.bytes.count + hashes.count * 12 + ids.count * 16 + table.count * 4 }

  mutating func intern(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    let hash = ValueHash.hash(bytes)
    var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
    while table[slot] != 0 {
      let entry = Int(table[slot] - 1)
      if hashes[entry] == hash, strings.withView({ equalBytes($0[entry], bytes) }) { return UInt32(entry) }
      slot = (slot + 1) & (table.count - 1)
    }
    strings.append(UnsafeRawBufferPointer(bytes))
    return insert(hash, slot)
  }

  mutating func intern(_ id: UInt128) -> UInt32 {
    let hash = ValueHash.hash(id)
    var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
    while table[slot] != 0 {
      let entry = Int(table[slot] - 1)
      if ids[entry] == id { return UInt32(entry) }
      slot = (slot + 1) & (table.count - 1)
    }
    ids.append(id)
    return insert(hash, slot)
  }

  private mutating func insert(_ hash: UInt64, _ slot: Int) -> UInt32 {
    let entry = UInt32(truncatingIfNeeded: hashes.count)
    hashes.append(hash)
    table[slot] = entry + 1
    if hashes.count * 2 > table.count { grow() }
    return entry
  }

  private mutating func grow() {
    table = Array(repeating: 0, count: table.count * 2)
    for (entry, hash) in hashes.enumerated() {
      var slot = Int(truncatingIfNeeded: hash) & (table.count - 1)
      while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
      table[slot] = UInt32(truncatingIfNeeded: entry + 1)
    }
  }

  /// The values of the entries; `UInt32.max` reads as nothing.
  func lanes(_ entries: [UInt32]) -> Vector.Lanes {
    if type == .id128 { return .id128(mapLanes(entries) { $0 == .max ? 0 : ids[Int($0)] }) }
    var result = ByteStrings()
    result.reserveCapacity(entries.count, bytes: 0)
    strings.withView { view in
      for entry in entries {
        result.append(
          UnsafeRawBufferPointer(entry == .max ? UnsafeBufferPointer(start: nil, count: 0) : view[Int(entry)]))
      }
    }
    return .bytes(result)
  }
}
