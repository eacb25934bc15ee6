internal import Crypto
internal import Synchronization

/// Whose rows: those that have `key` in their table's subject column, of one tenant or of all.
public struct Subject: Sendable, Hashable {
  public var key: UInt128
  /// What the tenant column holds; `nil` for every tenant.
  public var tenant: TenantName?

  public init(_ key: UInt128, tenant: TenantName? = nil) {
    self.key = key
    self.tenant = tenant
  }
}

/// Makes the tokens by which files know subjects: the store remembers whom it must not take in again, and no file of it
/// holds the key that the rows had.
///
///     token := first 16 bytes of SHA-256("lintel subject" secret key)        key: 16 bytes, the highest first
///
/// Without the secret nobody can tell whether a given key is meant.
final class SubjectTokens: Sendable {
  private let secret: [UInt8]
  private let known = Mutex<[UInt128: UInt128]>([:])

  /// Subjects that send rows all the time are asked for with every batch.
  private static let capacity = 1 << 16

  init(secret: [UInt8]) { self.secret = secret }

  /// The token of a subject that is likely to be asked for again.
  func token(_ key: UInt128) -> UInt128 {
    if let token = known.withLock({ $0[key] }) { return token }
    let token = compute(key)
    known.withLock { known in
      if known.count >= Self.capacity { known.removeAll(keepingCapacity: true) }
      known[key] = token
    }
    return token
  }

  func compute(_ key: UInt128) -> UInt128 {
    var hash = SHA256()
    hash.update(data: Self.prefix)
    hash.update(data: secret)
    hash.update(data: key.bigEndianBytes)
    return UInt128(bigEndianBytes: hash.finalize().prefix(16))
  }

  func forget() { known.withLock { $0 = [:] } }

  private static let prefix = Array("lintel subject".utf8)
}

extension UInt128 {
  /// The highest byte first.
  var bigEndianBytes: [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: self >> UInt128(120 - 8 * $0)) } }

  init(bigEndianBytes bytes: some Sequence<UInt8>) { self = bytes.reduce(0) { $0 << 8 | UInt128($1) } }
}
