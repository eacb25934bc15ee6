/// How many terminal cells text takes: 2 for CJK and emoji, 0 for what combines with the scalar before it.
///
/// Emoji sequences (joined, with a skin tone, flags) count as one emoji, as current terminals draw them.
struct DisplayWidth {
  private(set) var cells = 0
  /// Width of the last scalar that took cells, so that a sequence's later scalars can join it.
  private var base = 0
  private var isJoined = false
  private var isHalfFlag = false

  /// Cells of `text`, which holds no control characters.
  static func of(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    guard text.contains(where: { $0 >= 0x80 }) else { return text.count }
    var width = DisplayWidth()
    var index = 0
    while index < text.count {
      let (scalar, length) = UTF8Decoding.scalar(text, at: index)
      width.add(scalar)
      index &+= max(1, length)
    }
    return width.cells
  }

  /// How many bytes of `text` fit into `limit` cells, never cutting a sequence.
  static func prefix(_ text: UnsafeBufferPointer<UInt8>, limit: Int) -> (bytes: Int, cells: Int) {
    var width = DisplayWidth()
    var index = 0
    while index < text.count {
      let (scalar, length) = UTF8Decoding.scalar(text, at: index)
      let before = width.cells
      width.add(scalar)
      if width.cells > limit { return (index, before) }
      index &+= max(1, length)
    }
    return (index, width.cells)
  }

  private mutating func add(_ scalar: UInt32) {
    let own = Self.width(scalar)
    switch scalar {
    case 0x200D:
      isJoined = base == 2
      return
    case 0xFE0F:
      if base == 1 { cells += 1 }
      if base > 0 { base = 2 }
      return
    case 0x1F3FB...0x1F3FF where base == 2:
      return
    case 0x1F1E6...0x1F1FF:
      isHalfFlag.toggle()
      if isHalfFlag { cells += 2 }
      base = 2
      return
    default: break
    }
    isHalfFlag = false
    if own == 0 { return }
    if isJoined {
      isJoined = false
      return
    }
    cells += own
    base = own
  }

  private static func width(_ scalar: UInt32) -> Int {
    if scalar < 0x300 { return 1 }
    if isWide(scalar) { return 2 }
    guard let unicode = Unicode.Scalar(scalar) else { return 1 }
    switch unicode.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if (0x1160...0x11FF).contains(scalar) { return 0 }
    return unicode.properties.isEmojiPresentation ? 2 : 1
  }

  /// East Asian Wide and Fullwidth (Unicode Standard Annex 11), by block.
  private static func isWide(_ scalar: UInt32) -> Bool {
    switch scalar {
    case ..<0x1100: false
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
      0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18CFF, 0x1AFF0...0x1B2FF,
      0x1F200...0x1F265, 0x20000...0x3FFFD:
      true
    default: false
    }
  }
}
