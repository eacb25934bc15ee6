import LintelColumns

/// Buckets of equal width.
final class HistogramAggregator: CollectingAggregator {
  private let buckets: Int
  private static let maximumBuckets = 10_000
  /// Counts of all groups up to which values are counted where they lie; of more groups they are put together first.
  private static let tableLimit = 1 << 20

  init(buckets: Int, _ interrupt: Interrupt = .never) {
    self.buckets = min(buckets, Self.maximumBuckets)
    super.init(isDouble: true, interrupt)
  }

  override func update(_ rows: GroupedRows, _ operands: [Vector]) throws(ExecutionFailure) {
    guard let operand = operands.first else { return }
    let doubles = Arithmetic.doubles(operand)
    var validity = operand.validity
    if case .float64 = operand.lanes {
      let finite = mapLanes(doubles) { $0.isFinite }
      if finite.contains(false) { validity = bothValid(validity, finite) }
    }
    try super.update(rows, [Vector(.float64(doubles), validity: validity)])
  }

  override func restore(_ rows: StateRows, groups: Int) -> Bool {
    guard let bits = rows.integers(1), bits.allSatisfy({ double(UInt64(bitPattern: $0)).isFinite }) else {
      return false
    }
    return super.restore(rows, groups: groups)
  }

  override func finish(_ groups: Int, _ call: AggregateCall) throws(ExecutionFailure) -> Vector {
    if groups <= Self.tableLimit / buckets { return try countedInPlace(groups) }
    let all = try collected(groups)
    let (values, starts) = (all.values, all.starts)
    var builder = BytesBuilder(capacity: groups)
    for group in 0..<groups {
      let range = starts[group]..<starts[group + 1]
      let members = try interrupt.makeLanes(range.count) { double(values[range.lowerBound &+ $0]) }
      if members.isEmpty {
        builder.appendNull()
      } else {
        builder.append(try Histogram.encode(members, buckets: buckets, interrupt))
      }
    }
    return builder.finish()
  }

  private func countedInPlace(_ groups: Int) throws(ExecutionFailure) -> Vector {
    let all = ungrouped
    let (values, owners) = (all.values.pointer, all.groups.pointer)
    // The bits are in the order of the values.
    let (low, high) = (StateBuffer<UInt64>(.max), StateBuffer<UInt64>(0))
    low.grow(groups)
    high.grow(groups)
    let (lows, highs) = (low.pointer, high.pointer)
    try interrupt.forEachStretch(of: all.values.count) { stretch in
      for index in stretch {
        let (group, bits) = (Int(owners[index]), values[index])
        lows[group] = min(lows[group], bits)
        highs[group] = max(highs[group], bits)
      }
    }
    let scales = (0..<groups).map { group in
      lows[group] <= highs[group]
        ? Histogram.Scale(low: double(lows[group]), high: double(highs[group]), buckets: buckets) : nil
    }
    let counts = StateBuffer<Int64>(0)
    counts.grow(groups * buckets)
    let (table, width) = (counts.pointer, buckets)
    try interrupt.forEachStretch(of: all.values.count) { stretch in
      scales.withUnsafeBufferPointer { scales in
        for index in stretch {
          let group = Int(owners[index])
          guard let scale = scales[group] else { continue }
          table[group &* width &+ scale.bucket(double(values[index]))] &+= 1
        }
      }
    }
    var builder = BytesBuilder(capacity: groups)
    for (group, scale) in scales.enumerated() {
      try interrupt.check(atStep: group)
      if let scale {
        builder.append(scale.encode(UnsafeBufferPointer(start: table + group * width, count: scale.count)))
      } else {
        builder.appendNull()
      }
    }
    // The loops hold bare pointers.
    return withExtendedLifetime((low, high, counts)) { builder.finish() }
  }
}

enum Histogram {
  /// Where buckets lie.
  struct Scale {
    private let low: Double
    private let width: Double
    /// Buckets that there are.
    let count: Int

    /// Of finite values whose least and greatest these are.
    init(low: Double, high: Double, buckets: Int) {
      self.low = low
      // Divided before subtracting: the difference of two finite values may be infinite.
      width = high / Double(buckets) - low / Double(buckets)
      count = low == high || width <= 0 ? 1 : buckets
    }

    @inline(__always)
    func bucket(_ value: Double) -> Int {
      let place = count == 1 ? 0 : (value - low) / width
      return place >= Double(count - 1) ? count - 1 : Int(place)
    }

    /// The variant array of `[lower bound, count]`.
    func encode(_ counts: UnsafeBufferPointer<Int64>) -> [UInt8] {
      var out: [UInt8] = [7]
      EncodedVariant.appendVarint(UInt64(count), to: &out)
      for (bucket, number) in counts.enumerated() {
        out += [7, 2]
        EncodedVariant.appendDouble(bucket == 0 ? low : low + width * Double(bucket), to: &out)
        EncodedVariant.appendInt(number, to: &out)
      }
      return out
    }
  }

  /// The variant array of `[lower bound, count]` of finite values.
  static func encode(
    _ values: [Double], buckets: Int, _ interrupt: Interrupt = .never
  ) throws(ExecutionFailure) -> [UInt8] {
    var low = values.first ?? 0
    var high = low
    try interrupt.forEachStretch(of: values.count) { stretch in
      for index in stretch {
        low = min(low, values[index])
        high = max(high, values[index])
      }
    }
    let scale = Scale(low: low, high: high, buckets: buckets)
    var counts = Array(repeating: Int64(0), count: scale.count)
    try interrupt.forEachStretch(of: values.count) { stretch in
      for index in stretch { counts[scale.bucket(values[index])] += 1 }
    }
    return counts.withUnsafeBufferPointer(scale.encode)
  }
}
