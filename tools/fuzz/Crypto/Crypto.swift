/// Stands in for swift-crypto, so that fuzzing builds no packages: a hash of the right size, and nothing else.
public struct SymmetricKey: Sendable {
  public init(data: [UInt8]) {}
}

public struct SHA256 {}

public enum HMAC<Hash> {
  public static func authenticationCode(for bytes: UnsafeRawBufferPointer, using key: SymmetricKey) -> [UInt8] {
    var state: UInt64 = 0xCBF2_9CE4_8422_2325
    return (0..<32).map { round in
      for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
      state = (state ^ UInt64(round)) &* 0x100_0000_01B3
      return UInt8(truncatingIfNeeded: state >> 32)
    }
  }
}
