import Testing

@testable import spanql

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct ShellPiecesTests {
  @Test(
    arguments: [
      (0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1_234, "-1,234"),
      (.min, "-9,223,372,036,854,775,808"),
    ] as [(Int, String)])
  func counts(_ number: Int, _ text: String) { #expect(Quantity.count(number) == text) }

  @Test(
    arguments: [
      (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_150, "4.1 kB"), (999_999, "999.9 kB"), (1_000_000, "1.0 MB"),
      (12_345_678_901, "12.3 GB"), (5_000_000_000_000_000, "5000.0 TB"),
    ] as [(Int, String)])
  func bytes(_ number: Int, _ text: String) { #expect(Quantity.bytes(number) == text) }

  @Test(
    arguments: [
      (".mode csv", [".mode", "csv"]), ("  .read  'a b.sql' ;", [".read", "a b.sql"]),
      (".mode csv;", [".mode", "csv"]),
      (".output \"x;y\"", [".output", "x;y"]), (".read it's", [".read", "its"]), (".", ["."]),
    ] as [(String, [String])])
  func dotWords(_ line: String, _ words: [String]) { #expect(DotCommand.words(line) == words) }

  @Test func dotCommandsStartWithADot() {
    #expect(DotCommand.matches("  .help") && DotCommand.matches("."))
    #expect(!DotCommand.matches("SELECT .5") && !DotCommand.matches(""))
  }

  private func content(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var reader = LineReader(descriptor: descriptor)
    var text = ""
    while let piece = reader.next() { text += piece + "\n" }
    return text
  }

  @Test func historyIsPrivateAndNamesNoUser() throws {
    let scratch = TemporaryDirectory()
    let directory = scratch.path
    let file = HistoryFile { $0 == "XDG_STATE_HOME" ? directory : nil }
    file.append("SELECT 1;")
    file.append("SELECT count(*) FROM spans WHERE user_hash = HASH_USER('alice');")
    for naming in [
      "ERASE USER 'u-4711' DRY RUN;", "hold user 'jane.doe@example.org' FOR 'case 7';", "RELEASE USER 'u-4711';",
      "SELECT 1 FROM spans WHERE attributes['user.id'] = 'u-4711';", "SELECT 1 WHERE user_id = 'u-4711';",
    ] {
      file.append(naming)
    }
    file.append("SELECT 'ü', user_hash FROM spans;")
    #expect(file.load() == ["SELECT 1;", "SELECT 'ü', user_hash FROM spans;"])
    // What an older shell has kept goes.
    let path = directory + "/lintel/history"
    var output = try OutputTarget(path: path)
    try output.write(Array("SELECT 1;\nERASE USER 'u-4711';\nSELECT 2;\n".utf8))
    output.close()
    output = .standard
    #expect(file.load() == ["SELECT 1;", "SELECT 2;"] && content(path) == "SELECT 1;\nSELECT 2;\n")
    var status = stat()
    #expect(stat(directory + "/lintel/history", &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test func historyIsCut() throws {
    let scratch = TemporaryDirectory()
    let directory = scratch.path
    let file = HistoryFile { $0 == "HOME" ? directory : nil }
    let all = (0..<2 * HistoryFile.maximumLines + 5).map { "SELECT \($0);" }
    file.append("first;")
    let path = directory + "/.local/state/lintel/history"
    var output = try OutputTarget(path: path)
    try output.write(Array((all.joined(separator: "\n") + "\n").utf8))
    output.close()
    output = .standard
    #expect(file.load() == Array(all.suffix(HistoryFile.maximumLines)))
    #expect(content(path)?.split(separator: "\n").count == HistoryFile.maximumLines)
  }

  @Test func anAtomicFileAppearsWhenItIsCommitted() throws {
    let scratch = TemporaryDirectory()
    let path = scratch.path + "/x.jsonl"
    func write(_ text: String, commit: Bool) throws {
      let file = try AtomicFile(path: path)
      try file.write(Array(text.utf8))
      if commit { try file.commit() }
    }
    try write("lost\n", commit: false)
    #expect(content(path) == nil)
    try write("one\n", commit: true)
    try write("lost\n", commit: false)
    #expect(content(path) == "one\n")
    try write("two\n", commit: true)
    #expect(content(path) == "two\n")
    #expect(throws: ShellError.self) { try AtomicFile(path: "/nowhere/at/all") }
    #expect(throws: ShellError.self) { try AtomicFile(path: "/tmp") }
  }

  @Test func aDeviceIsWrittenToAndNotReplaced() throws {
    let file = try AtomicFile(path: "/dev/null")
    try file.write([1, 2, 3])
    try file.commit()
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
  }
}
