#if canImport(Glibc)
  import Glibc
#endif

/// The statements of earlier sessions, one a line, readable by their owner alone.
///
/// Each is appended as it is entered, so that sessions side by side don't overwrite each other's. Statements that name a
/// user are left out: raw user ids are nowhere on a Lintel machine's disk.
struct HistoryFile {
  static let maximumLines = 5000

  private let path: String?

  /// - Parameter environment: Looks a variable up.
  init(environment: (String) -> String? = { getenv($0).map { String(cString: $0) } }) {
    if let state = environment("XDG_STATE_HOME"), state.hasPrefix("/") {
      path = state + "/lintel/history"
    } else if let home = environment("HOME"), home.hasPrefix("/") {
      path = home + "/.local/state/lintel/history"
    } else {
      path = nil
    }
  }

  /// The last lines, oldest first. A file that has grown long, or has lines that aren't kept, is cut on the way.
  func load() -> [String] {
    guard let path else { return [] }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return [] }
    var lines: [String] = []
    var isClean = true
    var reader = LineReader(descriptor: descriptor)
    while let piece = reader.next() {
      for line in piece.split(separator: "\n") {
        if Self.mayBeKept(String(line)) { lines.append(String(line)) } else { isClean = false }
      }
      if lines.count > 4 * Self.maximumLines { lines.removeFirst(lines.count - Self.maximumLines) }
    }
    close(descriptor)
    if lines.count > 2 * Self.maximumLines || !isClean {
      lines.removeFirst(max(0, lines.count - Self.maximumLines))
      rewrite(lines)
    }
    return lines
  }

  func append(_ line: String) {
    guard let path, Self.mayBeKept(line) else { return }
    makeDirectories(path)
    let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    _ = StandardStreams.write(Array((line + "\n").utf8), to: descriptor)
    close(descriptor)
  }

  /// A statement may name a user where a word for one stands in it, as in `ERASE USER 'id'`, `HOLD USER 'id'`, `hash_user('id')`
  /// and `attributes['user.id'] = 'id'`: better one too many is left out.
  static func mayBeKept(_ line: String) -> Bool {
    if line.isEmpty || line.contains("\n") { return false }
    let words = line.lowercased().split { !$0.isLetter && $0 != "_" }
    return !words.contains { $0 == "hash_user" || $0 == "enduser" || $0.hasPrefix("user") && $0 != "user_hash" }
  }

  private func rewrite(_ lines: [String]) {
    guard let path else { return }
    let temporary = "\(path).\(getpid())"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    let number = StandardStreams.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: descriptor)
    close(descriptor)
    if number != 0 || rename(temporary, path) != 0 { unlink(temporary) }
  }

  private func makeDirectories(_ path: String) {
    for (index, character) in path.enumerated() where character == "/" && index > 0 {
      mkdir(String(path.prefix(index)), 0o700)
    }
  }
}
