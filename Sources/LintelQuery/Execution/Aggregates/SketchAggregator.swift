import LintelColumns

/// approx_count_distinct: HyperLogLog registers per group.
///
/// A group starts as a set of (register, rank) entries in one hash table for all groups, and gets registers of its own when
/// it has many: thousands of small groups cost no more than their values. The estimate depends on the registers alone.
final class SketchAggregator: Aggregator {
  /// Entries after which a group gets registers: as many bytes as those take.
  private static let denseEntries: UInt32 = 1024

  /// Numbers group << 32 | entry.
  private let sparse: NumberInterner
  private let sparseCounts = StateBuffer<UInt32>(0)
  private let registers = StateBuffer<UnsafeMutablePointer<UInt8>?>(nil)
  private var denseCount = 0
  private var dictionary: ValueDictionary?
  private var dictionaryEntries: [UInt32] = []

  override init(_ interrupt: Interrupt = .never) {
    sparse = NumberInterner(interrupt)
    super.init(interrupt)
  }

  deinit { for group in 0..<registers.count { registers[group]?.deallocate() } }

  override var usesRuns: Bool { true }

  override func grow(_ groups: Int) {
    sparseCounts.grow(groups)
    registers.grow(groups)
  }

  override var byteCount: Int {
    sparse.byteCount + denseCount * HyperLogLog.registerCount + registers.count * 12 + dictionaryEntries.count * 4
  }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard var operand = operands.first else { return }
    if let runs = rows.runs {
      // Of neighbours of one group and one value the first tells all.
      let heads = runs.heads(with: operand)
      operand = operand.gather(heads.lanes)
      let entries = entries(operand)
      heads.groups.withUnsafeBufferPointer { groups in
        put(entries, operand.validity) { UInt64(groups[$0]) << 32 }
      }
      return
    }
    let entries = entries(operand)
    if let groups = rows.groups {
      groups.withUnsafeBufferPointer { groups in
        put(entries, operand.validity) { UInt64(groups[$0]) << 32 }
      }
    } else {
      put(entries, operand.validity) { _ in 0 }
    }
  }

  /// Takes in the valid entries; repeats of the lane before are skipped.
  @inline(__always)
  private func put(_ entries: [UInt32], _ validity: [Bool]?, _ group: (Int) -> UInt64) {
    let registers = registers.pointer
    var last: UInt64 = .max
    entries.withUnsafeBufferPointer { entries in
      for lane in 0..<entries.count {
        let pair = group(lane) | UInt64(entries[lane])
        if pair == last || !(validity?[lane] ?? true) { continue }
        last = pair
        if let registers = registers[Int(pair >> 32)] {
          HyperLogLog.put(entries[lane], registers)
        } else {
          put(pair)
        }
      }
    }
  }

  @inline(__always)
  private func put(_ pair: UInt64) {
    let group = Int(pair >> 32)
    if let registers = registers[group] {
      HyperLogLog.put(UInt32(truncatingIfNeeded: pair), registers)
      return
    }
    let before = sparse.count
    _ = sparse.intern(pair)
    guard sparse.count > before else { return }
    sparseCounts[group] &+= 1
    if sparseCounts[group] >= Self.denseEntries { makeDense(group) }
  }

  /// Gives a group registers. Its entries so far stay in the table and are folded in at the end.
  private func makeDense(_ group: Int) {
    let made = UnsafeMutablePointer<UInt8>.allocate(capacity: HyperLogLog.registerCount)
    made.initialize(repeating: 0, count: HyperLogLog.registerCount)
    registers[group] = made
    denseCount += 1
  }

  /// Register and rank of every lane; behind codes once per dictionary.
  private func entries(_ vector: Vector) -> [UInt32] {
    switch vector.lanes {
    case .int64(let values): return mapLanes(values) { HyperLogLog.entry(ValueHash.hash($0)) }
    case .float64(let values): return mapLanes(values) { HyperLogLog.entry(ValueHash.hash($0)) }
    case .bool(let values): return mapLanes(values) { HyperLogLog.entry(ValueHash.hash($0 ? 1 : Int64(0))) }
    case .id128(let values): return mapLanes(values) { HyperLogLog.entry(ValueHash.hash($0)) }
    case .bytes:
      return vector.withBytes { view in
        makeLanes(vector.count) { HyperLogLog.entry(ValueHash.hash(view[$0])) }
      }
    case .codes(let codes, let source):
      if source.count > codes.count * 64 { return entries(vector.plain) }
      if source !== dictionary {
        dictionary = source
        dictionaryEntries = entries(Vector(source)) + [0]
      }
      let last = UInt32(truncatingIfNeeded: dictionaryEntries.count - 1)
      return Vector.gather(dictionaryEntries, Vector.clamp(codes, validity: nil, last: last))
    }
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? SketchAggregator else { return }
    for group in 0..<other.registers.count {
      if group & 0xFFF == 0 { try interrupt.check() }
      guard let theirs = other.registers[group] else { continue }
      let target = Int(mapping[group])
      if registers[target] == nil { makeDense(target) }
      guard let ours = registers[target] else { continue }
      for register in 0..<HyperLogLog.registerCount { ours[register] = max(ours[register], theirs[register]) }
    }
    for number in 0..<other.sparse.count {
      try interrupt.check(atStep: number)
      let pair = other.sparse.values[number]
      put(UInt64(mapping[Int(pair >> 32)]) << 32 | pair & 0xFFFF_FFFF)
    }
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    let (entries, starts) = try entriesByGroup(groups)
    let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: HyperLogLog.registerCount)
    scratch.initialize(repeating: 0, count: HyperLogLog.registerCount)
    defer { scratch.deallocate() }
    var estimates: [Int64] = []
    estimates.reserveCapacity(groups)
    for group in 0..<groups {
      if group & 0xFF == 0 { try interrupt.check() }
      let own = entries[starts[group]..<starts[group + 1]]
      if let registers = registers[group] {
        for entry in own { HyperLogLog.put(entry, registers) }
        estimates.append(HyperLogLog.estimate(registers))
      } else {
        estimates.append(HyperLogLog.estimate(entries: own, scratch: scratch))
      }
    }
    return Vector(.int64(estimates))
  }

  private func entriesByGroup(_ groups: Int) throws(ExecutionFailure) -> (entries: [UInt32], starts: [Int]) {
    let (numbers, starts) = try interrupt.byGroup(sparse.count, groups: groups) {
      UInt32(truncatingIfNeeded: sparse.values[$0] >> 32)
    }
    return (try interrupt.mapLanes(numbers) { UInt32(truncatingIfNeeded: sparse.values[Int($0)]) }, starts)
  }

  // MARK: Putting entries aside

  private var sealed: (entries: [UInt32], starts: [Int])?

  override var stateTypes: [PhysicalType] { [.int64, .int64] }

  override func seal(_ groups: Int) throws(ExecutionFailure) { sealed = try entriesByGroup(groups) }

  override func states(of groups: [UInt32]) -> StateRows {
    guard let sealed else { return .none }
    var owners: [Int64] = []
    var entries: [Int64] = []
    for (number, group) in groups.enumerated() {
      for entry in sealed.entries[sealed.starts[Int(group)]..<sealed.starts[Int(group) + 1]] {
        entries.append(Int64(entry))
      }
      if let registers = registers[Int(group)] {
        for register in 0..<HyperLogLog.registerCount where registers[register] > 0 {
          entries.append(Int64(register << 8 | Int(registers[register])))
        }
      }
      owners.append(contentsOf: repeatElement(Int64(number), count: entries.count - owners.count))
    }
    return StateRows(owners: owners, [Vector(.int64(entries))])
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard let owners = rows.owners(below: groups), let entries = rows.integers(1),
      entries.allSatisfy({
        $0 >= 0 && $0 < Int64(HyperLogLog.registerCount << 8) && $0 & 0xFF <= HyperLogLog.greatestRank
      })
    else { return false }
    grow(groups)
    for row in owners.indices { put(UInt64(owners[row]) << 32 | UInt64(entries[row])) }
    return true
  }
}

extension HyperLogLog {
  @inline(__always)
  static func put(_ entry: UInt32, _ registers: UnsafeMutablePointer<UInt8>) {
    let register = Int(entry >> 8)
    registers[register] = max(registers[register], UInt8(truncatingIfNeeded: entry))
  }

  static func estimate(_ registers: UnsafeMutablePointer<UInt8>) -> Int64 {
    var histogram = emptyHistogram
    for register in 0..<registerCount { histogram[Int(registers[register])] += 1 }
    return estimate(histogram: histogram)
  }

  /// The estimate of a group of few entries. `scratch` holds registers that are zero, and are so again afterwards.
  static func estimate(entries: ArraySlice<UInt32>, scratch: UnsafeMutablePointer<UInt8>) -> Int64 {
    if entries.isEmpty { return 0 }
    for entry in entries { put(entry, scratch) }
    var histogram = emptyHistogram
    var used = 0
    for entry in entries {
      let rank = scratch[Int(entry >> 8)]
      guard rank > 0 else { continue }
      histogram[Int(rank)] += 1
      used += 1
      scratch[Int(entry >> 8)] = 0
    }
    histogram[0] = registerCount - used
    return estimate(histogram: histogram)
  }
}
