import Glibc
import LintelColumns

@testable import LintelQuery

extension Oracle {
  func evaluate(_ expression: Expression, _ place: Place) throws -> Value {
    switch expression {
    case .constant(let value, _): return value
    case .column(let index, _): return place.row[.column(index)] ?? .null
    case .attribute(let read): return attribute(read, place)
    case .groupKey(let index, _): return place.keys[index]
    case .aggregate(let index, _): return place.aggregates[index]
    case .call(let function, let operands, let type): return try call(function, operands, type, place)
    case .caseWhen(let branches, let otherwise, _):
      for branch in branches where try evaluate(branch.condition, place) == .bool(true) {
        return try evaluate(branch.result, place)
      }
      return try evaluate(otherwise, place)
    case .inList(let operand, let values, let hasNull):
      return isMember(try evaluate(operand, place), of: values, hasNull: hasNull)
    case .inSubquery(let operand, let index):
      let value = try evaluate(operand, place)
      if subqueries[index].isEmpty { return .bool(false) }
      let members = subqueries[index].filter { $0 != .null }
      return isMember(value, of: members, hasNull: members.count < subqueries[index].count)
    }
  }

  private func isMember(_ value: Value, of members: [Value], hasNull: Bool) -> Value {
    if value == .null { return .null }
    let found = members.contains { member in
      if case .float64(let a) = value, case .float64(let b) = member { return a == b }
      return value == member
    }
    return found ? .bool(true) : hasNull ? .null : .bool(false)
  }

  private func attribute(_ read: AttributeRead, _ place: Place) -> Value {
    for kind in read.kinds {
      let value = place.row[.attribute(AttributeKey(read.name, kind))] ?? .null
      if value == .null { continue }
      switch (read.type, value) {
      case (.float64, .int64(let number)): return .float64(Double(number))
      case (.variant, _): return OracleVariant.encoded(value, kind.type)
      default: return value
      }
    }
    return .null
  }

  // MARK: Calls

  private func call(
    _ function: ScalarFunction, _ operands: [Expression], _ type: ColumnType, _ place: Place
  ) throws -> Value {
    if function == .coalesce {
      for operand in operands {
        let value = try evaluate(operand, place)
        if value != .null { return value }
      }
      return .null
    }
    let values = try operands.map { try evaluate($0, place) }
    switch function {
    case .and: return values.contains(.bool(false)) ? .bool(false) : values.contains(.null) ? .null : .bool(true)
    case .or: return values.contains(.bool(true)) ? .bool(true) : values.contains(.null) ? .null : .bool(false)
    case .isNull: return .bool(values[0] == .null)
    default: break
    }
    if function == .unflatten { return OracleVariant.unflatten(values) }
    if values.contains(.null) { return .null }
    let types = operands.map(\.type)
    switch function {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
      return OracleComparison.compare(function, values[0], values[1], types[0])
    case .not: return values[0] == .bool(true) ? .bool(false) : .bool(true)
    case .add, .subtract, .multiply, .divide, .modulo, .negate, .abs, .timeBucket, .roundTo:
      return try OracleArithmetic.value(function, values)
    case .floor, .ceil, .round, .sqrt, .ln, .log2, .log10, .exp, .power:
      return OracleArithmetic.real(function, values)
    case .least, .greatest:
      return extreme(values, types[0], least: function == .least)
    case .toInt64, .toFloat64, .toText, .toBool, .toTimestamp, .toDuration, .toMoney, .toVariant:
      return OracleConversion.convert(function, values[0], types[0])
    case .element, .variantText, .variantBool, .variantNumber, .textArray, .digestArray:
      return OracleVariant.value(function, values)
    default: return OracleText.value(function, values)
    }
  }

  private func extreme(_ values: [Value], _ type: ColumnType, least: Bool) -> Value {
    var result = values[0]
    for value in values.dropFirst() {
      let order = OracleOrder.compare(value, result, type)
      if least ? order < 0 : order > 0 { result = value }
    }
    return result
  }
}

enum OracleComparison {
  static func compare(_ function: ScalarFunction, _ left: Value, _ right: Value, _ type: ColumnType) -> Value {
    if type == .variant || type == .map { return variants(function, left, right) }
    if case .float64(let a) = left, case .float64(let b) = right { return .bool(doubles(function, a, b)) }
    return .bool(holds(function, OracleOrder.compare(left, right, type)))
  }

  private static func holds(_ function: ScalarFunction, _ order: Int) -> Bool {
    switch function {
    case .equal: order == 0
    case .notEqual: order != 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    default: order >= 0
    }
  }

  private static func doubles(_ function: ScalarFunction, _ a: Double, _ b: Double) -> Bool {
    switch function {
    case .equal: a == b
    case .notEqual: a != b
    case .less: a < b
    case .lessOrEqual: a <= b
    case .greater: a > b
    default: a >= b
    }
  }

  private static func variants(_ function: ScalarFunction, _ left: Value, _ right: Value) -> Value {
    guard case .bytes(let a) = left, case .bytes(let b) = right, let x = try? Variant(decoding: a),
      let y = try? Variant(decoding: b)
    else { return .null }
    switch (x, y) {
    case (.int(let i), .int(let j)): return .bool(holds(function, OracleOrder.three(i, j)))
    case (.int(let i), .double(let d)): return .bool(doubles(function, Double(i), d))
    case (.double(let d), .int(let i)): return .bool(doubles(function, d, Double(i)))
    case (.double(let c), .double(let d)): return .bool(doubles(function, c, d))
    case (.string(let s), .string(let t)):
      return .bool(holds(function, OracleOrder.compare(Array(s.utf8), Array(t.utf8))))
    case (.bytes(let s), .bytes(let t)): return .bool(holds(function, OracleOrder.compare(s, t)))
    case (.bool(let s), .bool(let t)): return .bool(holds(function, OracleOrder.three(s ? 1 : 0, t ? 1 : 0)))
    case (.empty, .empty), (.array, .array), (.map, .map):
      switch function {
      case .equal: return .bool(a == b)
      case .notEqual: return .bool(a != b)
      default: return .null
      }
    default: return .null
    }
  }
}

enum OracleArithmetic {
  static func value(_ function: ScalarFunction, _ values: [Value]) throws -> Value {
    switch (function, values[0], values.count > 1 ? values[1] : .null) {
    case (.timeBucket, .int64(let width), .int64(let time)):
      let (quotient, rest) = Int128(time).quotientAndRemainder(dividingBy: Int128(width))
      return .int64(try exact((rest < 0 ? quotient - 1 : quotient) * Int128(width)))
    case (.negate, .int64(let a), _): return .int64(try exact(-Int128(a)))
    case (.abs, .int64(let a), _): return .int64(try exact(Int128(a).magnitude))
    case (.add, .int64(let a), .int64(let b)): return .int64(try exact(Int128(a) + Int128(b)))
    case (.subtract, .int64(let a), .int64(let b)): return .int64(try exact(Int128(a) - Int128(b)))
    case (.multiply, .int64(let a), .int64(let b)): return .int64(try exact(Int128(a) * Int128(b)))
    case (.modulo, .int64(let a), .int64(let b)): return b == 0 ? .null : .int64(Int64(Int128(a) % Int128(b)))
    case (.roundTo, .int64(let a), .int64(let places)):
      // Halves away from zero, by going through how far it is to both neighbours.
      let unit = (0..<max(0, -places)).reduce(Int128(1)) { power, _ in power * 10 }
      let down = Int128(a) / unit * unit
      let neighbour = a < 0 ? down - unit : down + unit
      return .int64(try exact((Int128(a) - down).magnitude * 2 >= unit.magnitude ? neighbour : down))
    case (.roundTo, .float64(let a), .int64(let places)):
      let unit = Glibc.pow(10, Double(places.magnitude))
      if places < 0 { return .float64(Glibc.round(a / unit) * unit) }
      return .float64(fabs(a) >= 0x1p52 || !(a * unit).isFinite ? a : Glibc.round(a * unit) / unit)
    case (.negate, .float64(let a), _): return .float64(-a)
    case (.abs, .float64(let a), _): return .float64(fabs(a))
    case (.add, .float64(let a), .float64(let b)): return .float64(a + b)
    case (.subtract, .float64(let a), .float64(let b)): return .float64(a - b)
    case (.multiply, .float64(let a), .float64(let b)): return .float64(a * b)
    case (.divide, .float64(let a), .float64(let b)): return b == 0 ? .null : .float64(a / b)
    case (.modulo, .float64(let a), .float64(let b)): return b == 0 ? .null : .float64(fmod(a, b))
    default: return .null
    }
  }

  private static func exact(_ value: some BinaryInteger) throws -> Int64 {
    guard let result = Int64(exactly: value) else { throw Oracle.Overflow() }
    return result
  }

  static func real(_ function: ScalarFunction, _ values: [Value]) -> Value {
    guard case .float64(let x) = values[0] else { return .null }
    switch function {
    case .floor: return .float64(Glibc.floor(x))
    case .ceil: return .float64(Glibc.ceil(x))
    case .round: return .float64(Glibc.round(x))
    case .sqrt: return .float64(Glibc.sqrt(x))
    case .ln: return .float64(Glibc.log(x))
    case .log2: return .float64(Glibc.log2(x))
    case .log10: return .float64(Glibc.log10(x))
    case .exp: return .float64(Glibc.exp(x))
    default:
      guard case .float64(let y) = values[1] else { return .null }
      return .float64(Glibc.pow(x, y))
    }
  }
}
