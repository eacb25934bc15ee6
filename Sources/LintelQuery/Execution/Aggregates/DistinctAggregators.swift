import LintelColumns

/// Numbers group << 32 | value, each once, with how often they occurred.
struct CountedPairs {
  private let pairs = NumberInterner()
  private var counts: [Int64] = []

  var count: Int { counts.count }
  var byteCount: Int { pairs.byteCount + counts.capacity * 8 }

  subscript(number: Int) -> (pair: UInt64, count: Int64) { (pairs.values[number], counts[number]) }

  /// True when the pair is new.
  @inline(__always)
  mutating func add(_ pair: UInt64, _ count: Int64) -> Bool {
    let number = Int(pairs.intern(pair))
    let isNew = number == counts.count
    if isNew { counts.append(0) }
    counts[number] &+= count
    return isNew
  }

  /// Numbers of the pairs of group `g`, at `starts[g] ..< starts[g + 1]`, in order of appearance.
  func byGroup(_ groups: Int) -> (numbers: [UInt32], starts: [Int]) {
    var starts = Array(repeating: 0, count: groups + 1)
    for number in 0..<count { starts[Int(pairs.values[number] >> 32) + 1] += 1 }
    for group in 0..<groups { starts[group + 1] += starts[group] }
    var next = starts
    var numbers = Array(repeating: UInt32(0), count: count)
    for number in 0..<count {
      let group = Int(pairs.values[number] >> 32)
      numbers[next[group]] = UInt32(truncatingIfNeeded: number)
      next[group] += 1
    }
    return (numbers, starts)
  }
}

/// Pairs of group and value number, each once, with how often they occurred.
struct PairCounts {
  let values: ValueInterner
  private(set) var pairs = CountedPairs()

  init(_ type: PhysicalType) { values = ValueInterner(type) }

  var byteCount: Int { values.byteCount + pairs.byteCount }

  mutating func add(_ rows: GroupedRows, _ operand: Vector) {
    let numbers = values.intern(operand)
    var last: UInt64 = .max
    var repeats: Int64 = 0
    for lane in 0..<rows.count where operand.validity?[lane] ?? true {
      let pair = UInt64(rows.group(lane)) << 32 | UInt64(numbers[lane])
      if pair == last {
        repeats &+= 1
        continue
      }
      if repeats > 0 { _ = pairs.add(last, repeats) }
      last = pair
      repeats = 1
    }
    if repeats > 0 { _ = pairs.add(last, repeats) }
  }

  mutating func merge(_ other: PairCounts, mapping: [UInt32]) {
    let valueMapping = values.merge(other.values)
    for number in 0..<other.pairs.count {
      let (pair, count) = other.pairs[number]
      let group = mapping[Int(pair >> 32)]
      _ = pairs.add(UInt64(group) << 32 | UInt64(valueMapping[Int(pair & 0xFFFF_FFFF)]), count)
    }
  }
}

/// Exact count(DISTINCT x).
final class DistinctAggregator: Aggregator {
  private var pairs: PairCounts

  init(_ type: PhysicalType) { pairs = PairCounts(type) }

  override var byteCount: Int { pairs.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    pairs.add(rows, operand)
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? DistinctAggregator else { return }
    pairs.merge(other.pairs, mapping: mapping)
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    var counts = Array(repeating: Int64(0), count: groups)
    for number in 0..<pairs.pairs.count { counts[Int(pairs.pairs[number].pair >> 32)] += 1 }
    return Vector(.int64(counts))
  }
}

/// The most frequent values.
final class TopValuesAggregator: Aggregator {
  private var pairs: PairCounts
  private let type: ColumnType
  private let limit: Int

  init(_ type: ColumnType, limit: Int) {
    pairs = PairCounts(type.physical)
    self.type = type
    self.limit = limit
  }

  override var byteCount: Int { pairs.byteCount }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    pairs.add(rows, operand)
  }

  override func merge(_ other: Aggregator, mapping: [UInt32]) throws(ExecutionFailure) {
    guard let other = other as? TopValuesAggregator else { return }
    pairs.merge(other.pairs, mapping: mapping)
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    var byGroup = Array(repeating: [(value: UInt32, count: Int64)](), count: groups)
    for number in 0..<pairs.pairs.count {
      let (pair, count) = pairs.pairs[number]
      byGroup[Int(pair >> 32)].append((UInt32(truncatingIfNeeded: pair), count))
    }
    var builder = BytesBuilder(capacity: groups)
    for members in byGroup {
      if members.isEmpty { builder.appendNull() } else { builder.append(encode(members)) }
    }
    return builder.finish()
  }

  private func encode(_ members: [(value: UInt32, count: Int64)]) -> [UInt8] {
    let values = pairs.values.vector(members.map(\.value))
    let column = SortColumn(values, type)
    let keys = members.indices.map { lane -> [UInt8] in
      var key: [UInt8] = []
      column.append(lane, to: &key)
      return key
    }
    let order = members.indices.sorted {
      members[$0].count != members[$1].count
        ? members[$0].count > members[$1].count : keys[$0].lexicographicallyPrecedes(keys[$1])
    }
    let first = order.prefix(limit)
    var out: [UInt8] = [7]
    EncodedVariant.appendVarint(UInt64(first.count), to: &out)
    for lane in first {
      out += [7, 2]
      Convert.appendVariant(values.value(lane), type, to: &out)
      EncodedVariant.appendInt(members[lane].count, to: &out)
    }
    return out
  }
}
