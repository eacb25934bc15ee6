/// Base64 (RFC 4648).
package enum Base64 {
  /// Appends the standard alphabet's characters for `run`, with padding.
  package static func append(_ run: UnsafeRawBufferPointer, to out: inout [UInt8]) {
    var index = 0
    while index < run.count {
      let left = run.count &- index
      let group =
        UInt32(run[index]) << 16 | (left > 1 ? UInt32(run[index &+ 1]) << 8 : 0)
        | (left > 2 ? UInt32(run[index &+ 2]) : 0)
      out.append(character(group >> 18))
      out.append(character(group >> 12))
      out.append(left > 1 ? character(group >> 6) : UInt8(ascii: "="))
      out.append(left > 2 ? character(group) : UInt8(ascii: "="))
      index &+= 3
    }
  }

  private static func character(_ bits: UInt32) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: bits & 63)
    switch value {
    case 0..<26: return UInt8(ascii: "A") &+ value
    case 26..<52: return UInt8(ascii: "a") &+ (value &- 26)
    case 52..<62: return UInt8(ascii: "0") &+ (value &- 52)
    case 62: return UInt8(ascii: "+")
    default: return UInt8(ascii: "/")
    }
  }

  /// The bytes that `text` stands for, in either alphabet, with or without padding; `nil` for anything else.
  package static func decoded(_ text: [UInt8]) -> [UInt8]? {
    var digits = text[...]
    while digits.last == UInt8(ascii: "="), text.count - digits.count < 2 { digits.removeLast() }
    guard digits.count % 4 != 1 else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(digits.count / 4 * 3 + 3)
    var bits: UInt32 = 0
    var count = 0
    for byte in digits {
      guard let digit = value(byte) else { return nil }
      bits = bits << 6 | UInt32(digit)
      count += 6
      if count >= 8 {
        count -= 8
        out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        bits &= (1 << UInt32(count)) - 1
      }
    }
    return out
  }

  private static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
