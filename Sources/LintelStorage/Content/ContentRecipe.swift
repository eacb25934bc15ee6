internal import LintelColumns

/// How a value consists of pieces: what a row keeps in its place.
///
///     recipe  := item*
///     item    := 0                             the literal before once more
///              | 2n:varint, bytes              a literal of n bytes, n > 0
///              | 2z + 1:varint                 a piece; z: zigzag of its id less that of the piece before, or 0
///
/// Ids are from 1 to 2^61 - 1. They are given in the order of first appearance, so that a conversation's are close together, and the histories that
/// its turns send begin alike.
enum ContentRecipe {
  /// Above every id.
  static let idLimit: UInt64 = 1 << 61

  static func isID(_ id: UInt64) -> Bool { 0 < id && id < idLimit }

  enum Item {
    case literal(Range<Int>)
    case piece(UInt64)
  }

  /// Appends the recipe of `bytes`, cut into `pieces` (ascending ranges) of the given ids.
  static func append(
    _ bytes: UnsafeRawBufferPointer, pieces: [Range<Int>], ids: [UInt64], to recipe: inout [UInt8]
  ) {
    var writer = PartBytesWriter()
    swap(&writer.bytes, &recipe)
    defer { swap(&writer.bytes, &recipe) }
    var end = 0
    var previous: UInt64 = 0
    var last = 0..<0
    func literal(_ range: Range<Int>) {
      guard !range.isEmpty else { return }
      if range.count == last.count, range.count > 0, bytes[range].elementsEqual(bytes[last]) {
        writer.varint(0)
      } else {
        writer.varint(UInt64(range.count) << 1)
        writer.bytes.append(contentsOf: bytes[range])
        last = range
      }
    }
    for (range, id) in zip(pieces, ids) {
      literal(end..<range.lowerBound)
      let difference = Int64(bitPattern: id &- previous)
      writer.varint(UInt64(bitPattern: difference &<< 1 ^ difference &>> 63) << 1 | 1)
      previous = id
      end = range.upperBound
    }
    literal(end..<bytes.count)
  }

  /// Walks over the items of a recipe, which are bytes from disk; literals as ranges of them.
  static func forEachItem<Failure: Error>(
    _ recipe: UnsafeRawBufferPointer, _ body: (Item) throws(Failure) -> Void
  ) throws(Failure) -> Bool {
    var place = 0
    var previous: UInt64 = 0
    var last = 0..<0
    while place < recipe.count {
      guard let value = varint(recipe, &place) else { return false }
      if value == 0 {
        guard !last.isEmpty else { return false }
        try body(.literal(last))
      } else if value & 1 == 0 {
        let length = value >> 1
        guard length <= UInt64(recipe.count - place) else { return false }
        last = place..<place + Int(length)
        place += Int(length)
        try body(.literal(last))
      } else {
        let zigzag = value >> 1
        previous = previous &+ (zigzag >> 1 ^ (0 &- (zigzag & 1)))
        guard isID(previous) else { return false }
        try body(.piece(previous))
      }
    }
    return true
  }

  private static func varint(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while place < bytes.count, shift < 64 {
      let byte = bytes[place]
      place += 1
      if shift == 63, byte > 1 { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  /// The ids of a recipe's pieces; `nil` when it is none.
  static func ids(_ recipe: UnsafeRawBufferPointer) -> [UInt64]? {
    var ids: [UInt64] = []
    let isWhole = forEachItem(recipe) { (item) throws(Never) in if case .piece(let id) = item { ids.append(id) } }
    return isWhole ? ids : nil
  }
}

extension ColumnVector {
  /// Calls `body` with each valid row's bytes, dictionary-coded or not.
  func forEachValue<Failure: Error>(
    _ body: (Int, UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    switch storage {
    case .bytes(let strings):
      for row in 0..<strings.count where isValid(row) {
        try strings.bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in
          try body(row, UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[strings.range(row)])))
        }
      }
    case .codes(let codes, let dictionary):
      guard case .bytes(let strings) = dictionary.values else { return }
      for row in codes.indices where isValid(row) && Int(codes[row]) < strings.count {
        try strings.bytes.withUnsafeBufferPointer { (bytes) throws(Failure) in
          try body(row, UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[strings.range(Int(codes[row]))])))
        }
      }
    default: return
    }
  }
}

extension Batch {
  /// The ids of all pieces that rows refer to.
  var contentIDs: Set<UInt64> {
    var ids: Set<UInt64> = []
    for column in attributes where column.key.kind.ofContent != nil {
      column.values.forEachValue { (_, recipe) throws(Never) in ids.formUnion(ContentRecipe.ids(recipe) ?? []) }
    }
    return ids
  }

  var hasContent: Bool { attributes.contains { $0.key.kind.ofContent != nil } }
}
