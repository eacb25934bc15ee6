internal import Crypto
internal import LintelColumns

/// What a backup consists of, as its file `backup.listing` says it. It is written last: a backup without one was never
/// finished.
///
///     lintel-backup 1
///     number 8
///     store 4a7d1ed414474e4033ac29ccb8653d9b
///     began 1700000000000000000
///     manifest 42
///     rules 41
///     file hot/000000000017.part 1843200 9ab3c1d0
///     damage hot/000000000018.part block%203%20of%20column%20'name'%20..
///     end 5d41402a
///
/// - `store`: the same for all backups of a store and of what was restored from them.
/// - `began`: when the backup was asked for, in nanoseconds since 1970. What was acknowledged before that is in it.
/// - `manifest`, `rules`: their numbers.
/// - `file`: name within the backup, bytes, CRC32C of all bytes in hex.
/// - `damage`: a file of the store that was not what the store had written, or was missing.
/// - `end`: CRC32C of all bytes before the line. Names and reasons are escaped as names in a manifest are.
struct BackupListing: Sendable, Hashable {
  struct File: Sendable, Hashable {
    var name: String
    var bytes: Int
    var checksum: UInt32
  }

  struct Damage: Sendable, Hashable {
    var name: String
    var reason: String
  }

  static let fileName = "backup.listing"
  static let version = 1
  static let maximumBytes = 256 << 20

  var number: UInt64
  var store: UInt128
  var began: Int64
  var manifest: UInt64
  var rules: UInt64
  var files: [File] = []
  var damages: [Damage] = []

  var bytes: Int { files.reduce(0) { $0 &+ $1.bytes } }

  /// What stands for a store in its backups: whoever has the same secret has the same users' hashes, so that what was erased in
  /// the one is known in the other.
  static func store(secret: [UInt8]) -> UInt128 {
    var hash = SHA256()
    hash.update(data: Array("lintel store".utf8))
    hash.update(data: secret)
    return UInt128(bigEndianBytes: hash.finalize().prefix(16))
  }

  /// Files that only their owner may read.
  static func isPrivate(_ name: String) -> Bool { name == "secret" || name == "erasure/key" }

  /// Whether a name leads to a file below the directory that it is put behind.
  static func isPlain(_ name: String) -> Bool {
    // Byte by byte, as the operating system reads it: a character may be a slash and more.
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return name.utf8.count <= 1000 && !name.utf8.contains(0)
      && parts.allSatisfy { part in
        !part.isEmpty && part.count <= 255 && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
      }
  }
}

extension BackupListing {
  func encoded() -> [UInt8] {
    var text = "lintel-backup \(Self.version)\nnumber \(number)\nstore \(RulesCodec.hex(store))\nbegan \(began)\n"
    text += "manifest \(manifest)\nrules \(rules)\n"
    for file in files {
      text += "file \(ManifestCodec.escape(file.name)) \(file.bytes) \(ManifestCodec.hex(file.checksum))\n"
    }
    for damage in damages {
      text += "damage \(ManifestCodec.escape(damage.name)) \(ManifestCodec.escape(damage.reason))\n"
    }
    var bytes = Array(text.utf8)
    bytes += Array("end \(ManifestCodec.hex(Checksum.crc32c(bytes)))\n".utf8)
    return bytes
  }

  init(decoding bytes: [UInt8], path: String) throws(StorageError) {
    func damaged(_ reason: String) -> StorageError {
      StorageError(.corrupt, "the listing of the backup is damaged: \(reason); use another backup", path: path)
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.popLast()?.isEmpty == true, let end = lines.popLast() else { throw damaged("it has no end") }
    let checksum = bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[..<end.startIndex])) }
    guard end.elementsEqual("end \(ManifestCodec.hex(checksum))".utf8) else { throw damaged("its checksum is wrong") }
    var parser = ListingParser(lines: lines)
    guard let listing = parser.parse() else {
      throw StorageError(
        .incompatible,
        "line \(parser.line) of the listing isn't of format \(Self.version): use the Lintel that wrote it",
        path: path)
    }
    self = listing
  }
}

private struct ListingParser {
  let lines: [ArraySlice<UInt8>]
  /// Number of the line read last, from 1.
  var line = 0

  init(lines: [ArraySlice<UInt8>]) { self.lines = lines }

  mutating func parse() -> BackupListing? {
    guard field("lintel-backup").flatMap({ Int($0) }) == BackupListing.version,
      let number = field("number").flatMap({ StoredNumber.counter($0) }),
      let store = field("store").flatMap({ UInt128($0, radix: 16) }), let began = field("began").flatMap({ Int64($0) }),
      let manifest = field("manifest").flatMap({ StoredNumber.counter($0) }),
      let rules = field("rules").flatMap({ StoredNumber.counter($0) })
    else { return nil }
    var listing = BackupListing(number: number, store: store, began: began, manifest: manifest, rules: rules)
    var names: Set<String> = []
    while let fields = next() {
      guard fields.count > 1, let name = ManifestCodec.unescape(fields[1]), BackupListing.isPlain(name) else {
        return nil
      }
      switch (fields[0], fields.count) {
      case ("file", 4):
        guard let bytes = StoredNumber.size(fields[2]), let checksum = UInt32(fields[3], radix: 16),
          names.insert(name).inserted
        else { return nil }
        listing.files.append(.init(name: name, bytes: bytes, checksum: checksum))
      case ("damage", 3):
        guard let reason = ManifestCodec.unescape(fields[2]) else { return nil }
        listing.damages.append(.init(name: name, reason: reason))
      default: return nil
      }
    }
    return listing
  }

  private mutating func field(_ keyword: String) -> String? {
    guard let fields = next(), fields.count == 2, fields[0] == keyword else { return nil }
    return fields[1]
  }

  private mutating func next() -> [String]? {
    guard line < lines.count else { return nil }
    defer { line += 1 }
    return lines[line].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
