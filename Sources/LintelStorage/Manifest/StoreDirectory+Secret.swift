internal import LintelColumns

extension StoreDirectory {
  /// A checksum stands behind the secret: with a flipped bit, no user would be found again and nothing would tell why.
  private static let checksumSize = 4

  /// The key for hashing user ids: 32 random bytes, made when the store is created and never again.
  ///
  /// Throws `.corrupt` when it is gone or cut (a new one would give every user another hash, so none is made), `.invalid`
  /// when others may read it.
  public func secret() throws(StorageError) -> [UInt8] {
    let file = "\(path)/secret"
    let bytes: [UInt8]
    do throws(StorageError) {
      bytes = try fileSystem.readAll(file, limit: 1 << 16)
    } catch {
      guard error.isMissingFile else { throw error }
      throw StorageError(
        .corrupt, "the secret is gone, without which no user can be found again: restore it from a backup", path: file)
    }
    // Stores made before there was a checksum have none.
    guard [Self.secretSize, Self.secretSize + Self.checksumSize].contains(bytes.count) else {
      throw StorageError(
        .corrupt,
        "has \(bytes.count) bytes where \(Self.secretSize + Self.checksumSize) belong: restore it from a backup",
        path: file)
    }
    let secret = Array(bytes.prefix(Self.secretSize))
    guard bytes.count == Self.secretSize || bytes == Self.checked(secret) else {
      throw StorageError(.corrupt, "its checksum is wrong: restore it from a backup", path: file)
    }
    guard try fileSystem.isPrivate(file) else {
      throw StorageError(
        .invalid, "others than its owner may read the secret: chmod 600 it, and consider who may have seen it",
        path: file)
    }
    return secret
  }

  /// The secret with its CRC32C behind it, little-endian.
  private static func checked(_ secret: [UInt8]) -> [UInt8] {
    let sum = secret.withUnsafeBytes { Checksum.crc32c($0) }
    return secret + (0..<checksumSize).map { UInt8(truncatingIfNeeded: sum >> UInt32(8 * $0)) }
  }

  func createSecret() throws(StorageError) { try createPrivateKey("\(path)/secret", in: path) }

  /// 32 random bytes that only the owner may read, made when they are first asked for.
  func privateKey(_ file: String, in directory: String) throws(StorageError) -> [UInt8] {
    try createPrivateKey(file, in: directory)
    let bytes = try fileSystem.readAll(file, limit: 1 << 16)
    let key = Array(bytes.prefix(Self.secretSize))
    guard key.count == Self.secretSize, bytes == Self.checked(key) else {
      throw StorageError(.corrupt, "its checksum is wrong: restore it from a backup", path: file)
    }
    guard try fileSystem.isPrivate(file) else {
      throw StorageError(.invalid, "others than its owner may read the key: chmod 600 it", path: file)
    }
    return key
  }

  private func createPrivateKey(_ file: String, in directory: String) throws(StorageError) {
    if try fileSystem.exists(file) { return }
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<Self.secretSize).map { _ in UInt8.random(in: 0...255, using: &generator) }
    try fileSystem.writeDurably(
      Self.checked(bytes), to: file, temporary: file + ".tmp", in: directory, isPrivate: true)
  }
}
