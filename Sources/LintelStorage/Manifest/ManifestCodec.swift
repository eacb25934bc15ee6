internal import LintelColumns

/// The text of a manifest, one item a line, fields separated by one space:
///
///     lintel-manifest 1
///     sequence 42
///     next-part 18
///     shard 0 7                                  shard, first log segment needed
///     erased 41                                  only where anything was erased
///     tier warm /mnt/disk/lintel-warm            only of tiers that have a directory elsewhere
///     next-content 0 71021                       shard, above every id that pieces of content have had; or of no shard
///     part 17 spans 0 1 hot/000000000017.part 120000 1843200 9600000 1700000000 1700000600 1700000900 9ab3c1d0 live
///     content 19 0 0 content/000000000019.content 3120 801422 4801233 1f2e3d4c
///     end 5d41402a
///
/// - `part`: number, table, shard, level, file, rows, file bytes, raw bytes, least and greatest time, when the newest
///   row came, CRC32C of the footer in hex, `live` or `quarantined`.
/// - `erased`: no part holds rows of erasures asked for up to this number of the rules.
/// - `tier`: `warm` or `cold`, in that order, and the directory that stands for the folder of that name.
/// - `content`: number, shard, level, file, pieces, file bytes, bytes before compression, CRC32C of the trailer in hex. None
///   without `next-content` lines, and behind all parts.
/// - `end`: CRC32C of all the bytes before the line, in hex. Nothing follows it.
/// - In a name, every byte outside `!`...`~`, and `%`, is written as `%` and two hex digits.
/// - Shards are listed from 0 upwards, parts in any order with distinct numbers below `next-part`.
/// - Counters are below 2^62, sizes below 2^48, levels below 2^16.
///
/// Text, so that an operator can read it; strict, so that nothing half understood is acted on.
enum ManifestCodec {
  static let version = 1
  /// Hundreds of thousands of parts.
  static let maximumBytes = 64 << 20
  static let maximumShards = 4096

  static func encode(_ manifest: Manifest) -> [UInt8] {
    var text = "lintel-manifest \(version)\nsequence \(manifest.sequence)\nnext-part \(manifest.nextPartNumber)\n"
    for (shard, floor) in manifest.logFloors.enumerated() { text += "shard \(shard) \(floor)\n" }
    // Who doesn't know this line refuses the store, and so brings nobody back.
    if manifest.erased > 0 { text += "erased \(manifest.erased)\n" }
    // Who doesn't know these lines would look for parts where they aren't.
    for (tier, directory) in manifest.volumes.sorted(by: { $0.key < $1.key }) {
      text += "tier \(tier.rawValue) \(escape(directory))\n"
    }
    // Nor does who doesn't know these lines take rows for whole that refer to content.
    for (shard, next) in manifest.nextContent.enumerated() { text += "next-content \(shard) \(next)\n" }
    for part in manifest.parts { text += line(part) }
    for content in manifest.content { text += line(content) }
    var bytes = Array(text.utf8)
    let checksum = bytes.withUnsafeBytes { Checksum.crc32c($0) }
    bytes += Array("end \(hex(checksum))\n".utf8)
    return bytes
  }

  static func line(_ part: PartEntry) -> String {
    let fields: [String] = [
      "part", "\(part.number)", escape(part.table), "\(part.shard)", "\(part.level)", escape(part.fileName),
      "\(part.rowCount)", "\(part.fileBytes)", "\(part.rawBytes)", "\(part.minTime)", "\(part.maxTime)",
      "\(part.arrived)", hex(part.footerChecksum), part.isQuarantined ? "quarantined" : "live",
    ]
    return fields.joined(separator: " ") + "\n"
  }

  static func line(_ content: ContentEntry) -> String {
    let fields: [String] = [
      "content", "\(content.number)", "\(content.shard)", "\(content.level)", escape(content.fileName),
      "\(content.pieceCount)", "\(content.fileBytes)", "\(content.rawBytes)", hex(content.checksum),
    ]
    return fields.joined(separator: " ") + "\n"
  }

  static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> Manifest {
    func damaged(_ reason: String) -> StorageError {
      StorageError(.corrupt, "the manifest is damaged: \(reason)", path: path)
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.popLast()?.isEmpty == true, let end = lines.popLast() else { throw damaged("it has no end") }
    let checksum = bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[..<end.startIndex])) }
    guard end.elementsEqual("end \(hex(checksum))".utf8) else { throw damaged("its checksum is wrong") }
    // From here on the text is what a Lintel wrote: a line that isn't understood comes from another version.
    var parser = ManifestParser(lines: lines)
    guard let manifest = parser.parse() else {
      throw StorageError(
        .incompatible, "line \(parser.line) of the manifest isn't of format \(version): use the Lintel that wrote it",
        path: path)
    }
    return manifest
  }

  static func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
  }

  static func escape(_ name: String) -> String {
    var text = ""
    for byte in name.utf8 {
      if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "%") {
        text.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        text += (byte < 16 ? "%0" : "%") + String(byte, radix: 16)
      }
    }
    return text
  }
}

private struct ManifestParser {
  let lines: [ArraySlice<UInt8>]
  /// Number of the line read last, from 1.
  var line = 0

  init(lines: [ArraySlice<UInt8>]) { self.lines = lines }

  mutating func parse() -> Manifest? {
    guard let header = fields("lintel-manifest", 1), Int(header[0]) == ManifestCodec.version,
      let sequence = fields("sequence", 1).flatMap({ StoredNumber.counter($0[0]) }),
      let next = fields("next-part", 1).flatMap({ StoredNumber.counter($0[0]) })
    else { return nil }
    var manifest = Manifest(sequence: sequence, nextPartNumber: next, logFloors: [], parts: [])
    while line < lines.count, lines[line].starts(with: "shard ".utf8) {
      guard let shard = fields("shard", 2), Int(shard[0]) == manifest.logFloors.count,
        let floor = StoredNumber.counter(shard[1]),
        manifest.logFloors.count < ManifestCodec.maximumShards
      else { return nil }
      manifest.logFloors.append(floor)
    }
    guard !manifest.logFloors.isEmpty else { return nil }
    if line < lines.count, lines[line].starts(with: "erased ".utf8) {
      guard let erased = fields("erased", 1).flatMap({ StoredNumber.counter($0[0]) }), erased > 0 else { return nil }
      manifest.erased = erased
    }
    while line < lines.count, lines[line].starts(with: "tier ".utf8) {
      guard let text = fields("tier", 2), let tier = Tier(rawValue: text[0]), tier != .hot,
        manifest.volumes.keys.allSatisfy({ $0 < tier }), let directory = unescape(text[1]), !directory.isEmpty
      else { return nil }
      manifest.volumes[tier] = directory
    }
    while line < lines.count, lines[line].starts(with: "next-content ".utf8) {
      guard let next = fields("next-content", 2), Int(next[0]) == manifest.nextContent.count,
        let id = UInt64(next[1]), 0 < id, id <= ContentRecipe.idLimit,
        manifest.nextContent.count < manifest.shardCount
      else { return nil }
      manifest.nextContent.append(id)
    }
    guard manifest.nextContent.isEmpty || manifest.nextContent.count == manifest.shardCount else { return nil }
    var numbers: Set<UInt64> = []
    while line < lines.count, !lines[line].starts(with: "content ".utf8) {
      guard let part = part(shards: manifest.shardCount), part.number < next, numbers.insert(part.number).inserted
      else { return nil }
      manifest.parts.append(part)
    }
    while line < lines.count {
      guard !manifest.nextContent.isEmpty, let content = content(shards: manifest.shardCount), content.number < next,
        numbers.insert(content.number).inserted
      else { return nil }
      manifest.content.append(content)
    }
    return manifest
  }

  private mutating func content(shards: Int) -> ContentEntry? {
    guard let text = fields("content", 8), let number = UInt64(text[0]), let shard = Int(text[1]),
      0..<shards ~= shard, let level = StoredNumber.level(text[2]), let file = unescape(text[3]),
      let pieces = StoredNumber.size(text[4]), let bytes = StoredNumber.size(text[5]),
      let raw = StoredNumber.size(text[6]),
      let checksum = UInt32(text[7], radix: 16)
    else { return nil }
    return ContentEntry(
      number: number, shard: shard, fileName: file, pieceCount: pieces, fileBytes: bytes, rawBytes: raw, level: level,
      checksum: checksum)
  }

  private mutating func part(shards: Int) -> PartEntry? {
    guard let text = fields("part", 13), let number = UInt64(text[0]), let table = unescape(text[1]),
      let shard = Int(text[2]), 0..<shards ~= shard, let level = StoredNumber.level(text[3]),
      let file = unescape(text[4]),
      let rows = StoredNumber.size(text[5]), let bytes = StoredNumber.size(text[6]),
      let raw = StoredNumber.size(text[7]),
      let minTime = Int64(text[8]), let maxTime = Int64(text[9]), let arrived = Int64(text[10]),
      let checksum = UInt32(text[11], radix: 16), text[12] == "live" || text[12] == "quarantined"
    else { return nil }
    return PartEntry(
      number: number, table: table, shard: shard, level: level, fileName: file, rowCount: rows, fileBytes: bytes,
      rawBytes: raw, minTime: minTime, maxTime: maxTime, arrived: arrived, footerChecksum: checksum,
      isQuarantined: text[12] == "quarantined")
  }

  /// The fields behind the keyword of the next line, if it has the keyword and that many of them.
  private mutating func fields(_ keyword: String, _ count: Int) -> [String]? {
    guard line < lines.count else { return nil }
    let parts = lines[line].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    line += 1
    guard parts.count == count + 1, parts[0].elementsEqual(keyword.utf8) else { return nil }
    return parts.dropFirst().map { String(decoding: $0, as: UTF8.self) }
  }

  private func unescape(_ text: String) -> String? { ManifestCodec.unescape(text) }
}

extension ManifestCodec {
  /// The name that ``escape(_:)`` has written so; `nil` when it can't have.
  static func unescape(_ text: String) -> String? {
    var bytes: [UInt8] = []
    // Byte by byte: an index within a character is moved back to its beginning, for ever, where the text is no ASCII.
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
