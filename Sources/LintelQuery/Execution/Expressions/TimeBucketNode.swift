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
    // XOR with the sign makes bits that order as the numbers do, and with all ones besides the other way round.
    let least = ScanKernels.least(times, validity, flip: 1 << 63)
    let greatest = ~ScanKernels.least(times, validity, flip: ~(1 << 63))
    guard least <= greatest, greatest &- least < 1 << 51, width < 1 << 51 else { return nil }
    let (base, overflow) = Arithmetic.bucket(Int64(bitPattern: least ^ 1 << 63), width)
    guard !overflow else { return nil }
    let limit = Int64(bitPattern: greatest ^ 1 << 63)
    if limit &- base < width { return Array(repeating: base, count: times.count) }
    return ScanKernels.timeBuckets(times, base: base, limit: limit, width: width)
  }
}
