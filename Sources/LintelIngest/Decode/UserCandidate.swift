internal import Lintel
internal import LintelColumns

/// The best user id seen so far for a span, not yet hashed.
struct UserCandidate {
  enum Value {
    case none
    case text(WireSlice)
    case number(Int64)
    /// A hash that the client sent.
    case hash(UInt128)
  }

  /// Where an id was found, the nearest first; it goes before the rank of the key.
  enum Place: UInt16 {
    case span = 0
    case resource = 0x100
    case scope = 0x200
    case nested = 0x300
  }

  var rank = UInt16.max
  var value = Value.none

  /// Keeps the better of the two.
  mutating func merge(_ other: UserCandidate) { if other.rank < rank { self = other } }

  /// Takes an id in, if it says anything and stands before what is held.
  mutating func offer(_ value: Value, keyRank: UInt8, place: Place) {
    let rank = place.rawValue | UInt16(keyRank)
    guard rank < self.rank else { return }
    if case .text(let text) = value, text.isEmpty { return }
    if case .none = value { return }
    self = UserCandidate(rank: rank, value: value)
  }

  /// The hash, if `text` is 32 hexadecimal digits.
  static func hash(hex text: WireSlice) -> UInt128? {
    guard text.count == 32 else { return nil }
    var value: UInt128 = 0
    for byte in text {
      guard let digit = Hex.value(byte) else { return nil }
      value = value << 4 | UInt128(digit)
    }
    return value
  }
}
