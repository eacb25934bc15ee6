internal import Lintel
internal import LintelColumns

/// A set of moves, by their numbers in ``Conventions/moves``.
struct MoveSet: Hashable {
  /// Number for the mark that a span had a parent id of all zeros (``SpanSchema/zeroParentOrigin``).
  static let zeroParent: UInt8 = 255

  private var words = SIMD4<UInt64>(repeating: 0)

  @inline(__always)
  mutating func insert(_ move: UInt8) { words[Int(move >> 6)] |= 1 << UInt64(move & 63) }

  mutating func formUnion(_ other: MoveSet) { words |= other.words }

  func contains(_ move: UInt8) -> Bool { words[Int(move >> 6)] >> UInt64(move & 63) & 1 != 0 }
}

/// The values of the origins column: a text for each set of moves that occurs.
struct Origins {
  private var texts = DictionaryBuilder()
  private var codes: [MoveSet: UInt32] = [:]
  private var last: (moves: MoveSet, code: UInt32)?

  @inline(__always)
  mutating func code(for moves: MoveSet) -> UInt32 {
    if let last, last.moves == moves { return last.code }
    return lookUp(moves)
  }

  @inline(never)
  private mutating func lookUp(_ moves: MoveSet) -> UInt32 {
    let code: UInt32
    if let known = codes[moves] {
      code = known
    } else {
      var entries = Conventions.moves.indices.filter { moves.contains(UInt8(truncatingIfNeeded: $0)) }
        .map { Conventions.moves[$0].originEntry }
      if moves.contains(MoveSet.zeroParent) { entries.append(SpanSchema.zeroParentOrigin) }
      code = texts.code(for: entries.joined(separator: ";"))
      codes[moves] = code
    }
    last = (moves, code)
    return code
  }

  /// The texts, by their codes.
  mutating func finish() -> ValueDictionary { texts.finish() }
}
