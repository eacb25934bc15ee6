import LintelColumns

/// Pairs of group and value number, each once, with how often they occurred.
struct PairCounts {
  let values: ValueInterner
  let pairs = NumberInterner()
  private(set) var counts: [Int64] = []

  init(_ type: PhysicalType) { values = ValueInterner(type) }

  var byteCount: Int { values.byteCount + pairs.byteCount + counts.count * 8 }

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
      if repeats > 0 { add(last, repeats) }
      last = pair
      repeats = 1
    }
    if repeats > 0 { add(last, repeats) }
  }

  @inline(__always)
  private mutating func add(_ pair: UInt64, _ count: Int64) {
    let number = Int(pairs.intern(pair))
    if number == counts.count { counts.append(0) }
    counts[number] &+= count
  }

  mutating func merge(_ other: PairCounts, mapping: [UInt32]) {
    let valueMapping = values.merge(other.values)
    for number in 0..<other.pairs.count {
      let pair = other.pairs.values[number]
      let group = mapping[Int(pair >> 32)]
      add(UInt64(group) << 32 | UInt64(valueMapping[Int(pair & 0xFFFF_FFFF)]), other.counts[number])
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
    for number in 0..<pairs.pairs.count { counts[Int(pairs.pairs.values[number] >> 32)] += 1 }
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
      let pair = pairs.pairs.values[number]
      byGroup[Int(pair >> 32)].append((UInt32(truncatingIfNeeded: pair), pairs.counts[number]))
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
