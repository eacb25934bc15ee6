/// Stands in for swift-crypto, so that fuzzing builds no packages: codes of the right size, and nothing else.
public struct SymmetricKey: Sendable {
  public init(data: [UInt8]) {}
}

public struct SHA256: Sendable {
  private var digest = Digest()

  public init() {}

  public static func hash(data: some Sequence<UInt8>) -> [UInt8] { Digest.code(of: data) }

  public mutating func update(data: some Sequence<UInt8>) { digest.add(data) }

  public func finalize() -> [UInt8] { digest.code }
}

public enum HMAC<Hash> {
  public static func authenticationCode(for bytes: some Sequence<UInt8>, using key: SymmetricKey) -> [UInt8] {
    Digest.code(of: bytes)
  }
}

public enum Curve25519 {
  public enum Signing {
    public struct PrivateKey: Sendable {
      public let publicKey: PublicKey

      public init(rawRepresentation: [UInt8]) throws { publicKey = try PublicKey(rawRepresentation: rawRepresentation) }

      public func signature(for data: [UInt8]) throws -> [UInt8] { Digest.code(of: data) + Digest.code(of: data) }
    }

    public struct PublicKey: Sendable {
      public let rawRepresentation: [UInt8]

      public init(rawRepresentation: [UInt8]) throws {
        struct WrongLength: Error {}
        guard rawRepresentation.count == 32 else { throw WrongLength() }
        self.rawRepresentation = rawRepresentation
      }

      public func isValidSignature(_ signature: [UInt8], for data: [UInt8]) -> Bool {
        signature == Digest.code(of: data) + Digest.code(of: data)
      }
    }
  }
}

/// FNV-1a, stretched.
private struct Digest: Sendable {
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }

  var code: [UInt8] {
    var state = state
    return (0..<32).map { round in
      state = (state ^ UInt64(round)) &* 0x100_0000_01B3
      return UInt8(truncatingIfNeeded: state >> 32)
    }
  }

  static func code(of bytes: some Sequence<UInt8>) -> [UInt8] {
    var digest = Digest()
    digest.add(bytes)
    return digest.code
  }
}
