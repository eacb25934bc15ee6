#if Server
  internal import Glibc

  /// What the operating system says of this process.
  enum ProcessMemory {
    /// Bytes of memory in use now; `nil` where /proc doesn't tell.
    static func residentBytes() -> Int? {
      guard let file = fopen("/proc/self/statm", "r") else { return nil }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 128)
      guard fgets(&line, Int32(line.count), file) != nil else { return nil }
      let fields = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        .split(separator: " ")
      guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
      return pages &* Int(sysconf(Int32(_SC_PAGESIZE)))
    }
  }
#endif
