/// Reading scalars out of bytes that ought to be UTF-8.
enum UTF8Decoding {
  static let replacement: UInt32 = 0xFFFD

  /// The scalar at `index` and its length in bytes; length 0 where the bytes are not valid UTF-8 (then skip one byte and
  /// show ``replacement``).
  static func scalar(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (value: UInt32, length: Int) {
    let first = text[index]
    if first < 0x80 { return (UInt32(first), 1) }
    let left = text.count &- index
    func continuation(_ distance: Int) -> UInt32? {
      guard distance < left else { return nil }
      let byte = text[index &+ distance]
      return byte & 0xC0 == 0x80 ? UInt32(byte & 0x3F) : nil
    }
    switch first {
    case 0xC2...0xDF:
      guard let b = continuation(1) else { return (replacement, 0) }
      return (UInt32(first & 0x1F) << 6 | b, 2)
    case 0xE0...0xEF:
      guard let b = continuation(1), let c = continuation(2) else { return (replacement, 0) }
      let value = UInt32(first & 0x0F) << 12 | b << 6 | c
      return value < 0x800 || (0xD800...0xDFFF).contains(value) ? (replacement, 0) : (value, 3)
    case 0xF0...0xF4:
      guard let b = continuation(1), let c = continuation(2), let d = continuation(3) else { return (replacement, 0) }
      let value = UInt32(first & 0x07) << 18 | b << 12 | c << 6 | d
      return value < 0x10000 || value > 0x10FFFF ? (replacement, 0) : (value, 4)
    default:
      return (replacement, 0)
    }
  }
}
