internal import LintelColumns

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
    body.withUnsafeBytes { bytes in
      var scanner = JSONScanner(bytes)
      var fields = Fields()
      do throws(JSONError) {
        try scanner.object { scanner, key throws(JSONError) in
          guard key == "error" else { return try scanner.skipValue() }
          try scanner.object { scanner, key throws(JSONError) in
            switch key {
            case "code": fields.code = try scanner.string()
            case "message": fields.message = try scanner.string()
            case "offset": fields.offset = Int(try scanner.int64())
            case "hint": fields.hint = try scanner.string()
            default: try scanner.skipValue()
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
