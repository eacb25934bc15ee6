#if Server
  internal import Glibc

  /// How many files this process may have open.
  enum FileLimit {
    /// What the store and the rest of the process need beside connections.
    private static let reserve: rlim_t = 256
    private static let fewest: rlim_t = 8

    /// Asks the system for as many as it grants, and says how many connections each of the two ports may have then.
    static func connections(wanted: Int) -> Int {
      var limit = rlimit()
      guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return wanted }
      if limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      }
      let free = limit.rlim_cur > reserve ? limit.rlim_cur - reserve : 0
      return min(wanted, Int(clamping: max(fewest, free / 2)))
    }
  }
#endif
