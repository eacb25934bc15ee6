#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Cuts a value at the boundaries of the messages in it, so that a conversation's growing history consists of the same
/// pieces each time it is sent.
///
/// A cut says which stretches of the bytes are pieces; what lies between them stays where it is. So pieces and the rest
/// give the value back to the byte, whatever it is: what doesn't look like messages is one piece.
public enum ContentCut {
  /// Shorter stretches aren't worth being pieces.
  public static let minimumBytes = 64

  /// Containers within which messages are looked for: a list, or an object that has lists.
  private static let searchedDepth = 2

  /// The pieces of a text, ascending: the objects in the lists of JSON's first two levels, and what is long between them.
  public static func pieces(ofText bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
    filled(objects(bytes) ?? [], count: bytes.count)
  }

  /// The pieces of a value as ``Variant`` encodes it, ascending: the maps of a list, and what is long between them.
  public static func pieces(ofVariant bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
    filled(maps(bytes) ?? [], count: bytes.count)
  }

  /// For finding equal pieces in memory; different in every process.
  package static func quickHash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    ByteHash.hash(bytes, seed: ByteHash.processSeed)
  }

  package static func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard left.count == right.count else { return false }
    guard let first = left.baseAddress, let second = right.baseAddress else { return true }
    return memcmp(first, second, left.count) == 0
  }

  /// Makes pieces of the long stretches between those found, and forgets short ones.
  private static func filled(_ found: [Range<Int>], count: Int) -> [Range<Int>] {
    guard count >= minimumBytes else { return [] }
    var pieces: [Range<Int>] = []
    pieces.reserveCapacity(found.count)
    var end = 0
    for range in found where range.count >= minimumBytes {
      if range.lowerBound - end >= minimumBytes { pieces.append(end..<range.lowerBound) }
      pieces.append(range)
      end = range.upperBound
    }
    if count - end >= minimumBytes { pieces.append(end..<count) }
    return pieces
  }

  // MARK: JSON

  /// The objects of lists in the first two levels; `nil` when the text isn't well-formed enough to tell.
  ///
  /// No validation: quotes, backslashes and brackets are all that is looked at.
  private static func objects(_ bytes: UnsafeRawBufferPointer) -> [Range<Int>]? {
    guard let base = bytes.baseAddress else { return nil }
    let count = bytes.count
    var found: [Range<Int>] = []
    var depth = 0
    /// Whether the container of each searched depth is a list.
    var isList = (false, false)
    var start = 0
    /// The depth in which the piece at hand stands; 0 when there is none.
    var pieceDepth = 0
    var index = 0
    while index < count {
      let byte = bytes[index]
      switch byte {
      case UInt8(ascii: "\""):
        guard let end = endOfString(base, from: index &+ 1, count) else { return nil }
        index = end
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        let isObject = byte == UInt8(ascii: "{")
        if pieceDepth == 0, isObject, depth == 1 && isList.0 || depth == 2 && isList.1 {
          pieceDepth = depth
          start = index
        }
        if depth == 0 { isList.0 = !isObject }
        if depth == 1 { isList.1 = !isObject }
        depth &+= 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth &-= 1
        guard depth >= 0 else { return nil }
        if depth == pieceDepth, depth > 0 {
          found.append(start..<index &+ 1)
          pieceDepth = 0
        }
      default: break
      }
      // Plain text in no list has no messages: nothing is to be found behind its first character.
      if depth == 0, found.isEmpty, byte > 0x20 { return nil }
      index &+= 1
    }
    return depth == 0 ? found : nil
  }

  /// Where the quote stands that ends a string.
  @inline(__always)
  private static func endOfString(_ base: UnsafeRawPointer, from start: Int, _ count: Int) -> Int? {
    var from = start
    while from < count, let quote = memchr(base + from, 0x22, count &- from) {
      let place = UnsafeRawPointer(quote) - base
      var backslashes = 0
      while place &- backslashes > start,
        base.load(fromByteOffset: place &- backslashes &- 1, as: UInt8.self) == UInt8(ascii: "\\")
      {
        backslashes &+= 1
      }
      if backslashes & 1 == 0 { return place }
      from = place &+ 1
    }
    return nil
  }

  // MARK: Variants

  /// The maps of a list; `nil` when the value is something else.
  private static func maps(_ bytes: UnsafeRawBufferPointer) -> [Range<Int>]? {
    var reader = ByteReader(bytes)
    do throws(ColumnError) {
      guard try reader.byte() == VariantTag.array else { return nil }
      var found: [Range<Int>] = []
      for _ in 0..<(try reader.count()) {
        let start = reader.offset
        guard start < bytes.count else { return nil }
        let isMap = bytes[start] == VariantTag.map
        try skip(&reader)
        if isMap { found.append(start..<reader.offset) }
      }
      return reader.remaining == 0 ? found : nil
    } catch {
      return nil
    }
  }

  /// Passes one value. Keeps count of what is still to come instead of recursing.
  private static func skip(_ reader: inout ByteReader) throws(ColumnError) {
    /// Values to come of each open container; those of maps have keys.
    var open: [(values: Int, hasKeys: Bool)] = [(1, false)]
    while let (values, hasKeys) = open.last {
      guard values > 0 else {
        open.removeLast()
        continue
      }
      open[open.count - 1].values -= 1
      if hasKeys { _ = try reader.take(try reader.count()) }
      switch try reader.byte() {
      case VariantTag.empty, VariantTag.no, VariantTag.yes: break
      case VariantTag.int: _ = try reader.varint()
      case VariantTag.double: _ = try reader.take(8)
      case VariantTag.string, VariantTag.bytes: _ = try reader.take(try reader.count())
      case VariantTag.array: open.append((try reader.count(), false))
      case VariantTag.map: open.append((try reader.count(minimumSize: 2), true))
      case let tag: throw ColumnError(.malformed, "there is no value of kind \(tag)")
      }
      guard open.count <= Variant.maximumDepth + 1 else {
        throw ColumnError(.limitExceeded, "values nest deeper than \(Variant.maximumDepth)")
      }
    }
  }
}
