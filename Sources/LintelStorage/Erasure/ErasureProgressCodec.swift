internal import LintelColumns

/// The text of ``ErasureProgress``, one item a line, fields separated by one space:
///
///     lintel-progress 1
///     rules 42                                                     number of the rules that it goes by
///     before 9f86d081884c7d659a2feaa0c55ad015...                   the Merkle root, or `-`
///     pieces 0 17 3 25 1                                           shard; first id and number of ids, again and again
///     memory 0 8 events 12                                         shard, segment, table, rows
///     part 17 events hot/000000000017.part 3 18432 - 0             number, table, file, rows, bytes, replacement, its bytes
///     content 19 content/000000000019.content 4 8014 - 0           number, file, pieces, bytes, replacement, its bytes
///     end 5d41402a                                                 CRC32C of all bytes before this line
///
/// Steps of `memory` have a line for each table. Names are escaped, and numbers limited, as in the manifest.
enum ErasureProgressCodec {
  static let version = 1
  static let maximumBytes = 256 << 20
  /// Of all lines together: more than a store has.
  private static let maximumPieces: UInt64 = 1 << 30

  static func encode(_ progress: ErasureProgress, rules: UInt64) -> [UInt8] {
    var text = "lintel-progress \(version)\nrules \(rules)\nbefore \(progress.rootBefore ?? "-")\n"
    for (shard, ids) in progress.pieces.sorted(by: { $0.key < $1.key }) {
      let runs = ids.runs.map { " \($0.first) \($0.count)" }
      if !runs.isEmpty { text += "pieces \(shard)\(runs.joined())\n" }
    }
    for step in progress.steps { text += lines(step) }
    var bytes = Array(text.utf8)
    let checksum = bytes.withUnsafeBytes { Checksum.crc32c($0) }
    bytes += Array("end \(ManifestCodec.hex(checksum))\n".utf8)
    return bytes
  }

  private static func lines(_ step: ErasureProgress.Step) -> String {
    switch step {
    case .memory(let shard, let floor, let rows):
      return rows.sorted { $0.key < $1.key }
        .map { "memory \(shard) \(floor) \(ManifestCodec.escape($0.key)) \($0.value)\n" }.joined()
    case .part(let number, let part):
      return "part \(number) \(ManifestCodec.escape(part.table)) \(ManifestCodec.escape(part.name)) \(part.rowsErased) "
        + "\(part.bytesRead) \(replacement(part.replacement)) \(part.bytesWritten)\n"
    case .content(let number, let content):
      return "content \(number) \(ManifestCodec.escape(content.name)) \(content.piecesErased) \(content.bytesRead) "
        + "\(replacement(content.replacement)) \(content.bytesWritten)\n"
    }
  }

  private static func replacement(_ name: String?) -> String { name.map(ManifestCodec.escape) ?? "-" }

  static func decode(
    _ bytes: [UInt8], path: String
  ) throws(StorageError) -> (rules: UInt64, progress: ErasureProgress) {
    func damaged(_ reason: String) -> StorageError {
      StorageError(
        .corrupt, "what was erased before the store was opened can't be told, and isn't in the receipt: \(reason)",
        path: path)
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.popLast()?.isEmpty == true, let end = lines.popLast() else { throw damaged("the file has no end") }
    let checksum = bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[..<end.startIndex])) }
    guard end.elementsEqual("end \(ManifestCodec.hex(checksum))".utf8) else { throw damaged("its checksum is wrong") }
    let fields = lines.map { line in
      line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    guard fields.count >= 3, fields[0] == ["lintel-progress", "\(version)"], fields[1].count == 2,
      fields[1][0] == "rules", let rules = StoredNumber.counter(fields[1][1]), fields[2].count == 2,
      fields[2][0] == "before"
    else { throw damaged("it isn't of format \(version)") }
    var progress = ErasureProgress()
    var pieces: UInt64 = 0
    if fields[2][1] != "-" { progress.rootBefore = fields[2][1] }
    for (number, line) in fields.enumerated().dropFirst(3) {
      guard let kind = line.first, add(kind, line.dropFirst(), to: &progress, &pieces) else {
        throw damaged("line \(number + 1) isn't of format \(version)")
      }
    }
    return (rules, progress)
  }

  /// - Parameter pieces: How many the lines so far have.
  private static func add(
    _ kind: String, _ fields: ArraySlice<String>, to progress: inout ErasureProgress, _ pieces: inout UInt64
  ) -> Bool {
    let fields = Array(fields)
    switch (kind, fields.count) {
    case ("memory", 4):
      guard let shard = shard(fields[0]), let floor = StoredNumber.counter(fields[1]),
        let table = ManifestCodec.unescape(fields[2]),
        let rows = StoredNumber.size(fields[3])
      else { return false }
      progress.steps.append(.memory(shard: shard, floor: floor, rows: [table: rows]))
    case ("part", 7):
      guard let number = StoredNumber.counter(fields[0]), let table = ManifestCodec.unescape(fields[1]),
        let name = ManifestCodec.unescape(fields[2]), let rows = StoredNumber.size(fields[3]),
        let read = StoredNumber.size(fields[4]),
        let replacement = Replacement(fields[5], fields[6])
      else { return false }
      progress.steps.append(
        .part(
          number: number,
          ErasureReceipt.Part(
            table: table, tier: Tier(fileName: name), name: name, rowsErased: rows, bytesRead: read,
            replacement: replacement.name, bytesWritten: replacement.bytes)))
    case ("content", 6):
      guard let number = StoredNumber.counter(fields[0]), let name = ManifestCodec.unescape(fields[1]),
        let pieces = StoredNumber.size(fields[2]), let read = StoredNumber.size(fields[3]),
        let replacement = Replacement(fields[4], fields[5])
      else { return false }
      progress.steps.append(
        .content(
          number: number,
          ErasureReceipt.Content(
            name: name, piecesErased: pieces, bytesRead: read, replacement: replacement.name,
            bytesWritten: replacement.bytes)))
    case ("pieces", 3...):
      guard let shard = shard(fields[0]), fields.count % 2 == 1 else { return false }
      for place in stride(from: 1, to: fields.count, by: 2) {
        guard let first = UInt64(fields[place]), let length = UInt64(fields[place + 1]), length > 0,
          first <= ContentIDs.greatest, length <= maximumPieces - pieces
        else { return false }
        pieces += length
        progress.pieces[shard, default: ContentIDs()].insert(first..<first + length)
      }
    default: return false
    }
    return true
  }

  private static func shard(_ text: String) -> Int? {
    Int(text).flatMap { 0..<ManifestCodec.maximumShards ~= $0 ? $0 : nil }
  }

  private struct Replacement {
    var name: String?
    var bytes: Int

    init?(_ name: String, _ bytes: String) {
      guard let bytes = StoredNumber.size(bytes) else { return nil }
      self.bytes = bytes
      if name == "-" { return }
      guard let name = ManifestCodec.unescape(name) else { return nil }
      self.name = name
    }
  }
}
