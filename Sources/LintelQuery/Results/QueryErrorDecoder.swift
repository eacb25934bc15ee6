/// Reads the body of the query endpoint's errors: `{"error":{"code":..,"message":..,"offset":..,"hint":..}}`.
package enum QueryErrorDecoder {
  private struct Fields {
    var code = ""
    var message: String?
    var offset: Int?
    var hint: String?
  }

  /// The error, where it is one about the query.
  package static func decode(_ body: [UInt8]) -> QueryError? {
    guard let fields = fields(body), let message = fields.message, let code = code(fields.code) else { return nil }
    return QueryError(code, message, offset: fields.offset, hint: fields.hint)
  }

  /// What any error's body says.
  package static func message(_ body: [UInt8]) -> String? { fields(body)?.message }

  private static func code(_ name: String) -> QueryError.Code? {
    switch name {
    case "syntax": .syntax
    case "binding": .binding
    case "overflow": .overflow
    case "limit_exceeded", "timeout": .limitExceeded
    case "cancelled": .cancelled
    case "storage": .storage
    case "unsupported": .unsupported
    default: nil
    }
  }

  private static func fields(_ body: [UInt8]) -> Fields? {
    body.withUnsafeBufferPointer { bytes in
      var scanner = JSONScanner(bytes)
      var fields = Fields()
      var ignored: [UInt8] = []
      do throws(ResultDecodingError) {
        try scanner.object { scanner, key throws(ResultDecodingError) in
          guard key == "error" else { return try scanner.variant(into: &ignored) }
          try scanner.object { scanner, key throws(ResultDecodingError) in
            switch key {
            case "code": fields.code = try scanner.string()
            case "message": fields.message = try scanner.string()
            case "offset": fields.offset = Int(try scanner.integer())
            case "hint": fields.hint = try scanner.string()
            default: try scanner.variant(into: &ignored)
            }
          }
        }
        return fields
      } catch {
        return nil
      }
    }
  }
}
