import Foundation
import LintelColumns
import Testing

@testable import LintelStorage

/// The parts under `Golden/sets`, committed once and never changed: every Lintel to come reads them, and the newest set
/// is what this Lintel writes. A set is called after its format version and, within it, a number.
///
/// When the writer's bytes are meant to change, `tools/golden` adds a set; see docs/format.md for whether the version
/// goes up.
@Suite struct GoldenPartTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "sets")

  /// Names of the sets, the oldest first.
  static var sets: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []
    return names.sorted { number($0).lexicographicallyPrecedes(number($1)) }
  }

  private static func number(_ set: String) -> [Int] { set.split(separator: ".").compactMap { Int($0) } }

  /// The parts of a set. The first sets have no lists.
  private static func files(_ set: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: set).path())
    try #require(Set(names).isSuperset(of: ["flushed.part", "merged.part", "tail.part"]))
    return names.sorted()
  }

  /// The golden files as this Lintel writes them, by name.
  private static func written() async throws -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    files["flushed.part"] = try await parts([GoldenRows.fewRows()], merged: false)
    files["merged.part"] = try await parts(GoldenRows.batches(), merged: true)
    files["tail.part"] = try await parts([GoldenRows.manyAttributes()], merged: false)
    files["lists.part"] = try await parts(GoldenRows.lists(), merged: true)
    files["warm.part"] = try await parts(GoldenRows.traces(), merged: true, isWarm: true)
    return files
  }

  private static func parts(_ batches: [Batch], merged: Bool, isWarm: Bool = false) async throws -> [UInt8] {
    let directory = ScratchDirectory()
    let path = directory.path + "/data"
    let configuration = StoreTests.configuration {
      $0.blockRows = 1024
      // Whatever the clock says: all that is there is as old as that, or from a time to come.
      if isWarm { $0.tiers.warm = TierSettings(afterSeconds: 0) }
    }
    let store = try await Store.open(
      at: path, schemas: [GoldenRows.schema], configuration: configuration, clock: { .max })
    for batch in batches {
      _ = try await store.append(batch)
      try await store.flush()
    }
    if merged { try await store.mergeAll() }
    if isWarm { try await store.move() }
    let part = try #require(store.parts("golden").count == 1 ? store.parts("golden").first : nil)
    try await store.close()
    return [UInt8](try Data(contentsOf: URL(filePath: "\(path)/\(part.name)")))
  }

  /// What each file must hold.
  private static func rows(_ file: String) -> [String] {
    switch file {
    case "flushed.part": RowText.rows(GoldenRows.fewRows())
    case "merged.part": GoldenRows.batches().flatMap { RowText.rows($0) }
    case "lists.part": GoldenRows.lists().flatMap { RowText.rows($0) }
    case "warm.part": GoldenRows.traces().flatMap { RowText.rows($0) }
    default: RowText.rows(GoldenRows.manyAttributes())
    }
  }

  private static func open(_ path: String) throws -> PartReader {
    try PartReader(
      file: try PosixFileSystem().open(path), name: path, schema: GoldenRows.schema, expectedChecksum: nil,
      cache: BlockCache(capacity: 1 << 24), cacheID: 1, onDamage: { _ in })
  }

  /// Writes the set named by LINTEL_GOLDEN_SET, for `tools/golden`.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LINTEL_GOLDEN_SET"] != nil))
  func writeSet() async throws {
    let name = try #require(ProcessInfo.processInfo.environment["LINTEL_GOLDEN_SET"])
    let set = Self.folder.appending(path: name)
    try FileManager.default.createDirectory(at: set, withIntermediateDirectories: true)
    for (file, bytes) in try await Self.written() { try Data(bytes).write(to: set.appending(path: file)) }
  }

  @Test(arguments: sets) func everySetIsReadable(_ set: String) throws {
    for file in try Self.files(set) {
      let reader = try Self.open(Self.folder.appending(path: "\(set)/\(file)").path())
      let found = try RowText.rowsThrowing(reader, GoldenRows.schema)
      #expect(difference(found, Self.rows(file)) == nil, "\(set)/\(file)")
    }
  }

  @Test func theNewestSetShowsNearlyEveryEncoding() throws {
    let newest = try #require(Self.sets.last)
    var seen: Set<String> = []
    for file in try Self.files(newest) {
      let reader = try Self.open(Self.folder.appending(path: "\(newest)/\(file)").path())
      for column in reader.directory.columns { seen.formUnion(column.encodings.keys) }
      if file == "merged.part" { #expect(reader.directory.columns.contains { $0.filters != nil }) }
      if file == "tail.part" { #expect(reader.directory.tailKeys.count == 4) }
    }
    let expected: Set = [
      "binned", "bitmap", "bitpack", "constant", "delta", "enclosing", "fresh", "keyed", "linear", "lists",
      "lz4", "offsets",
      "ordinals", "patched", "plain", "rle", "scaled", "template", "zstd",
    ]
    #expect(expected.subtracting(seen) == [], "what the golden parts show: \(seen.sorted())")
  }

  @Test func whatIsWrittenIsTheNewestSet() async throws {
    let newest = try #require(Self.sets.last, "tools/golden writes the first set")
    #expect(Self.number(newest).first == Int(PartFormat.version), "the newest set has the version that is written")
    for (file, bytes) in try await Self.written() {
      let golden = [UInt8](try Data(contentsOf: Self.folder.appending(path: "\(newest)/\(file)")))
      let changed = try Self.changes(bytes, golden)
      #expect(
        changed == [],
        """
        \(file) is no longer written as \(newest) has it. If bytes mean something else than docs/format.md says, the \
        format version must go up; if the writer only chooses otherwise, it stays. In both cases `tools/golden` adds a \
        set, and the old ones remain.
        """)
    }
  }

  /// What differs, but for bytes that LZ4 or zstd made: those change with the libraries' versions, and so do the
  /// offsets behind them.
  private static func changes(_ left: [UInt8], _ right: [UInt8]) throws -> [String] {
    if left == right { return [] }
    guard left.prefix(PartFormat.headerLength) == right.prefix(PartFormat.headerLength) else { return ["the header"] }
    let (ours, golden) = (try directory(left), try directory(right))
    guard ours.columns.map(\.displayName) == golden.columns.map(\.displayName) else { return ["which columns"] }
    var changed = zip(ours.columns, golden.columns).compactMap { ours, golden in
      columnChange(ours, left, golden, right).map { "\($0) of \(golden.displayName)" }
    }
    let plain = [ours, golden].map { directory in
      var directory = directory
      directory.columns = []
      return directory
    }
    if plain[0] != plain[1] { changed.append("the directory") }
    return changed
  }

  private static func directory(_ file: [UInt8]) throws -> PartDirectory {
    let trailer = file.suffix(PartFormat.trailerLength)
    let offset = trailer.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let encoded = Array(file[offset..<file.count - PartFormat.trailerLength])
    let directory = try PartDirectory(decoding: encoded, fileLength: file.count)
    try #require(directory.encoded() == encoded, "a directory is written otherwise than it was")
    return directory
  }

  private static func columnChange(
    _ ours: PartColumn, _ left: [UInt8], _ golden: PartColumn, _ right: [UInt8]
  ) -> String? {
    func same(_ a: (offset: Int, length: Int)?, _ b: (offset: Int, length: Int)?) -> Bool {
      a.map { left[$0.offset..<$0.offset + $0.length] } == b.map { right[$0.offset..<$0.offset + $0.length] }
    }
    func range(_ chunk: PartChunk?) -> (Int, Int)? { chunk.map { ($0.offset, $0.length) } }
    guard ours.encodings == golden.encodings else {
      return "the encodings (\(ours.encodings) instead of \(golden.encodings))"
    }
    guard ours.typeName == golden.typeName, ours.physical == golden.physical, ours.valueCount == golden.valueCount,
      ours.rawLength == golden.rawLength, ours.dictionaryCount == golden.dictionaryCount
    else { return "the directory's entry" }
    if !same(range(ours.filters), range(golden.filters)) { return "the filters" }
    if !isCompressed(golden.dictionary, right), !same(range(ours.dictionary), range(golden.dictionary)) {
      return "the dictionary"
    }
    if golden.encodings["lz4"] != nil || golden.encodings["zstd"] != nil { return nil }
    if !same((ours.dataOffset, ours.dataLength), (golden.dataOffset, golden.dataLength)) { return "the blocks" }
    return same(range(ours.index), range(golden.index)) ? nil : "the index"
  }

  private static func isCompressed(_ dictionary: PartChunk?, _ file: [UInt8]) -> Bool {
    guard let dictionary, file[dictionary.offset] == PhysicalType.bytes.rawValue else { return false }
    // The encoding stands behind the type and a count of one or more bytes.
    let count = file[(dictionary.offset + 1)...].prefix { $0 & 0x80 != 0 }.count + 1
    return [9, 10].contains(file[dictionary.offset + 1 + count])
  }
}
