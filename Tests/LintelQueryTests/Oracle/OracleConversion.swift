import LintelColumns

@testable import LintelQuery

enum OracleConversion {
  static func convert(_ function: ScalarFunction, _ value: Value, _ type: ColumnType) -> Value {
    if function == .toVariant { return OracleVariant.encoded(value, type) }
    if type == .variant || type == .map {
      guard case .bytes(let bytes) = value, let variant = try? Variant(decoding: bytes) else { return .null }
      switch variant {
      case .int(let number): return convert(function, .int64(number), .int64)
      case .double(let number): return convert(function, .float64(number), .float64)
      case .bool(let flag): return convert(function, .bool(flag), .bool)
      case .string(let text): return convert(function, .bytes(Array(text.utf8)), .string)
      case .empty: return .null
      case .bytes(let bytes):
        let text = String(validating: bytes, as: UTF8.self) ?? String(variant.json().dropFirst().dropLast())
        return function == .toText ? .bytes(Array(text.utf8)) : .null
      default: return function == .toText ? .bytes(Array(variant.json().utf8)) : .null
      }
    }
    switch function {
    case .toText: return TextFormats.text(value, type).map { .bytes(Array($0.utf8)) } ?? .null
    case .toFloat64: return toDouble(value)
    case .toBool: return toBool(value)
    default: return toInteger(function, value)
    }
  }

  private static func toInteger(_ function: ScalarFunction, _ value: Value) -> Value {
    switch value {
    case .int64: return value
    case .float64(let number): return Int64(exactly: number.rounded(.towardZero)).map(Value.int64) ?? .null
    case .bool(let flag): return .int64(flag ? 1 : 0)
    case .bytes(let bytes):
      let text = String(decoding: bytes, as: UTF8.self)
      let number =
        switch function {
        case .toTimestamp: TextFormats.timestamp(text)
        case .toDuration: TextFormats.duration(text)
        case .toMoney: TextFormats.money(text)
        default: Int64(text)
        }
      return number.map(Value.int64) ?? .null
    default: return .null
    }
  }

  private static func toDouble(_ value: Value) -> Value {
    switch value {
    case .int64(let number): .float64(Double(number))
    case .float64: value
    case .bool(let flag): .float64(flag ? 1 : 0)
    case .bytes(let bytes): Double(String(decoding: bytes, as: UTF8.self)).map(Value.float64) ?? .null
    default: .null
    }
  }

  private static func toBool(_ value: Value) -> Value {
    switch value {
    case .int64(let number): return .bool(number != 0)
    case .float64(let number): return .bool(!(number == 0))
    case .bool: return value
    case .bytes(let bytes):
      switch String(decoding: bytes, as: UTF8.self) {
      case "true": return .bool(true)
      case "false": return .bool(false)
      default: return .null
      }
    default: return .null
    }
  }
}

enum OracleVariant {
  static func encoded(_ value: Value, _ type: ColumnType) -> Value {
    if type == .variant || type == .map { return value }
    let variant: Variant
    switch (value, type) {
    case (.null, _): return .null
    case (.int64, .enumeration), (.int64, .id8), (.id128, _):
      variant = .string(TextFormats.text(value, type) ?? "")
    case (.int64(let number), _): variant = .int(number)
    case (.float64(let number), _): variant = .double(number)
    case (.bool(let flag), _): variant = .bool(flag)
    case (.bytes(let bytes), .bytes): variant = .bytes(bytes)
    case (.bytes(let bytes), _): variant = .string(String(decoding: bytes, as: UTF8.self))
    }
    return encoded(variant)
  }

  static func encoded(_ variant: Variant) -> Value {
    var bytes: [UInt8] = []
    variant.encode(into: &bytes)
    return .bytes(bytes)
  }

  /// A tree by one value after the other: each goes down its path and is put where the path ends.
  static func unflatten(_ values: [Value]) -> Value {
    final class Level {
      var own: Variant?
      var below: [String: Level] = [:]

      var variant: Variant {
        if below.isEmpty { return own ?? .empty }
        let numbers = below.keys.compactMap { name in Int(name).flatMap { String($0) == name && $0 >= 0 ? $0 : nil } }
        if own == nil, numbers.count == below.count {
          return .array(numbers.sorted().compactMap { below[String($0)]?.variant })
        }
        let others = below.keys.filter { name in !numbers.contains { String($0) == name } }
        let names = numbers.sorted().map { String($0) } + others.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return .map(
          (own.map { [.init("", $0)] } ?? []) + names.compactMap { name in below[name].map { .init(name, $0.variant) } }
        )
      }
    }
    let root = Level()
    var isEmpty = true
    for place in stride(from: 1, to: values.count, by: 2) {
      guard case .bytes(let name) = values[place], case .bytes(let bytes) = values[place + 1],
        let value = try? Variant(decoding: bytes)
      else { continue }
      isEmpty = false
      var level = root
      for component in String(decoding: name, as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false) {
        let next = level.below[String(component)] ?? Level()
        level.below[String(component)] = next
        level = next
      }
      level.own = value
    }
    return isEmpty ? .null : encoded(root.variant)
  }

  static func value(_ function: ScalarFunction, _ values: [Value]) -> Value {
    if function == .textArray {
      return encoded(
        .array(
          values.map { value in
            guard case .bytes(let bytes) = value else { return .empty }
            return .string(String(decoding: bytes, as: UTF8.self))
          }))
    }
    if function == .digestArray {
      guard case .bytes(let bytes) = values[0] else { return .null }
      let digests = stride(from: 0, to: bytes.count - bytes.count % 16, by: 16).map { start in
        bytes[start..<start + 16].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      }
      return encoded(.array(digests.map { .string($0) }))
    }
    guard case .bytes(let bytes) = values[0], let variant = try? Variant(decoding: bytes) else { return .null }
    switch (function, variant) {
    case (.variantText, .string(let text)): return .bytes(Array(text.utf8))
    case (.variantBool, .bool(let flag)): return .bool(flag)
    case (.variantNumber, .int(let number)): return .float64(Double(number))
    case (.variantNumber, .double(let number)): return .float64(number)
    case (.element, .map(let entries)):
      guard case .bytes(let key) = values[1] else { return .null }
      return entries.last { Array($0.key.utf8) == key }.map { encoded($0.value) } ?? .null
    case (.element, .array(let items)):
      guard case .int64(let index) = values[1], index >= 0, index < items.count else { return .null }
      return encoded(items[Int(index)])
    default: return .null
    }
  }
}
