@testable import LintelColumns
@testable import LintelStorage

/// What prompts and answers are cut into, and put together from.
let contentTargets: [String: FuzzTarget] = [
  "content-segment": { _, bytes in readContentSegment(Array(bytes)) },
  "content-rows": { _, bytes in readContentRows(bytes) },
  "content-cut": { _, bytes in
    giveBack(bytes, ContentCut.pieces(ofText: bytes))
    giveBack(bytes, ContentCut.pieces(ofVariant: bytes))
  },
]

// MARK: Segments

private func readContentSegment(_ bytes: [UInt8]) {
  var bytes = bytes
  guard let checksum = restoreContentChecksums(&bytes),
    let reader = try? ContentReader(
      file: MemoryFile(bytes), name: "segment", number: 1, expectedChecksum: checksum,
      cache: ContentCache(capacity: 1 << 20))
  else { return }
  let list = try? reader.list()
  precondition(list.map { $0.count == reader.pieceCount } ?? true)
  var found: [UInt64] = []
  try? reader.forEachPiece { (piece) throws(StorageError) in
    precondition(found.last.map { $0 < piece.id } ?? true)
    found.append(piece.id)
  }
  if let first = list?.first { precondition((try? reader.ids(of: first.digest).contains(first.id)) ?? true) }
  var rebuilder = ContentRebuilder(ContentView(segments: [reader]))
  for id in (list ?? []).prefix(20).map(\.id) + [0, 1, 1 << 60, .max] { _ = try? rebuilder.piece(id) }
}

/// Makes every checksum of a content segment right, from the groups to the trailer, so that damage gets past them.
/// - Returns: The trailer's, which the manifest would know.
func restoreContentChecksums(_ bytes: inout [UInt8]) -> UInt32? {
  let end = bytes.count - ContentFormat.trailerLength
  guard end >= ContentFormat.headerLength else { return nil }
  let offset = bytes[end..<end + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  guard offset >= UInt64(ContentFormat.headerLength), offset <= UInt64(end) else { return nil }
  let start = Int(offset)
  func sum(_ range: Range<Int>) -> UInt32 {
    bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }
  var directory = Array(bytes[start..<end])
  var reader = PartBytesReader(directory)
  var place = ContentFormat.headerLength
  do {
    for _ in 0..<3 { _ = try reader.varint() }
    for _ in 0..<(try reader.count(limit: reader.remaining)) {
      for _ in 0..<2 { _ = try reader.varint() }
      let length = try reader.count(limit: start - place)
      _ = try reader.varint()
      _ = try reader.byte()
      var checksum = PartBytesWriter()
      checksum.fixed(sum(place..<place + length))
      let position = reader.position
      try reader.skip(checksum.bytes.count)
      directory.replaceSubrange(position..<reader.position, with: checksum.bytes)
      place += length
    }
  } catch {}
  bytes.replaceSubrange(start..<end, with: directory)
  bytes.replaceSubrange(..<ContentFormat.headerLength, with: ContentFormat.header)
  var trailer = PartBytesWriter()
  trailer.fixed(offset)
  trailer.fixed(UInt64(directory.count))
  trailer.fixed(sum(place..<start))
  trailer.fixed(ContentFormat.version)
  let checksum = PartFormat.checksum(directory: directory, trailerFields: trailer.bytes)
  trailer.fixed(checksum)
  bytes.replaceSubrange(end..., with: trailer.bytes + ContentFormat.trailerMagic)
  return checksum
}

// MARK: Rows

private let talk = TableSchema(
  name: "talk", columns: [ColumnDefinition("time", .timestamp), ColumnDefinition("trace", .id16)], hasAttributes: true,
  sortKey: ["time"], shardKey: "trace", timeColumn: "time", clusterColumn: "trace", content: ContentKeys(names: ["said"])
)

/// Pieces 1 to 8; every other one is missing.
private let talkPieces = (1...8).map { id in
  ContentPiece(
    id: UInt64(id), digest: UInt128(id) << 70, bytes: Array(String(repeating: "ab\(id % 3)", count: id * 3).utf8)[...])
}

/// Lines are rows: those that begin with a space are values as they were sent, the others recipes. What a search finds in the
/// pieces is what is in the values.
private func readContentRows(_ bytes: UnsafeRawBufferPointer) {
  var rows = (short: [UInt32](), recipes: [UInt32]())
  var (short, recipes) = (ByteStrings(), ByteStrings())
  var count: UInt32 = 0
  for line in bytes.split(separator: 10, omittingEmptySubsequences: false).prefix(1000) {
    if line.first == 0x20 {
      rows.short.append(count)
      short.append(line.dropFirst())
    } else {
      rows.recipes.append(count)
      recipes.append(line)
    }
    count += 1
  }
  let times = ColumnVector(.int64((0..<Int64(count)).map { $0 }))
  let traces = ColumnVector(.id128((0..<UInt128(count)).map { $0 }))
  let said = AttributeKey("said", .string)
  let batch = Batch(
    schema: talk, rowCount: Int(count), columns: [times, traces],
    attributes: [
      AttributeColumn(key: said, rows: rows.short, values: ColumnVector(.bytes(short))),
      AttributeColumn(key: AttributeKey("said", .textContent), rows: rows.recipes, values: ColumnVector(.bytes(recipes))),
    ])
  let memory = ContentMemory(generation: 0)
  memory.insert(talkPieces)
  let view = ContentView(memories: [memory])
  guard let segment = ContentSegment(BatchSegment(batch, name: "rows", blockRows: 1024), view) else { return }
  for key in segment.digestKeys { _ = try? segment.read(.attribute(key), block: 0) }
  guard let values = try? segment.read(.attribute(said), block: 0) else { return }
  precondition(values.count == Int(count))
  for needle in ["b1a", "ab0ab0ab0ab0", "2ab2a", "x"].map({ Array($0.utf8) }) {
    guard
      let flags = try? segment.contains(needle, in: .attribute(said), block: 0, rows: nil, within: .most),
      case .bool(let found) = flags.storage
    else { continue }
    for row in 0..<values.count {
      let value = values.bytes(at: row)
      precondition(flags.isValid(row) == (value != nil), "a search finds what can't be read, or the other way round")
      if let value { precondition(found[row] == isIn(value, needle), "a search finds something else than is there") }
    }
  }
}

private func isIn(_ value: ArraySlice<UInt8>, _ needle: [UInt8]) -> Bool {
  guard value.count >= needle.count else { return false }
  return (value.startIndex...value.endIndex - needle.count).contains { value[$0...].starts(with: needle) }
}

// MARK: Cuts

/// Pieces ascend, are long enough, and give the value back through a recipe.
private func giveBack(_ bytes: UnsafeRawBufferPointer, _ pieces: [Range<Int>]) {
  var end = 0
  for range in pieces {
    precondition(range.lowerBound >= end && range.upperBound <= bytes.count)
    precondition(range.count >= ContentCut.minimumBytes)
    end = range.upperBound
  }
  // Ids go up and down by any distance.
  let ids = pieces.indices.map { 1 + (UInt64($0) &* 0x9E37_79B9_7F4A_7C15) % (ContentRecipe.idLimit - 1) }
  let places = Dictionary(zip(ids, pieces), uniquingKeysWith: { first, _ in first })
  var recipe: [UInt8] = []
  ContentRecipe.append(bytes, pieces: pieces, ids: ids, to: &recipe)
  var value: [UInt8] = []
  let isWhole = recipe.withUnsafeBytes { recipe in
    ContentRecipe.forEachItem(recipe) { (item) throws(Never) in
      switch item {
      case .literal(let range): value += recipe[range]
      case .piece(let id): if let range = places[id] { value += bytes[range] }
      }
    }
  }
  precondition(isWhole && value.elementsEqual(bytes), "a value doesn't come back from its pieces")
}
