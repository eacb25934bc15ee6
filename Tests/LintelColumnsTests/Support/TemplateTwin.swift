@testable import LintelColumns

/// Takes strings apart and puts them together character by character.
enum TemplateTwin {
  /// The numbers of a string of the template; `nil` of any other.
  static func parse(_ string: String, _ template: StringTemplate) -> [UInt64]? {
    var rest = Substring(string)
    var numbers: [UInt64] = []
    for piece in template.pieces {
      var digits: Int
      var alphabet = "0123456789"
      var isFixed = true
      switch piece {
      case .literal(let bytes):
        let literal = String(decoding: bytes, as: UTF8.self)
        guard rest.hasPrefix(literal) else { return nil }
        rest = rest.dropFirst(literal.count)
        continue
      case .hex(let count, let isUpper):
        digits = count
        alphabet += isUpper ? "ABCDEF" : "abcdef"
      case .fixedDecimal(let count): digits = count
      case .decimal:
        digits = 18
        isFixed = false
      }
      let field = rest.prefix { alphabet.contains($0) }.prefix(digits)
      guard !field.isEmpty, field.count == digits || !isFixed else { return nil }
      if !isFixed, field.count > 1, field.first == "0" { return nil }
      guard let number = UInt64(field, radix: alphabet.count) else { return nil }
      numbers.append(number)
      rest = rest.dropFirst(field.count)
    }
    return rest.isEmpty ? numbers : nil
  }

  static func string(_ numbers: [UInt64], _ template: StringTemplate) -> String {
    var numbers = numbers[...]
    return template.pieces.map { piece in
      switch piece {
      case .literal(let bytes): return String(decoding: bytes, as: UTF8.self)
      case .hex(let digits, let isUpper):
        return padded(String(numbers.removeFirst(), radix: 16, uppercase: isUpper), digits)
      case .decimal: return String(numbers.removeFirst())
      case .fixedDecimal(let digits): return padded(String(numbers.removeFirst()), digits)
      }
    }.joined()
  }

  private static func padded(_ text: String, _ digits: Int) -> String {
    String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
