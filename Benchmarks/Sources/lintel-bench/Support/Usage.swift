import Glibc

/// What this process has used of the machine.
enum Usage {
  /// Seconds since some moment.
  static func now() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }

  /// Processor seconds of all threads, the kernel's work for them included.
  static func processorSeconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }

  /// Processor seconds of the threads that live now, added up by name; a thread's name without what follows a last `-`
  /// when that is a number. Empty where the kernel doesn't tell.
  static func processorSecondsByThread() -> [String: Double] {
    var seconds: [String: Double] = [:]
    for task in names(in: "/proc/self/task") {
      guard let name = firstLine("/proc/self/task/\(task)/comm"),
        let times = firstLine("/proc/self/task/\(task)/schedstat"),
        let nanoseconds = times.split(separator: " ").first.flatMap({ Double($0) })
      else { continue }
      var words = name.split(separator: "-")
      if words.count > 1, let last = words.last, Int(last) != nil { words.removeLast() }
      seconds[words.joined(separator: "-"), default: 0] += nanoseconds / 1e9
    }
    return seconds
  }

  private static func names(in folder: String) -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = name(of: entry)
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
    withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private static func firstLine(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard fgets(&line, Int32(line.count), file) != nil else { return nil }
    return String(
      decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Most memory ever resident, in bytes.
  static func peakResidentBytes() -> Int { status("VmHWM:") }

  /// Memory resident now, in bytes.
  static func residentBytes() -> Int { status("VmRSS:") }

  private static func status(_ field: String) -> Int {
    guard let file = fopen("/proc/self/status", "r") else { return 0 }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, Int32(line.count), file) != nil {
      let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        .split(whereSeparator: \.isWhitespace)
      if words.count >= 2, words[0] == field { return (Int(words[1]) ?? 0) * 1024 }
    }
    return 0
  }

  /// Lets ``peakResidentBytes()`` start again from what is resident now, where the kernel can.
  static func forgetPeak() {
    guard let file = fopen("/proc/self/clear_refs", "w") else { return }
    fputs("5", file)
    fclose(file)
  }

  /// Bytes of the files under a directory, by their path within it.
  static func files(in directory: String) -> [(path: String, bytes: Int)] {
    var found: [(path: String, bytes: Int)] = []
    var waiting = [""]
    while let folder = waiting.popLast() {
      for name in names(in: "\(directory)/\(folder)") {
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        var status = stat()
        guard lstat("\(directory)/\(path)", &status) == 0 else { continue }
        if status.st_mode & S_IFMT == S_IFDIR {
          waiting.append(path)
        } else {
          found.append((path, Int(status.st_size)))
        }
      }
    }
    return found
  }
}
