/// Lists of numbers or of strings, as ``Variant`` encodes them, by their elements.
///
///     lists     := byteCount:u32, integers (each value's form), integers (each list's number of elements),
///                  [numbers], [doubles], [texts], [others]          each where there are values of that form
///     form      := 0 other | 1 list of integers, or empty | 2 list of doubles | 3 list of strings
///     numbers   := integers (for each list of integers how many of these back the one stands that it begins like; 0 for
///                  none), integers (how many elements it has in common with that, for those with one), integers (all
///                  elements that aren't had in common)
///     doubles   := encoding:u8 and a body of ``DoubleCodec``: all elements
///     texts     := encoding:u8 and a body of ``StringCodec``: all elements
///     others    := encoding:u8 and a body of ``StringCodec``: the values that aren't such lists
///
/// Lists begin like others where clients send a growing history, such as the numbers of a prompt's cached blocks.
/// `byteCount` is that of all values. Neither strings nor others are lists again. A list has one form to be written in:
/// what another variant writer would write otherwise is `other`, so that every byte comes back.
enum ListCodec {
  /// Readers believe in no more elements a byte, those had in common not counted.
  static let maximumElementsPerByte = 32

  /// Appends the body, where most values are lists and that may be shorter; otherwise nothing.
  static func encodeBody(_ lengths: [UInt32], _ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) -> Bool {
    guard bytes.count >= 64, bytes.count <= Int(UInt32.max) else { return false }
    guard let lists = ParsedLists(lengths, bytes) else { return false }
    let start = out.count
    out.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
    encode(lists.forms, into: &out)
    encode(lists.counts, into: &out)
    let sharedCount = lists.holds(.integers) ? encodeNumbers(lists, into: &out) : 0
    if lists.holds(.doubles) {
      encodeTagged(into: &out) { out in
        lists.doubles.withUnsafeBufferPointer { DoubleCodec.encodeBody($0, effort: .compact, into: &out).encoding }
      }
    }
    if lists.holds(.strings) { encode(lists.texts, into: &out) }
    if lists.holds(.other) { encode(lists.others, into: &out) }
    let size = out.count - start
    if bytes.count + lengths.count < size * (Compression.maximumRatio - 8),
      lists.elementCount - sharedCount <= size * maximumElementsPerByte
    {
      return true
    }
    out.removeLast(size)
    return false
  }

  private static func encode(_ values: [Int64], into out: inout [UInt8]) {
    values.withUnsafeBufferPointer { _ = IntegerEncoder.encode($0, effort: .compact, into: &out) }
  }

  private static func encode(_ strings: ByteStrings, into out: inout [UInt8]) {
    encodeTagged(into: &out) { out in
      strings.bytes.withUnsafeBytes {
        StringCodec.encodeBody(strings.lengths, $0, effort: .compact, mayBeLists: false, into: &out)
      }
    }
  }

  private static func encodeTagged(into out: inout [UInt8], _ body: (inout [UInt8]) -> BlockEncoding) {
    let tag = out.count
    out.append(0)
    out[tag] = body(&out).rawValue
  }

  /// With what lists have in common, or without where that takes fewer bytes. Returns how many elements that is.
  private static func encodeNumbers(_ lists: ParsedLists, into out: inout [UInt8]) -> Int {
    let none = SharedBeginnings(none: lists.integerCounts, elements: lists.integers)
    let start = out.count
    none.write(into: &out)
    let shared = SharedBeginnings(of: lists.integerCounts, elements: lists.integers)
    guard shared.sharedCount > 0 else { return 0 }
    let end = out.count
    shared.write(into: &out)
    if out.count - end < end - start {
      out.removeSubrange(start..<end)
      return shared.sharedCount
    }
    out.removeSubrange(end...)
    return 0
  }

  static func decodeBody(
    _ reader: inout ByteReader, lengths: UnsafeMutableBufferPointer<UInt32>
  ) throws(ColumnError) -> [UInt8] {
    let size = reader.remaining
    let byteCount = try StringCodec.claimedByteCount(&reader, of: "lists")
    let lists = try StoredLists(&reader, valueCount: lengths.count, size: size)
    return try ListWriter.bytes(of: lists, byteCount: byteCount, lengths: lengths)
  }
}

/// What a value of a block of lists is. Raw values are on disk and never change.
enum ListForm: UInt32 {
  case other = 0
  case integers = 1
  case doubles = 2
  case strings = 3
}
