extension StoreDirectory {
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
    guard bytes.count == Self.secretSize else {
      throw StorageError(
        .corrupt, "has \(bytes.count) bytes where \(Self.secretSize) belong: restore it from a backup", path: file)
    }
    guard try fileSystem.isPrivate(file) else {
      throw StorageError(
        .invalid, "others than its owner may read the secret: chmod 600 it, and consider who may have seen it",
        path: file)
    }
    return bytes
  }

  func createSecret() throws(StorageError) {
    let file = "\(path)/secret"
    if try fileSystem.exists(file) { return }
    var generator = SystemRandomNumberGenerator()
    let bytes = (0..<Self.secretSize).map { _ in UInt8.random(in: 0...255, using: &generator) }
    try fileSystem.writeDurably(bytes, to: file, temporary: file + ".tmp", in: path, isPrivate: true)
  }
}
