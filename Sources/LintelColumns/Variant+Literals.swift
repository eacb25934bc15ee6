extension Variant: ExpressibleByStringLiteral, ExpressibleByStringInterpolation {
  public init(stringLiteral value: String) { self = .string(value) }
}

extension Variant: ExpressibleByIntegerLiteral {
  public init(integerLiteral value: Int64) { self = .int(value) }
}

extension Variant: ExpressibleByFloatLiteral {
  public init(floatLiteral value: Double) { self = .double(value) }
}

extension Variant: ExpressibleByBooleanLiteral {
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension Variant: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Variant...) { self = .array(elements) }
}

extension Variant: ExpressibleByDictionaryLiteral {
  public init(dictionaryLiteral elements: (String, Variant)...) { self = .map(elements.map { Entry($0, $1) }) }
}
