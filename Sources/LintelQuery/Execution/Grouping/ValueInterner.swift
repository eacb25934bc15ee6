import LintelColumns

/// Numbers the values of one expression, null included, in order of appearance; equal values get one number, whatever their
/// coding.
///
/// While all values come from one dictionary their codes stand for them and nothing is hashed. When another dictionary
/// or plain values come, the distinct values seen so far are hashed, and from then on each dictionary entry once, when
/// first seen.
///
/// Used by one thread at a time.
final class ValueInterner: @unchecked Sendable {
  private let type: PhysicalType
  // Unchecked exclusivity, for the properties that are used for every value: one thread uses this at a time.
  @exclusivity(unchecked) private var store: Store
  @exclusivity(unchecked) private var nullNumber: UInt32?
  /// For each number its entry in the store; ``noEntry`` for null.
  private let entries = StateBuffer<UInt32>(0)
  /// For each entry of a hashed store its number.
  private let numbers = StateBuffer<UInt32>(0)
  /// The dictionary whose codes `translation` turns into numbers.
  private var dictionary: ValueDictionary?
  /// By code; the last entry is null's.
  @exclusivity(unchecked) private var translation: [UInt32] = []
  /// Codes are numbers, and null's is the one after them: every entry of the dictionary was numbered, in use or not.
  private(set) var numbersAreCodes = false

  private let interrupt: Interrupt

  private static let unknown = UInt32.max
  private static let noEntry = UInt32.max

  private enum Store {
    /// Integers, bits of doubles, booleans.
    case narrow(NumberInterner)
    /// Entries are codes of the one dictionary so far.
    case coded
    case wide(WideValues)
  }

  init(_ type: PhysicalType, _ interrupt: Interrupt = .never) {
    self.type = type
    self.interrupt = interrupt
    store = type == .bytes || type == .id128 ? .coded : .narrow(NumberInterner(interrupt))
  }

  var count: Int { entries.count }

  var byteCount: Int {
    let storeBytes =
      switch store {
      case .narrow(let numbers): numbers.byteCount
      case .coded: 0
      case .wide(let values): values.byteCount
      }
    return storeBytes + entries.count * 8 + translation.count * 4
  }

  // MARK: Numbering

  /// The number of every lane.
  ///
  /// - Parameter expectedRows: about how many lanes will come in all, where values may be numbered that none has;
  ///   `nil` where they may not.
  func intern(_ vector: Vector, expectedRows: Int? = nil) -> [UInt32] {
    switch vector.lanes {
    case .int64(let values): return intern(values, vector.validity) { UInt64(bitPattern: $0) }
    case .float64(let values): return intern(values, vector.validity) { ValueHash.canonical($0).bitPattern }
    case .bool(let values): return intern(values, vector.validity) { $0 ? 1 : 0 }
    case .codes(let codes, let dictionary):
      if let expectedRows { numberCodes(of: dictionary, expectedRows) }
      if numbersAreCodes, dictionary === self.dictionary {
        return Self.codes(codes, vector.validity, last: UInt32(truncatingIfNeeded: dictionary.count))
      }
      return intern(codes: codes, vector.validity, dictionary)
    case .bytes(let values):
      let wide = wideValues()
      return values.withView { view in
        (0..<vector.count).map { vector.isValid($0) ? number(ofEntry: wide.intern(view[$0])) : numberOfNull() }
      }
    case .id128(let values):
      let wide = wideValues()
      return values.indices.map { vector.isValid($0) ? number(ofEntry: wide.intern(values[$0])) : numberOfNull() }
    }
  }

  @inline(__always)
  private func intern<T>(_ values: [T], _ validity: [Bool]?, _ bits: (T) -> UInt64) -> [UInt32] {
    guard case .narrow(let store) = store else { return Array(repeating: numberOfNull(), count: values.count) }
    // Where neighbours are alike runs are looked up (see ``RowRuns``): a test for it here would mostly be mispredicted.
    return [UInt32](unsafeUninitializedCapacity: values.count) { out, initialized in
      values.withUnsafeBufferPointer { values in
        for lane in 0..<values.count {
          if let validity, !validity[lane] {
            out[lane] = numberOfNull()
          } else {
            out[lane] = number(ofEntry: store.intern(bits(values[lane])))
          }
        }
      }
      initialized = values.count
    }
  }

  /// Numbers a whole first dictionary, if it isn't much larger than what comes.
  private func numberCodes(of source: ValueDictionary, _ expectedRows: Int) {
    guard case .coded = store, dictionary == nil, entries.count == 0, source.count <= max(1024, expectedRows) else {
      return
    }
    dictionary = source
    numbersAreCodes = true
    translation = makeLanes(source.count + 1) { UInt32(truncatingIfNeeded: $0) }
    entries.grow(source.count + 1)
    for code in 0..<source.count { entries[code] = UInt32(truncatingIfNeeded: code) }
    entries[source.count] = Self.noEntry
    nullNumber = UInt32(truncatingIfNeeded: source.count)
  }

  private static func codes(_ codes: [UInt32], _ validity: [Bool]?, last: UInt32) -> [UInt32] {
    if let validity { return ScanKernels.clamp(codes, validity, last: last) }
    return ScanKernels.greatest(codes) < last ? codes : Vector.clamp(codes, validity: nil, last: last)
  }

  private func intern(codes: [UInt32], _ validity: [Bool]?, _ source: ValueDictionary) -> [UInt32] {
    turn(to: source)
    let last = UInt32(truncatingIfNeeded: source.count)
    return [UInt32](unsafeUninitializedCapacity: codes.count) { out, initialized in
      guard let numbers = out.baseAddress else { return }
      codes.withUnsafeBufferPointer { codes in
        if Self.translate(codes, validity, last, translation, numbers) {
          translateUnknown(codes, validity, source, numbers)
        }
      }
      initialized = codes.count
    }
  }

  /// Looks every code up; null and codes out of range take the table's last entry. True when a number is still unknown.
  private static func translate(
    _ codes: UnsafeBufferPointer<UInt32>, _ validity: [Bool]?, _ last: UInt32, _ table: [UInt32],
    _ out: UnsafeMutablePointer<UInt32>
  ) -> Bool {
    table.withUnsafeBufferPointer { table in
      var greatest: UInt32 = 0
      if let validity {
        validity.withUnsafeBufferPointer { valid in
          for lane in 0..<codes.count {
            let number = table[Int(valid[lane] ? min(codes[lane], last) : last)]
            greatest = max(greatest, number)
            out[lane] = number
          }
        }
      } else {
        for lane in 0..<codes.count {
          let number = table[Int(min(codes[lane], last))]
          greatest = max(greatest, number)
          out[lane] = number
        }
      }
      return greatest == unknown
    }
  }

  private func translateUnknown(
    _ codes: UnsafeBufferPointer<UInt32>, _ validity: [Bool]?, _ source: ValueDictionary,
    _ out: UnsafeMutablePointer<UInt32>
  ) {
    let last = source.count
    for lane in 0..<codes.count where out[lane] == Self.unknown {
      let code = validity?[lane] ?? true ? min(Int(codes[lane]), last) : last
      if translation[code] == Self.unknown {
        translation[code] = code == last ? numberOfNull() : intern(code: code, of: source)
      }
      out[lane] = translation[code]
    }
  }

  /// Makes `source` the dictionary that codes are read by.
  private func turn(to source: ValueDictionary) {
    guard source !== dictionary else { return }
    if dictionary != nil || entries.count > 0 { _ = wideValues() }
    dictionary = source
    numbersAreCodes = false
    translation = Array(repeating: Self.unknown, count: source.count + 1)
  }

  @inline(never)
  private func intern(code: Int, of source: ValueDictionary) -> UInt32 {
    switch (store, source.values) {
    case (.coded, _): return append(entry: UInt32(truncatingIfNeeded: code))
    case (.wide(let wide), .id128(let ids)): return number(ofEntry: wide.intern(ids[code]))
    case (.wide(let wide), .bytes(let values)): return number(ofEntry: values.withView { wide.intern($0[code]) })
    case (.narrow, _): return numberOfNull()
    }
  }

  private func append(entry: UInt32) -> UInt32 {
    let number = UInt32(truncatingIfNeeded: entries.count)
    entries.append(entry)
    return number
  }

  @inline(__always)
  private func number(ofEntry entry: UInt32) -> UInt32 {
    if Int(entry) < numbers.count { return numbers[Int(entry)] }
    let number = append(entry: entry)
    numbers.append(number)
    return number
  }

  private func numberOfNull() -> UInt32 {
    if let nullNumber { return nullNumber }
    let number = append(entry: Self.noEntry)
    nullNumber = number
    return number
  }

  /// The hashed store; codes held so far are turned into values.
  private func wideValues() -> WideValues {
    if case .wide(let values) = store { return values }
    let wide = WideValues(type, interrupt)
    if case .coded = store, let dictionary {
      for number in 0..<entries.count where entries[number] != Self.noEntry {
        // Entries that are still codes must not be taken for those of the hashed store.
        if number & (Interrupt.interval - 1) == 0, interrupt.isRaised {
          for rest in number..<entries.count { entries[rest] = Self.noEntry }
          break
        }
        let code = Int(entries[number])
        switch dictionary.values {
        case .id128(let ids): entries[number] = wide.intern(ids[code])
        case .bytes(let values): entries[number] = values.withView { wide.intern($0[code]) }
        }
        numbers.append(UInt32(truncatingIfNeeded: number))
      }
    }
    store = .wide(wide)
    return wide
  }

  // MARK: Merging

  /// For each number of `other`, the number of its value here.
  func merge(_ other: ValueInterner) throws(ExecutionFailure) -> [UInt32] {
    if numbersAreCodes, other.numbersAreCodes, dictionary === other.dictionary, case .coded = other.store {
      return try interrupt.makeLanes(other.entries.count) { UInt32(truncatingIfNeeded: $0) }
    }
    var mapping: [UInt32] = []
    mapping.reserveCapacity(other.entries.count)
    try interrupt.forEachStretch(of: other.entries.count) { stretch in
      if case .coded = other.store, let theirs = other.dictionary {
        let codes = makeLanes(stretch.count) { other.entries[stretch.lowerBound &+ $0] }
        let validity = other.nullNumber == nil ? nil : mapLanes(codes) { $0 != Self.noEntry }
        mapping += intern(codes: codes, validity, theirs)
      } else {
        mapping += intern(
          other.vector(makeLanes(stretch.count) { UInt32(truncatingIfNeeded: stretch.lowerBound &+ $0) }))
      }
    }
    // What grew last may have seen the end of the query.
    try interrupt.check()
    return mapping
  }

  // MARK: Values

  /// The values behind numbers.
  func vector(_ wanted: [UInt32]) -> Vector {
    let picked = mapLanes(wanted) { entries[Int($0)] }
    let validity = nullNumber == nil ? nil : mapLanes(picked) { $0 != Self.noEntry }
    switch store {
    case .narrow(let store): return Vector(narrowLanes(picked, store), validity: validity)
    case .wide(let values): return Vector(values.lanes(picked), validity: validity)
    case .coded:
      guard let dictionary else { return .nulls(type, count: wanted.count) }
      return Vector(.codes(picked, dictionary), validity: validity)
    }
  }

  private func narrowLanes(_ entries: [UInt32], _ store: NumberInterner) -> Vector.Lanes {
    // An interner that has seen only null has no entry to read.
    let values = store.values
    switch type {
    case .float64:
      return .float64(mapLanes(entries) { $0 == Self.noEntry ? 0 : Double(bitPattern: values[Int($0)]) })
    case .bool: return .bool(mapLanes(entries) { $0 == Self.noEntry ? false : values[Int($0)] != 0 })
    default: return .int64(mapLanes(entries) { $0 == Self.noEntry ? 0 : Int64(bitPattern: values[Int($0)]) })
    }
  }
}
