#if Server
  internal import Lintel
  internal import LintelStorage

  /// How long spans are kept, of one organisation or of those without a setting of their own.
  struct RetentionSetting: Equatable {
    var organization: String?
    var nanoseconds: Int64
  }

  extension SettingReader {
    /// `90d,acme=30d`; units are s, m, h, d and w.
    func retention(_ name: String, _ flag: String?) throws(UsageError) -> [RetentionSetting] {
      guard let text = text(name, flag) else { return [] }
      var settings: [RetentionSetting] = []
      for item in text.split(separator: ",", omittingEmptySubsequences: false) {
        let parts = item.split(separator: "=", omittingEmptySubsequences: false)
        let time = parts.last.flatMap { Self.time($0) }
        guard parts.count <= 2, let time, parts.count == 1 || !parts[0].isEmpty else {
          throw UsageError(message: "--\(name) is \(text): write a time such as 90d, or acme=30d, separated by commas")
        }
        settings.append(
          RetentionSetting(organization: parts.count == 2 ? String(parts[0]) : nil, nanoseconds: time))
      }
      return settings
    }

    static func time(_ text: Substring) -> Int64? {
      let seconds: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
      guard let unit = text.last.flatMap({ seconds[$0] }), let number = Int64(text.dropLast()), number > 0 else {
        return nil
      }
      let (product, overflow) = number.multipliedReportingOverflow(by: unit * 1_000_000_000)
      return overflow ? nil : product
    }
  }
#endif
