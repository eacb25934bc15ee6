#if Server
  internal import Glibc
  internal import LintelStorage

  /// What the commands about backups say.
  enum BackupText {
    static func say(_ line: String) { Console.say(line, to: STDOUT_FILENO) }

    static func warn(_ problem: StorageError) { warn("\(problem)") }

    static func warn(_ line: String) { Console.say("linteld: \(line)", to: STDERR_FILENO) }

    static func fail(_ error: StorageError) { warn(error) }

    /// `2026-11-28T09:43:23Z`, of nanoseconds since 1970.
    static func time(_ nanoseconds: Int64) -> String {
      var seconds = time_t(nanoseconds / 1_000_000_000)
      var parts = tm()
      guard gmtime_r(&seconds, &parts) != nil else { return "\(nanoseconds)" }
      var text = [CChar](repeating: 0, count: 32)
      let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
      return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
#endif
