internal import Crypto
internal import LintelColumns
internal import Synchronization

/// A stretch of content that is stored once: a message, or what can't be cut.
struct ContentPiece: Sendable {
  /// By which rows refer to it; unique in its shard.
  var id: UInt64
  /// Of whose it is and its bytes (``ContentHasher``).
  var digest: UInt128
  var bytes: ArraySlice<UInt8>
}

/// Digests of content that nobody can compute without the store's secret, and that no two tenants share.
///
///     key    := HMAC-SHA256(secret, "lintel content" 00 tenant)          for rows without a tenant: "lintel content"
///     digest := first 16 bytes of HMAC-SHA256(key, bytes), the highest first
final class ContentHasher: Sendable {
  private static let label = Array("lintel content".utf8)
  /// Tenants whose keys are remembered.
  private static let capacity = 4096

  private let secret: SymmetricKey
  /// By the bytes of the name: names that only look alike are different tenants.
  private let keys = Mutex<[[UInt8]?: SymmetricKey]>([:])

  init(secret: [UInt8]) { self.secret = SymmetricKey(data: secret) }

  struct Key {
    fileprivate let key: SymmetricKey

    func digest(_ bytes: UnsafeRawBufferPointer) -> UInt128 {
      var digest: UInt128 = 0
      HMAC<SHA256>.authenticationCode(for: bytes, using: key).withUnsafeBytes { code in
        digest = UInt128(bigEndian: code.loadUnaligned(as: UInt128.self))
      }
      return digest
    }
  }

  /// - Parameter tenant: The bytes of its name.
  func key(tenant: [UInt8]?) -> Key {
    if let known = keys.withLock({ $0[tenant] }) { return Key(key: known) }
    var data = Self.label
    if let tenant { data += [0] + tenant }
    let code = HMAC<SHA256>.authenticationCode(for: data, using: secret)
    let key = SymmetricKey(data: Array(code))
    keys.withLock { keys in
      if keys.count >= Self.capacity { keys.removeAll(keepingCapacity: true) }
      keys[tenant] = key
    }
    return Key(key: key)
  }
}
