/// What an attribute gives to a column.
struct SlotValue {
  /// A text column's value.
  var text = WireSlice.nothing
  /// An integer column's value.
  var number: Int64 = 0
  /// Which of the candidate's conversions rebuilds the attribute exactly; negative when none does and the attribute stays.
  var conversion = 0

  static func exact(_ text: WireSlice) -> SlotValue { SlotValue(text: text) }
  static func derived(_ text: WireSlice) -> SlotValue { SlotValue(text: text, conversion: -1) }
}

extension KnownKeys {
  /// Reads an attribute's value for a column; `nil` when it has none that the column could take.
  @inline(__always)
  func value(of attribute: ParsedAttribute, _ rule: Rule, in parent: borrowing WireReader) -> SlotValue? {
    if rule.reading == .text {
      return attribute.kind == .string && !attribute.text.isEmpty ? .exact(attribute.text) : nil
    }
    if rule.reading == .count { return Self.count(attribute) }
    return otherValue(of: attribute, rule, in: parent)
  }

  @inline(never)
  private func otherValue(of attribute: ParsedAttribute, _ rule: Rule, in parent: borrowing WireReader) -> SlotValue? {
    switch rule.reading {
    case .seconds: return Self.scaled(attribute, by: 1e9, isNegativeAllowed: false)
    case .milliseconds: return Self.scaled(attribute, by: 1e6, isNegativeAllowed: false)
    case .usd: return Self.scaled(attribute, by: 1e9, isNegativeAllowed: true)
    case .textOrFirst where attribute.kind == .variant: return Self.first(attribute, in: parent)
    default: break
    }
    guard attribute.kind == .string, !attribute.text.isEmpty else { return nil }
    switch rule.reading {
    case .openInferenceKind: return kinds.target(of: attribute.text).map { .exact($0) }
    case .provider: return providers.target(of: attribute.text).map { .derived($0) } ?? .exact(attribute.text)
    case .named:
      return names[Int(attribute.keyNumber)].target(of: attribute.text).map {
        $0.elementsEqual(attribute.text) ? .exact($0) : .derived($0)
      }
    default: return .exact(attribute.text)
    }
  }

  /// Whole numbers in `0 ..< 2^32`: conversion 0 from an integer, 1 from a double.
  private static func count(_ attribute: ParsedAttribute) -> SlotValue? {
    switch attribute.kind {
    case .int:
      guard attribute.bits <= UInt64(UInt32.max) else { return nil }
      return SlotValue(number: Int64(bitPattern: attribute.bits), conversion: 0)
    case .double:
      let value = Double(bitPattern: attribute.bits)
      guard value >= 0, value <= Double(UInt32.max) else { return nil }
      let number = Int64(value)
      // The bits are compared so that -0.0 doesn't pass for 0.
      return Double(number).bitPattern == attribute.bits ? SlotValue(number: number, conversion: 1) : nil
    default: return nil
    }
  }

  /// A decimal unit as a whole number of its `scale`-th parts: exact where dividing gives the same double again.
  static func scaled(_ attribute: ParsedAttribute, by scale: Double, isNegativeAllowed: Bool) -> SlotValue? {
    switch attribute.kind {
    case .double:
      let value = Double(bitPattern: attribute.bits)
      let product = value * scale
      guard product.magnitude < 9e18, value >= 0 || isNegativeAllowed else { return nil }
      let number = Int64(product + (product < 0 ? -0.5 : 0.5))
      let isExact = (Double(number) / scale).bitPattern == attribute.bits
      return SlotValue(number: number, conversion: isExact ? 0 : -1)
    case .int:
      let value = Int64(bitPattern: attribute.bits)
      let (number, overflow) = value.multipliedReportingOverflow(by: Int64(scale))
      guard !overflow, value >= 0 || isNegativeAllowed else { return nil }
      return SlotValue(number: number, conversion: -1)
    default: return nil
    }
  }

  /// The first string of an array: conversion 1 when it is the only item.
  private static func first(_ attribute: ParsedAttribute, in parent: borrowing WireReader) -> SlotValue? {
    // The array was read before, so that none of this can fail.
    var array = WireReader(attribute.text, in: parent)
    guard !array.isAtEnd, (try? array.readTag()) == 0x0a, let slice = try? array.readSlice() else { return nil }
    var item = WireReader(slice, in: parent)
    guard !item.isAtEnd, (try? item.readTag()) == 0x0a, let text = try? item.readSlice() else { return nil }
    guard item.isAtEnd, !text.isEmpty else { return nil }
    return SlotValue(text: text, conversion: array.isAtEnd ? 1 : -1)
  }
}
