/// What strings of one kind have in common: literal pieces, and fields of digits that hold the rest as numbers.
///
///     template := pieces:u8, piece*
///     piece    := 0, length:varint, bytes          the same in every string
///               | 1, digits:u8 (1 to 16)           hexadecimal, lower case
///               | 2, digits:u8 (1 to 16)           hexadecimal, upper case
///               | 3                                decimal without leading zeros, 1 to 18 digits
///               | 4, digits:u8 (1 to 18)           decimal, filled up with zeros
///
/// `chatcmpl-70593c24295fa4a` is a literal and a field of 15 digits, 60 bits; a UUID is five fields with literals between.
struct StringTemplate: Hashable {
  enum Piece: Hashable {
    case literal([UInt8])
    case hex(digits: Int, isUpper: Bool)
    case decimal
    case fixedDecimal(digits: Int)

    var isField: Bool {
      if case .literal = self { false } else { true }
    }
  }

  static let maximumPieces = 16
  static let maximumHexDigits = 16
  static let maximumDecimalDigits = 18

  private(set) var pieces: [Piece] = []

  var fieldCount: Int { pieces.count(where: \.isField) }

  /// Adds a piece; fields of more digits than a number holds are cut.
  mutating func append(_ piece: Piece) {
    var piece = piece
    while true {
      switch piece {
      case .hex(let digits, let isUpper) where digits > Self.maximumHexDigits:
        pieces.append(.hex(digits: Self.maximumHexDigits, isUpper: isUpper))
        piece = .hex(digits: digits - Self.maximumHexDigits, isUpper: isUpper)
      case .fixedDecimal(let digits) where digits > Self.maximumDecimalDigits:
        pieces.append(.fixedDecimal(digits: Self.maximumDecimalDigits))
        piece = .fixedDecimal(digits: digits - Self.maximumDecimalDigits)
      default: return pieces.append(piece)
      }
    }
  }

  func write(into out: inout [UInt8]) {
    out.append(UInt8(truncatingIfNeeded: pieces.count))
    for piece in pieces {
      switch piece {
      case .literal(let bytes):
        out.append(0)
        bytes.withUnsafeBytes { out.append(lengthAndBytes: $0) }
      case .hex(let digits, let isUpper): out.append(contentsOf: [isUpper ? 2 : 1, UInt8(truncatingIfNeeded: digits)])
      case .decimal: out.append(3)
      case .fixedDecimal(let digits): out.append(contentsOf: [4, UInt8(truncatingIfNeeded: digits)])
      }
    }
  }

  init() {}

  init(_ reader: inout ByteReader) throws(ColumnError) {
    let count = Int(try reader.byte())
    guard count <= Self.maximumPieces else { throw ColumnError(.malformed, "a template of \(count) pieces") }
    for _ in 0..<count { pieces.append(try Piece(&reader)) }
  }
}

extension StringTemplate.Piece {
  fileprivate init(_ reader: inout ByteReader) throws(ColumnError) {
    let kind = try reader.byte()
    switch kind {
    case 0: self = .literal([UInt8](try reader.take(try reader.count())))
    case 3: self = .decimal
    case 1, 2, 4:
      let digits = Int(try reader.byte())
      let most = kind == 4 ? StringTemplate.maximumDecimalDigits : StringTemplate.maximumHexDigits
      guard digits >= 1, digits <= most else { throw ColumnError(.malformed, "a field of \(digits) digits") }
      self = kind == 4 ? .fixedDecimal(digits: digits) : .hex(digits: digits, isUpper: kind == 2)
    default: throw ColumnError(.malformed, "a template's piece of kind \(kind)")
    }
  }
}
