import Glibc
import LintelColumns

/// Arithmetic over vectors; integer overflow on a valid lane is an error.
enum Arithmetic {
  static func binary(_ function: ScalarFunction, _ left: Vector, _ right: Vector) throws(ExecutionFailure) -> Vector {
    let validity = bothValid(left.validity, right.validity)
    if case .int64(let a) = left.lanes, case .int64(let b) = right.lanes {
      switch function {
      case .add: return try checked("+", a, b, validity) { $0.addingReportingOverflow($1) }
      case .subtract: return try checked("-", a, b, validity) { $0.subtractingReportingOverflow($1) }
      case .multiply: return try checked("*", a, b, validity) { $0.multipliedReportingOverflow(by: $1) }
      case .modulo:
        // Division by zero gives null; by -1 nothing remains (and the least integer would overflow).
        let lanes = zipLanes(a, b) { $1 == 0 || $1 == -1 ? 0 : $0 % $1 }
        return Vector(.int64(lanes), validity: bothValid(validity, zeroIsInvalid(b)))
      default: break
      }
    }
    let (a, b) = (doubles(left), doubles(right))
    switch function {
    case .add: return Vector(.float64(zipLanes(a, b) { $0 + $1 }), validity: validity)
    case .subtract: return Vector(.float64(zipLanes(a, b) { $0 - $1 }), validity: validity)
    case .multiply: return Vector(.float64(zipLanes(a, b) { $0 * $1 }), validity: validity)
    case .power: return Vector(.float64(zipLanes(a, b) { pow($0, $1) }), validity: validity)
    case .modulo:
      return Vector(.float64(zipLanes(a, b) { fmod($0, $1) }), validity: bothValid(validity, zeroIsInvalid(b)))
    default: return Vector(.float64(zipLanes(a, b) { $0 / $1 }), validity: bothValid(validity, zeroIsInvalid(b)))
    }
  }

  private static func zeroIsInvalid<T: Equatable & ExpressibleByIntegerLiteral>(_ divisors: [T]) -> [Bool]? {
    divisors.contains(0) ? mapLanes(divisors) { $0 != 0 } : nil
  }

  static func doubles(_ vector: Vector) -> [Double] {
    switch vector.lanes {
    case .float64(let values): values
    case .int64(let values): mapLanes(values) { Double($0) }
    case .bool(let values): mapLanes(values) { $0 ? 1 : 0 }
    default: Array(repeating: .nan, count: vector.count)
    }
  }

  @inline(__always)
  private static func checked(
    _ symbol: String, _ a: [Int64], _ b: [Int64], _ validity: [Bool]?,
    _ body: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
  ) throws(ExecutionFailure) -> Vector {
    var overflows = false
    let lanes = zipLanes(a, b) { x, y in
      let (value, overflow) = body(x, y)
      overflows = overflows || overflow
      return value
    }
    if overflows {
      for lane in lanes.indices where body(a[lane], b[lane]).overflow && (validity?[lane] ?? true) {
        throw .overflow("\(a[lane]) \(symbol) \(b[lane])")
      }
    }
    return Vector(.int64(lanes), validity: validity)
  }

  /// ``ScalarFunction/roundTo``.
  static func round(_ numbers: Vector, places: Vector) throws(ExecutionFailure) -> Vector {
    guard case .int64(let places) = places.lanes, let digits = places.first else { return numbers }
    guard case .int64(let values) = numbers.lanes else {
      let unit = (0..<digits.magnitude).reduce(1.0) { power, _ in power * 10 }
      return Vector(.float64(mapLanes(doubles(numbers)) { round($0, digits, unit) }), validity: numbers.validity)
    }
    guard digits < 0 else { return numbers }
    // Of 10^20 and more no number is half.
    guard digits >= -19 else { return Vector(.int64(mapLanes(values) { _ in 0 }), validity: numbers.validity) }
    let unit = (0..<digits.magnitude).reduce(UInt64(1)) { power, _ in power * 10 }
    var lanes = values
    for (lane, value) in values.enumerated() {
      let rest = value.magnitude % unit
      let (rounded, overflow) =
        (value.magnitude - rest).addingReportingOverflow(rest >= unit - rest ? unit : 0)
      let number = value < 0 ? Int64(exactly: 0 - Int128(rounded)) : Int64(exactly: rounded)
      if let number, !overflow {
        lanes[lane] = number
      } else if numbers.isValid(lane) {
        throw .overflow("round of \(value) to \(unit)")
      }
    }
    return Vector(.int64(lanes), validity: numbers.validity)
  }

  private static func round(_ value: Double, _ digits: Int64, _ unit: Double) -> Double {
    if digits < 0 { return (value / unit).rounded(.toNearestOrAwayFromZero) * unit }
    let scaled = value * unit
    // Past 2^52 there is nothing behind the point.
    guard scaled.isFinite, value.magnitude < 0x1p52 else { return value }
    return scaled.rounded(.toNearestOrAwayFromZero) / unit
  }

  static func unary(_ function: ScalarFunction, _ operand: Vector) throws(ExecutionFailure) -> Vector {
    if case .int64(let values) = operand.lanes {
      switch function {
      case .negate, .abs:
        for (lane, value) in values.enumerated() where value == .min && operand.isValid(lane) {
          throw .overflow("\(function.rawValue) of \(value)")
        }
        let lanes = function == .abs ? mapLanes(values) { $0 < 0 ? 0 &- $0 : $0 } : mapLanes(values) { 0 &- $0 }
        return Vector(.int64(lanes), validity: operand.validity)
      case .floor, .ceil, .round: return operand
      default: break
      }
    }
    return Vector(.float64(unary(function, doubles(operand))), validity: operand.validity)
  }

  /// floor(log2(x)), the bucket of a histogram over powers of two.
  static func floorLog2(_ operand: Vector) -> Vector {
    Vector(.float64(mapLanes(doubles(operand), floorLog2)), validity: operand.validity)
  }

  /// The exponent, except near a power of two, where the logarithm may round to it, and for what is not positive and
  /// normal.
  @inline(__always)
  static func floorLog2(_ value: Double) -> Double {
    let near: UInt64 = 1 << 12
    let (exponent, significand) = (value.bitPattern >> 52, value.bitPattern & (1 << 52 - 1))
    guard exponent &- 1 < 2046, significand == 0 || significand &- near <= 1 << 52 - 2 * near else {
      return Glibc.log2(value).rounded(.down)
    }
    return Double(Int64(truncatingIfNeeded: exponent) &- 1023)
  }

  private static func unary(_ function: ScalarFunction, _ values: [Double]) -> [Double] {
    switch function {
    case .negate: mapLanes(values) { -$0 }
    case .abs: mapLanes(values) { $0.magnitude }
    case .floor: mapLanes(values) { $0.rounded(.down) }
    case .ceil: mapLanes(values) { $0.rounded(.up) }
    case .round: mapLanes(values) { $0.rounded(.toNearestOrAwayFromZero) }
    case .sqrt: mapLanes(values) { $0.squareRoot() }
    case .ln: mapLanes(values) { Glibc.log($0) }
    case .log2: mapLanes(values) { Glibc.log2($0) }
    case .log10: mapLanes(values) { Glibc.log10($0) }
    default: mapLanes(values) { Glibc.exp($0) }
    }
  }

  static func timeBucket(width: Vector, _ times: Vector) throws(ExecutionFailure) -> Vector {
    guard case .int64(let widths) = width.lanes, case .int64(let values) = times.lanes else {
      return .nulls(.int64, count: times.count)
    }
    let validity = bothValid(width.validity, times.validity)
    var overflows = false
    let lanes = zipLanes(widths, values) { width, time in
      let (start, overflow) = bucket(time, width)
      overflows = overflows || overflow
      return start
    }
    if overflows {
      for lane in lanes.indices where bucket(values[lane], widths[lane]).overflow && (validity?[lane] ?? true) {
        throw .overflow("time_bucket of \(values[lane])")
      }
    }
    return Vector(.int64(lanes), validity: validity)
  }

  @inline(__always)
  static func bucket(_ time: Int64, _ width: Int64) -> (start: Int64, overflow: Bool) {
    guard width > 0 else { return (0, false) }
    let remainder = time % width
    let (start, overflow) = time.subtractingReportingOverflow(remainder < 0 ? remainder &+ width : remainder)
    return (start, overflow)
  }
}
