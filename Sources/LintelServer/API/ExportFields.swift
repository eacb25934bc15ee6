#if Server
  internal import LintelQuery
  internal import NIOHTTP1

  /// What an export says of itself in header fields: before its lines what is known to be missing, behind them whether it is
  /// complete, and what isn't as it was stored.
  enum ExportFields {
    static let complete = "Lintel-Complete"
    static let warning = "Lintel-Warning"
    /// More are counted. Clients take a few thousand bytes of fields for granted.
    private static let maximumWarnings = 16
    private static let maximumBytes = 400

    static func start(omissions: [String]) -> HTTPHeaders {
      var fields = HTTPHeaders([("trailer", "\(complete), \(warning)")])
      add(omissions, to: &fields)
      return fields
    }

    static func end(warnings: [String]) -> HTTPHeaders {
      var fields = HTTPHeaders([(complete, warnings.isEmpty ? "yes" : "no")])
      add(warnings, to: &fields)
      return fields
    }

    private static func add(_ warnings: [String], to fields: inout HTTPHeaders) {
      for text in warnings.prefix(maximumWarnings) { fields.add(name: warning, value: value(text)) }
      let rest = warnings.count - maximumWarnings
      if rest > 0 { fields.add(name: warning, value: "and \(rest) more: SHOW PROBLEMS names them") }
    }

    /// Fields hold printable ASCII; what else there is in a name is written as in a URL.
    private static func value(_ text: String) -> String {
      var value = ""
      for byte in text.utf8 {
        if byte >= 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
          value.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
          value += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }
        if value.utf8.count >= maximumBytes { return value + " .." }
      }
      return value
    }
  }
#endif
