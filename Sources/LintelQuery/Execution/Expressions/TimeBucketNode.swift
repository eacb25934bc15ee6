import LintelColumns

/// `time_bucket` with a constant width: divides by multiplying, in doubles, relative to the block's least time.
final class TimeBucketNode: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode
  private let width: Int64

  init?(_ operand: EvaluationNode, width: Value) {
    guard case .int64(let width) = width, width > 0 else { return nil }
    self.operand = operand
    self.width = width
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try operand.evaluate(context)
    guard case .int64(let times) = vector.lanes else { return .nulls(.int64, count: context.count) }
    if let lanes = nearLanes(times, vector.validity) { return Vector(.int64(lanes), validity: vector.validity) }
    return try Arithmetic.timeBucket(width: .constant(.int64(width), .int64, count: times.count), vector)
  }

  /// The starts where all valid times lie within 2^52 ns of each other, so that doubles count them exactly.
  private func nearLanes(_ times: [Int64], _ validity: [Bool]?) -> [Int64]? {
    var least = Int64.max
    var greatest = Int64.min
    if let validity {
      for (time, valid) in zip(times, validity) where valid {
        least = min(least, time)
        greatest = max(greatest, time)
      }
    } else {
      for time in times {
        least = min(least, time)
        greatest = max(greatest, time)
      }
    }
    guard least <= greatest, greatest.subtractingReportingOverflow(least).overflow == false,
      greatest &- least < 1 << 51, width < 1 << 51
    else { return nil }
    let (base, overflow) = Arithmetic.bucket(least, width)
    guard !overflow else { return nil }
    let (width, limit) = (width, greatest)
    let inverse = 1 / Double(width)
    return mapLanes(times) { time in
      // Lanes of nulls hold anything: kept in range.
      let offset = max(min(time, limit), base) &- base
      var quotient = Int64(Double(offset) * inverse)
      // The product may be off by one either way.
      let rest = offset &- quotient &* width
      quotient &+= rest >= width ? 1 : rest < 0 ? -1 : 0
      return base &+ quotient &* width
    }
  }
}
