import LintelColumns

/// The members of an IN list or of a subquery, looked up by hashing: a probe allocates nothing.
///
/// Members of many rows lie in several tables by the top bits of their hashes (the tables' slots go by the low ones), so that
/// threads fill the tables side by side. Filled once; then any number of threads may look members up.
struct MemberSet: @unchecked Sendable {
  /// Tables of the kinds that occur; of the others there are none.
  private var integers: [NumberInterner] = []
  /// Bits of doubles: one zero, and no NaN, which equals nothing.
  private var doubles: [NumberInterner] = []
  private var strings: [WideValues] = []
  private var ids: [IdentifierTable] = []
  private var hasFalse = false
  private var hasTrue = false
  /// The members as entries of a dictionary, where a subquery gave them so.
  private var coded: (entries: [UInt32], dictionary: ValueDictionary)?
  private(set) var hasNull = false
  /// Nothing at all was in the list: then even null is no member.
  private(set) var isVoid = false

  init(_ values: [Value], hasNull: Bool) {
    self.hasNull = hasNull
    for value in values { insert(value) }
  }

  /// The rows of a subquery's one column.
  init(rows vector: Vector, _ interrupt: Interrupt) throws(ExecutionFailure) {
    try self.init(parts: [vector], Filling(interrupt))
  }

  /// The rows of a subquery's one column, of one type, in any order.
  init(parts: [Vector], _ filling: Filling) throws(ExecutionFailure) {
    isVoid = parts.allSatisfy { $0.count == 0 }
    let (rest, dictionaries) = try distinctEntries(parts, filling.interrupt)
    for part in rest where part.validity?.contains(false) ?? false { hasNull = true }
    if rest.isEmpty, let only = dictionaries.first, dictionaries.count == 1 { coded = only }
    let members = rest + dictionaries.map { Vector(.codes($0.entries, $0.dictionary)) }
    guard let type = members.first?.physicalType else { return }
    let tables = filling.tables(of: members.reduce(0) { $0 + $1.count })
    switch type {
    case .int64:
      integers = (0..<tables).map { _ in NumberInterner(filling.interrupt) }
      try filling.fill(members, IntegerTables(tables: integers))
    case .float64:
      doubles = (0..<tables).map { _ in NumberInterner(filling.interrupt) }
      try filling.fill(members, DoubleTables(tables: doubles))
    case .id128:
      ids = (0..<tables).map { _ in IdentifierTable(filling.interrupt) }
      try filling.fill(members.map(\.plain), IdTables(tables: ids))
    case .bytes:
      strings = (0..<tables).map { _ in WideValues(.bytes, filling.interrupt) }
      try filling.fill(members, StringTables(tables: strings))
    case .bool:
      for part in members {
        guard case .bool(let lanes) = part.lanes else { continue }
        let valid = part.validity
        hasTrue = hasTrue || lanes.indices.contains { lanes[$0] && valid?[$0] ?? true }
        hasFalse = hasFalse || lanes.indices.contains { !lanes[$0] && valid?[$0] ?? true }
      }
    }
  }

  /// The parts that hold plain values; and of each dictionary the entries that rows have.
  private mutating func distinctEntries(
    _ parts: [Vector], _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> (plain: [Vector], coded: [(entries: [UInt32], dictionary: ValueDictionary)]) {
    var plain: [Vector] = []
    var places: [ObjectIdentifier: Int] = [:]
    var found: [(isEntry: [Bool], dictionary: ValueDictionary)] = []
    for part in parts {
      try interrupt.check()
      guard case .codes(let codes, let dictionary) = part.lanes else {
        plain.append(part)
        continue
      }
      let place = places[ObjectIdentifier(dictionary), default: found.count]
      if place == found.count {
        places[ObjectIdentifier(dictionary)] = place
        found.append((Array(repeating: false, count: dictionary.count), dictionary))
      }
      // Taken out, so that the loop writes to an array of its own.
      var isEntry: [Bool] = []
      swap(&isEntry, &found[place].isEntry)
      if try mark(codes, part.validity, &isEntry, interrupt) { hasNull = true }
      swap(&isEntry, &found[place].isEntry)
    }
    return (plain, found.map { (selectTrue($0.isEntry, validity: nil, base: nil), $0.dictionary) })
  }

  /// Marks the entries that valid lanes have; true where a lane has none.
  private func mark(
    _ codes: [UInt32], _ validity: [Bool]?, _ isEntry: inout [Bool], _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> Bool {
    var missing = false
    try interrupt.forEachStretch(of: codes.count) { stretch in
      for lane in stretch {
        let code = Int(codes[lane])
        if code < isEntry.count, validity?[lane] ?? true { isEntry[code] = true } else { missing = true }
      }
    }
    return missing
  }

  private mutating func insert(_ value: Value) {
    switch value {
    case .null: hasNull = true
    case .int64(let number):
      if integers.isEmpty { integers = [NumberInterner()] }
      _ = integers[0].intern(UInt64(bitPattern: number))
    case .float64(let number):
      if number.isNaN { return }
      if doubles.isEmpty { doubles = [NumberInterner()] }
      _ = doubles[0].intern(ValueHash.canonical(number).bitPattern)
    case .bool(let flag): if flag { hasTrue = true } else { hasFalse = true }
    case .bytes(let content):
      if strings.isEmpty { strings = [WideValues(.bytes)] }
      _ = content.withUnsafeBufferPointer { strings[0].intern($0) }
    case .id128(let id):
      if ids.isEmpty { ids = [IdentifierTable()] }
      _ = ids[0].intern(id)
    }
  }

  /// Members other than null.
  var count: Int {
    let numbers = (integers + doubles).reduce(0) { $0 + $1.count }
    let wide = strings.reduce(0) { $0 + $1.count } + ids.reduce(0) { $0 + $1.count }
    return numbers + wide + (hasFalse ? 1 : 0) + (hasTrue ? 1 : 0)
  }

  // MARK: Looking up

  /// Whether each lane's value is a member; of null lanes anything.
  func contains(_ vector: Vector, _ interrupt: Interrupt = .never) throws(ExecutionFailure) -> [Bool] {
    switch vector.lanes {
    case .int64(let values):
      return try Self.look(in: integers.map(\.reader), vector.count, interrupt) { (readers, lane) in
        let bits = UInt64(bitPattern: values[lane])
        return readers[Self.table(ValueHash.mix(bits), readers.count)].contains(bits)
      }
    case .float64(let values):
      return try Self.look(in: doubles.map(\.reader), vector.count, interrupt) { (readers, lane) in
        let bits = ValueHash.canonical(values[lane]).bitPattern
        return readers[Self.table(ValueHash.mix(bits), readers.count)].contains(bits)
      }
    case .bool(let values): return mapLanes(values) { $0 ? hasTrue : hasFalse }
    case .id128(let values):
      return try Self.look(in: ids.map(\.reader), vector.count, interrupt) { (readers, lane) in
        let hash = ValueHash.hash(values[lane])
        return readers[Self.table(hash, readers.count)].find(values[lane], hash) != IdentifierTable.none
      }
    case .codes(_, let dictionary) where dictionary.physicalType != .bytes:
      return try contains(vector.plain, interrupt)
    case .codes, .bytes:
      return try vector.withBytes { (view) throws(ExecutionFailure) in
        try Self.look(in: strings.map(\.reader), vector.count, interrupt) { (readers, lane) in
          let bytes = view[lane]
          let hash = ValueHash.hash(bytes)
          return readers[Self.table(hash, readers.count)].contains(bytes, hash)
        }
      }
    }
  }

  @inline(__always)
  private static func look<Reader>(
    in readers: [Reader], _ count: Int, _ interrupt: Interrupt, _ isMember: (UnsafeBufferPointer<Reader>, Int) -> Bool
  ) throws(ExecutionFailure) -> [Bool] {
    guard !readers.isEmpty else { return Array(repeating: false, count: count) }
    return try readers.withUnsafeBufferPointer { (readers) throws(ExecutionFailure) in
      try interrupt.makeLanes(count) { isMember(readers, $0) }
    }
  }

  /// What membership is for each entry of a dictionary and, last, for null; `nil` when the members don't come from it.
  func flags(of dictionary: ValueDictionary) -> Vector? {
    guard let coded, coded.dictionary === dictionary else { return nil }
    var flags = Array(repeating: false, count: dictionary.count + 1)
    for entry in coded.entries { flags[Int(entry)] = true }
    if isVoid { return Vector(.bool(flags)) }
    var known = hasNull ? flags : Array(repeating: true, count: flags.count)
    known[dictionary.count] = false
    return Vector(.bool(flags), validity: known)
  }

  /// The members other than null; `nil` when they are more than `limit`.
  func values(atMost limit: Int) -> [Value]? {
    guard count <= limit else { return nil }
    var values: [Value] = []
    for table in integers {
      for entry in 0..<table.count { values.append(.int64(Int64(bitPattern: table.values[entry]))) }
    }
    for table in doubles {
      for entry in 0..<table.count { values.append(.float64(Double(bitPattern: table.values[entry]))) }
    }
    if hasFalse { values.append(.bool(false)) }
    if hasTrue { values.append(.bool(true)) }
    for table in strings {
      let entries = Vector(table.lanes(makeLanes(table.count) { UInt32(truncatingIfNeeded: $0) }))
      values += (0..<table.count).map { entries.value($0) }
    }
    return values + ids.flatMap(\.keys).map { .id128($0) }
  }

  /// The table, of so many (a power of two, at most 256), of a hash.
  @inline(__always)
  static func table(_ hash: UInt64, _ count: Int) -> Int { Int(truncatingIfNeeded: hash &>> 56) & (count &- 1) }
}
