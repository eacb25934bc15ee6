/// The hash by which filters know a value. It is on disk: it never changes, and is the same on every machine.
///
/// Text is hashed as its UTF-8, an id as the number that its 16 bytes make with the first byte highest. The constants of
/// ``ByteHash`` that it builds on stand in docs/format.md.
public enum FilterHash {
  private static let seed: UInt64 = 0x4C49_4E54_454C_0001
  private static let blockSeed: UInt64 = 0xA24B_AED4_963E_E407

  /// The hash of a byte string.
  @inline(__always)
  public static func value(_ bytes: UnsafeRawBufferPointer) -> UInt64 { ByteHash.hash(bytes, seed: seed) }

  /// The hash of an id.
  @inline(__always)
  public static func value(_ id: UInt128) -> UInt64 { ByteHash.hash(id, seed: seed) }

  /// The key of a value in a filter that several blocks share: "this value occurs in that block".
  @inline(__always)
  public static func key(_ value: UInt64, block: Int) -> UInt64 {
    ByteHash.fold(value ^ seed, UInt64(truncatingIfNeeded: block) ^ blockSeed)
  }
}
