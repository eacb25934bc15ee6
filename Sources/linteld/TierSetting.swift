#if Server
  internal import Glibc
  internal import LintelStorage

  extension SettingReader {
    /// Which tiers there are beside the hot one, and when parts move.
    func tiers(_ options: ServeOptions) throws(UsageError) -> TierConfiguration {
      var tiers = TierConfiguration()
      tiers.warm = try tier("warm", options.warm, options.warmAfter, TierConfiguration.usualWarmSeconds)
      tiers.cold = try tier("cold", options.cold, options.coldAfter, TierConfiguration.usualColdSeconds)
      tiers.hotFreeBytes = try size("hot-free", options.hotFree, orZero: true) ?? tiers.hotFreeBytes
      tiers.moveBytesPerSecond = try size("move-rate", options.moveRate) ?? tiers.moveBytesPerSecond
      if tiers.hotFreeBytes > 0, tiers.warm == nil, tiers.cold == nil {
        throw UsageError(message: "--hot-free moves spans to --warm or --cold, and there is neither")
      }
      if let warm = tiers.warm, let cold = tiers.cold, cold.afterSeconds < warm.afterSeconds {
        throw UsageError(
          message: "spans can't become cold before they are warm: --cold-after is less than --warm-after")
      }
      return tiers
    }

    private func tier(
      _ name: String, _ directory: String?, _ after: String?, _ usual: Double
    ) throws(UsageError) -> TierSettings? {
      let after = try age("\(name)-after", after)
      guard let directory = text(name, directory) else {
        if after == nil { return nil }
        throw UsageError(message: "--\(name)-after says when, and not where: give --\(name) DIR too")
      }
      return TierSettings(directory: Self.absolute(directory), afterSeconds: after ?? usual)
    }

    /// `7d`; units are s, m, h, d and w.
    private func age(_ name: String, _ flag: String?) throws(UsageError) -> Double? {
      guard let text = text(name, flag) else { return nil }
      guard let time = Self.time(text[...]) else {
        throw UsageError(message: "--\(name) is \(text): write a time such as 7d or 12h")
      }
      return Double(time) / 1e9
    }

    /// The store remembers the path, for processes with another working directory.
    private static func absolute(_ path: String) -> String {
      guard !path.hasPrefix("/"), let current = getcwd(nil, 0) else { return path }
      defer { free(current) }
      return "\(String(cString: current))/\(path)"
    }
  }
#endif
