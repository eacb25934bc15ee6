import Lintel
import LintelColumns

#if canImport(Glibc)
  import Glibc
#endif

/// Runs the shell that was built beside the tests, as its users do.
struct ShellRun: Equatable {
  var status: Int32
  var output: String
  var errors: String

  /// The built shell, or the one that `SPANQL` names.
  static let binary: String = {
    if let given = getenv("SPANQL") { return String(cString: given) }
    var path = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &path, path.count - 1)
    let own = String(decoding: path.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) + "/spanql"
  }()

  /// Without the package trait `Server` the shell is a stub.
  static let isBuilt = ShellRun(["--help"]).status == 0

  init(status: Int32, output: String, errors: String) {
    self.status = status
    self.output = output
    self.errors = errors
  }

  init(_ arguments: [String], input: String = "", in directory: String = "/tmp", environment: String = "") {
    let scratch = TemporaryDirectory()
    scratch.write(input, to: "in")
    let words = ([Self.binary] + arguments).map { "'" + $0.replacing("'", with: "'\\''") + "'" }.joined(separator: " ")
    let code = system(
      "cd '\(directory)' && \(environment) timeout 60 \(words) < \(scratch.path)/in > \(scratch.path)/out 2> \(scratch.path)/err"
    )
    status = code >> 8 & 0xFF
    output = scratch.read("out")
    errors = scratch.read("err")
  }
}

/// A folder that goes with its owner.
final class TemporaryDirectory {
  let path: String

  init() {
    var template = Array("/tmp/spanql-test-XXXXXX".utf8CString)
    path = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) } ?? "/tmp"
    }
  }

  deinit { if path != "/tmp" { _ = system("rm -rf '\(path)'") } }

  func write(_ text: String, to name: String) {
    guard let file = fopen("\(path)/\(name)", "w") else { return }
    fputs(text, file)
    fclose(file)
  }

  /// Names in a folder, in order.
  func files(in folder: String) -> [String] {
    guard let stream = opendir("\(path)/\(folder)") else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
        tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// Changes bytes in the middle of a file.
  func damage(_ name: String) {
    guard let file = fopen("\(path)/\(name)", "r+") else { return }
    defer { fclose(file) }
    fseek(file, 200, SEEK_SET)
    fputs("damage, of twenty bytes", file)
  }

  func read(_ name: String) -> String {
    guard let file = fopen("\(path)/\(name)", "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(contentsOf: chunk[..<count])
    }
  }
}

/// A store with a few spans whose values are known.
enum SampleStore {
  static func make(at path: String, count: Int = 20) async throws {
    let store = try await SpanStore.open(at: path)
    for first in stride(from: 0, to: count, by: 100_000) {
      try await store.append((first..<min(count, first + 100_000)).map(span))
    }
    try await store.close()
  }

  static func span(_ number: Int) -> TraceSpan {
    var span = TraceSpan(
      name: number == 3 ? "chat \u{1B}[31m \"x\",\n日本" : "chat \(number)",
      start: .init(nanoseconds: 1_800_000_000_000_000_000 + Int64(number) * 1_000_000),
      duration: .microseconds(number * 1500), traceID: UInt128(number / 4 + 1), spanID: UInt64(number + 1))
    span.kind = .client
    span.status = number.isMultiple(of: 5) ? .error : .ok
    span.serviceName = ["api", "batch", "worker"][number % 3]
    span.requestModel = "model-\(number % 4)"
    span.inputTokens = UInt32(truncatingIfNeeded: number * 10)
    span.reportedCost = Int64(number) * 1_234_000
    span.userID = "user \(number % 7)"
    span.attributes["tier"] = number.isMultiple(of: 2) ? "gold" : nil
    span.attributes["retries"] = .int(Int64(number % 3))
    return span
  }
}
