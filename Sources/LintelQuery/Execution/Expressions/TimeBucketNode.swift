import LintelColumns

/// `time_bucket` with a constant width. Neighbours mostly share a bucket: they take one comparison, the others a division.
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
    let width = width
    let span = UInt64(bitPattern: width)
    var start: Int64 = 0
    var overflows = false
    let lanes = mapLanes(times) { time in
      if UInt64(bitPattern: time &- start) >= span {
        let (bucket, overflow) = Arithmetic.bucket(time, width)
        start = bucket
        overflows = overflows || overflow
      }
      return start
    }
    if overflows {
      for lane in times.indices where vector.isValid(lane) && Arithmetic.bucket(times[lane], width).overflow {
        throw .overflow("time_bucket of \(times[lane])")
      }
    }
    return Vector(.int64(lanes), validity: vector.validity)
  }
}
