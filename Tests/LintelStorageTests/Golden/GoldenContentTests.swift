import Foundation
import LintelColumns
import Testing

@testable import LintelStorage

/// The files under `Golden/content`, committed once and never changed, as the parts are (``GoldenPartTests``): rows that refer
/// to content, in a part and in a record of the log; a content segment with what they refer to; and a manifest that names both.
@Suite struct GoldenContentTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "content")
  private static let secret = Array(UInt8(0)..<32)

  private static var sets: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []).sorted {
      $0.compare($1, options: .numeric) == .orderedAscending
    }
  }

  /// Two conversations of two organisations, a text that is no list, a short one and none; the files hold it: it never changes.
  private static func batch() -> Batch {
    func history(_ name: String, _ turns: Int) -> String {
      let messages = (0..<turns).map { turn in
        "{\"role\": \"\(turn % 2 == 0 ? "user" : "assistant")\", \"content\": \"\(name) says in turn \(turn): \\\"{[\\u00e9\"}"
      }
      return "[" + messages.joined(separator: ", ") + "]"
    }
    let said = [history("Ada", 2), history("Bo", 1), history("Ada", 4), "short", "short", history("Bo", 14)]
    let orgs = ["x", "y", "x", "x", "x", "y"]
    var batch = TalkRows.batch(said.indices.map { ($0, orgs[$0], said[$0]) })
    var heard = ByteStrings()
    heard.append(
      Samples.bytes(
        .array([
          .map([.init("role", .string("tool")), .init("content", .string("what the tool found, at some length"))])
        ])))
    // Nothing to compress.
    var dice = Dice(4711)
    heard.append(Samples.bytes(.bytes((0..<2000).map { _ in UInt8(truncatingIfNeeded: dice.next()) })))
    batch.attributes.insert(
      AttributeColumn(key: AttributeKey("heard", .variant), rows: [1, 4], values: ColumnVector(.bytes(heard))), at: 0)
    return batch
  }

  private static func cut() -> ContentCutter.Cut {
    ContentCutter.cut(batch(), hasher: ContentHasher(secret: secret), pool: ContentPool(nextID: 1))
  }

  private static func record(_ cut: ContentCutter.Cut) -> [UInt8] {
    LogPayload.content(cut.pieces, digests: Store.digests(of: batch())) + LogPayload.encode(cut.batch)
  }

  private static func segment(_ cut: ContentCutter.Cut) throws -> [UInt8] {
    let directory = ScratchDirectory()
    try PosixFileSystem().createDirectory(directory.path)
    let path = "\(directory.path)/segment"
    var writer = try ContentWriter(try PosixFileSystem().create(path), groupBytes: 800, level: 3)
    for piece in cut.pieces { try writer.append(piece) }
    _ = try writer.finish()
    return try PosixFileSystem().readAll(path, limit: 1 << 20)
  }

  private static func part(_ cut: ContentCutter.Cut) throws -> [UInt8] {
    let directory = ScratchDirectory()
    try PosixFileSystem().createDirectory(directory.path)
    let path = "\(directory.path)/part"
    let options = PartOptions(
      fileSystem: PosixFileSystem(), blockRows: 64, window: MergeWindow(seconds: 86_400), dictionaryTrialValues: 1,
      parallelMergeRows: 1 << 17, mergeHelpers: EngineThreads(count: 0, name: "none"), allocate: { (1, path) })
    _ = try FlushWriter.write([cut.batch], options: options)
    return try PosixFileSystem().readAll(path, limit: 1 << 20)
  }

  private static func manifest() -> Manifest {
    var manifest = Manifest(
      sequence: 42, nextPartNumber: 20, logFloors: [7, 0],
      parts: [
        PartEntry(
          number: 17, table: "spans", shard: 0, level: 1, fileName: "hot/000000000017.part", rowCount: 120_000,
          fileBytes: 1_843_200, rawBytes: 9_600_000, minTime: 1_700_000_000, maxTime: 1_700_000_600,
          arrived: 1_700_000_900, footerChecksum: 0x9AB3_C1D0)
      ])
    manifest.nextContent = [71_021, 1]
    manifest.content = [
      ContentEntry(
        number: 19, shard: 0, fileName: "content/000000000019.content", pieceCount: 3120, fileBytes: 801_422,
        rawBytes: 4_801_233, level: 2, checksum: 0x1F2E_3D4C)
    ]
    return manifest
  }

  private static func written() throws -> [String: [UInt8]] {
    let cut = cut()
    return [
      "record.payload": record(cut), "segment.content": try segment(cut), "rows.part": try part(cut),
      "listing.manifest": ManifestCodec.encode(manifest()),
    ]
  }

  private static func golden(_ set: String, _ file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: "\(set)/\(file)")))
  }

  private static func reader(_ set: String) throws -> ContentReader {
    let bytes = try golden(set, "segment.content")
    let checksum = bytes.dropLast(8).suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return try ContentReader(
      file: try PosixFileSystem().open(folder.appending(path: "\(set)/segment.content").path()), name: "segment",
      number: 1, expectedChecksum: checksum, cache: ContentCache(capacity: 1 << 20))
  }

  /// Writes the set named by LINTEL_GOLDEN_SET, for `tools/golden`.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["LINTEL_GOLDEN_SET"] != nil))
  func writeSet() throws {
    let name = try #require(ProcessInfo.processInfo.environment["LINTEL_GOLDEN_SET"])
    let set = Self.folder.appending(path: name)
    try FileManager.default.createDirectory(at: set, withIntermediateDirectories: true)
    for (file, bytes) in try Self.written() { try Data(bytes).write(to: set.appending(path: file)) }
  }

  @Test(arguments: sets) func everySetIsReadable(_ set: String) throws {
    let expected = RowText.rows(Self.batch())
    let view = ContentView(segments: [try Self.reader(set)])
    let part = try PartReader(
      file: try PosixFileSystem().open(Self.folder.appending(path: "\(set)/rows.part").path()), name: "rows",
      schema: Samples.schema, expectedChecksum: nil, cache: BlockCache(capacity: 1 << 20), cacheID: 1,
      onDamage: { _ in })
    let stored = try #require(ContentSegment(part, view))
    #expect(difference(try RowText.rowsThrowing(stored, Samples.schema), expected) == nil, "\(set)/rows.part")
    let place = LogPosition(segment: 1)
    let record = LogRecord(
      kind: LogPayload.rowsWithContent, payload: try Self.golden(set, "record.payload"), position: place, end: place)
    let logged = try LogPayload.decode(record, schemas: [Samples.schema.name: Samples.schema])
    let memory = ContentMemory(generation: 0)
    memory.insert(logged.pieces)
    var rebuilder = ContentRebuilder(ContentView(memories: [memory]))
    #expect(difference(RowText.rows(try rebuilder.whole(logged.batch)), expected) == nil, "\(set)/record.payload")
    #expect(logged.digests == Store.digests(of: Self.batch()))
    let manifest = try ManifestCodec.decode(try Self.golden(set, "listing.manifest"), path: "manifest")
    #expect(manifest == Self.manifest())
    #expect(view.damage.notes.isEmpty)
  }

  /// But for what LZ4 and zstd made of it, which changes with the libraries' versions.
  @Test func whatIsWrittenIsTheNewestSet() throws {
    let set = try #require(Self.sets.last, "tools/golden writes the first set")
    let cut = Self.cut()
    #expect(try Self.golden(set, "listing.manifest") == ManifestCodec.encode(Self.manifest()))
    let head = LogPayload.content(cut.pieces, digests: Store.digests(of: Self.batch()))
    #expect(try Self.golden(set, "record.payload").starts(with: head))
    let directory = ScratchDirectory()
    try PosixFileSystem().createDirectory(directory.path)
    let bytes = try Self.segment(cut)
    try PosixFileSystem().create("\(directory.path)/segment").append(bytes)
    let checksum = bytes.dropLast(8).suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let ours = try ContentReader(
      file: try PosixFileSystem().open("\(directory.path)/segment"), name: "segment", number: 1,
      expectedChecksum: checksum, cache: ContentCache(capacity: 0))
    let golden = try Self.reader(set)
    func shape(_ reader: ContentReader) throws -> [String] {
      try reader.groups.indices.map { index in
        let group = reader.groups[index]
        let stored = group.encoding == .plain ? "\(try reader.stored(index))" : "\(try reader.read(index).bytes)"
        return "\(group.first)...\(group.last) \(group.rawLength) \(group.encoding) \(stored)"
      }
    }
    #expect(try shape(ours) == shape(golden))
    #expect(Set(golden.groups.map(\.encoding)) == [.plain, .zstd])
    #expect(try ours.list().map(\.id) == golden.list().map(\.id))
    #expect(try ours.list().map(\.digest) == golden.list().map(\.digest))
    let kinds = Set(cut.batch.attributes.map(\.key.kind))
    #expect(kinds.isSuperset(of: [.string, .textContent, .variantContent]))
  }
}
