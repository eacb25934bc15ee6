internal import Crypto
internal import Synchronization

/// Turns user ids into the 128 bits that Lintel stores in their place.
///
/// The hash is the first 16 bytes of HMAC-SHA256(deployment secret, user id), read big-endian. Without the secret nobody
/// can test whether a given person is in the store; 128 bits keep two users from ever sharing a hash.
public final class UserHasher: Sendable {
  /// Hashes that are remembered: an HMAC costs about a microsecond, a lookup a twentieth of that.
  static let cacheCapacity = 65_536

  private let key: SymmetricKey
  /// By bytes: ids that only look alike are different users.
  private let cache = Mutex<[[UInt8]: UInt128]>([:])

  /// - Parameter secret: The deployment's secret; 32 random bytes are right.
  public init(secret: [UInt8]) {
    key = SymmetricKey(data: secret)
  }

  /// Longer ids are hashed anew each time, so that the cache stays small.
  static let cachedBytes = 256

  /// The stored form of a user id given as UTF-8.
  public func hash(_ userID: UnsafeRawBufferPointer) -> UInt128 {
    guard userID.count <= Self.cachedBytes else { return compute(userID) }
    let id = Array(userID)
    if let known = cache.withLock({ $0[id] }) { return known }
    let hash = compute(userID)
    cache.withLock { cache in
      if cache.count >= Self.cacheCapacity { cache.removeAll(keepingCapacity: true) }
      cache[id] = hash
    }
    return hash
  }

  /// Lets go of the ids that are remembered.
  func forget() { cache.withLock { $0 = [:] } }

  /// The stored form of a user id.
  public func hash(_ userID: String) -> UInt128 {
    var userID = userID
    return userID.withUTF8 { hash(UnsafeRawBufferPointer($0)) }
  }

  private func compute(_ userID: UnsafeRawBufferPointer) -> UInt128 {
    var hash: UInt128 = 0
    let code = HMAC<SHA256>.authenticationCode(for: userID, using: key)
    code.withUnsafeBytes { for byte in $0.prefix(16) { hash = hash << 8 | UInt128(byte) } }
    return hash
  }
}
