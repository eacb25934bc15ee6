internal import LintelColumns

extension Binder {
  /// A string literal as a constant of the type it stands beside; `nil` where strings don't stand beside the type.
  ///
  /// - Throws: `.binding` where the text is not a value of the type: a hash of the wrong length, an unknown name.
  func literal(_ text: [UInt8], for type: ColumnType, _ node: SyntaxNode) throws(QueryError) -> Expression? {
    let string = String(decoding: text, as: UTF8.self)
    let offset = node.range.lowerBound
    switch type {
    case .string, .bytes: return .constant(.bytes(text), type)
    case .id8: return .constant(.int64(Int64(truncatingIfNeeded: try hex(string, digits: 16, offset))), .id8)
    case .id16: return .constant(.id128(try hex(string, digits: 32, offset)), .id16)
    case .enumeration(let enumeration):
      guard let number = enumeration.number(of: string) else {
        throw QueryError(
          .binding, "\(enumeration.name) has no value '\(string)'", offset: offset,
          hint: NameSuggestion.nearest(to: string, among: enumeration.labels).map { "did you mean '\($0)'?" }
            ?? "its values are " + enumeration.labels.map { "'\($0)'" }.joined(separator: ", "))
      }
      return .constant(.int64(number), type)
    case .timestamp: return try constant(TextFormats.timestamp(string), type, string, offset, "2026-01-02T03:04:05Z")
    case .duration: return try constant(TextFormats.duration(string), type, string, offset, "250ms")
    case .money: return try constant(TextFormats.money(string), type, string, offset, "0.25")
    default: return nil
    }
  }

  private func constant(
    _ value: Int64?, _ type: ColumnType, _ text: String, _ offset: Int, _ example: String
  ) throws(QueryError) -> Expression {
    guard let value else {
      throw QueryError(
        .binding, "'\(text)' is not a \(type.name)", offset: offset, hint: "such values are written '\(example)'")
    }
    return .constant(.int64(value), type)
  }

  private func hex(_ text: String, digits: Int, _ offset: Int) throws(QueryError) -> UInt128 {
    let isHex = text.utf8.allSatisfy { Lexer.isDigit($0) || (0x61...0x66).contains($0 | 0x20) }
    guard isHex, text.utf8.count == digits, let value = UInt128(text, radix: 16) else {
      let what = isHex ? "\(text.utf8.count) digits" : "'\(text)'"
      throw QueryError(
        .binding, "this id has \(digits) hexadecimal digits, not \(what)", offset: offset)
    }
    return value
  }
}
