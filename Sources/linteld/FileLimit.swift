#if Server
  internal import Glibc

  /// How many files this process may have open.
  enum FileLimit {
    /// What the store and the rest of the process need beside connections.
    private static let reserve = 256
    private static let fewest = 8

    /// Asks the system for as many as it grants. Returns how many those are; `nil` where it doesn't say.
    @discardableResult
    static func raise() -> Int? {
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
      if limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      }
      return Int(clamping: limit.rlim_cur)
    }

    /// Raises the limit, and says how many connections each of the two ports may have then.
    static func connections(wanted: Int) -> Int {
      guard let files = raise() else { return wanted }
      return min(wanted, max(fewest, (files - reserve) / 2))
    }
  }
#endif
