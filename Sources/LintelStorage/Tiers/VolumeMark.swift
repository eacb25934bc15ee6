internal import Crypto
internal import LintelColumns

/// The file `lintel-volume` in a tier's directory: whose it is.
///
///     lintel-volume 1
///     store 9f86d081884c7d659a2feaa0c55ad015      one-way, from the store's secret
///     tier warm
///     end 5d41402a                                CRC32C of all bytes before this line
///
/// Without it a disk that isn't mounted would be a tier that lost its parts, and a directory that two stores were given one
/// in which each removes what the other wrote.
struct VolumeMark: Sendable, Equatable {
  static let fileName = "lintel-volume"
  static let lockName = "lock"
  private static let version = 1

  let store: String
  let tier: Tier

  init(store: String, tier: Tier) {
    self.store = store
    self.tier = tier
  }

  /// - Parameter secret: The store's.
  init(secret: [UInt8], tier: Tier) {
    var hash = SHA256()
    hash.update(data: Array("lintel volume".utf8))
    hash.update(data: secret)
    let digits = hash.finalize().prefix(16).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    self.init(store: digits.joined(), tier: tier)
  }

  /// Whether a name in a tier's directory is one of those that aren't parts and belong there.
  static func isOwn(_ name: String) -> Bool { name == fileName || name == lockName }

  func encoded() -> [UInt8] {
    let text = Array("lintel-volume \(Self.version)\nstore \(store)\ntier \(tier.rawValue)\n".utf8)
    return text + Array("end \(ManifestCodec.hex(text.withUnsafeBytes { Checksum.crc32c($0) }))\n".utf8)
  }

  static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> VolumeMark {
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.split(separator: " ", omittingEmptySubsequences: false) }
    if let first = lines.first, first.count == 2, first[0] == "lintel-volume", let version = Int(first[1]),
      version > Self.version
    {
      throw StorageError(
        .incompatible, "the volume has format \(version): use the Lintel that wrote it", path: path)
    }
    if lines.count == 5, lines[1].count == 2, lines[2].count == 2, let tier = Tier(rawValue: String(lines[2][1])) {
      let mark = VolumeMark(store: String(lines[1][1]), tier: tier)
      // Whatever was read otherwise than it is written is damaged.
      if mark.encoded() == bytes { return mark }
    }
    throw StorageError(
      .corrupt, "doesn't say whose tier this is: restore it, or take it from another backup of the same store",
      path: path)
  }
}
