/// Tags of the encoding; written to disk, never to change.
enum VariantTag {
  static let empty: UInt8 = 0
  static let no: UInt8 = 1
  static let yes: UInt8 = 2
  static let int: UInt8 = 3
  static let double: UInt8 = 4
  static let string: UInt8 = 5
  static let bytes: UInt8 = 6
  static let array: UInt8 = 7
  static let map: UInt8 = 8
}

extension Variant {
  /// Appends the encoding of the value.
  ///
  /// A container that holds values deeper than ``maximumDepth`` is written as the empty value, because nothing could
  /// read it back; ask ``isTooDeep`` first where that matters.
  public func encode(into out: inout [UInt8]) {
    var writer = VariantWriter(appendingTo: out)
    out = []
    write(to: &writer, depth: 1)
    out = writer.bytes
  }

  /// The encoding of the value.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    encode(into: &bytes)
    return bytes
  }

  /// Whether values nest deeper than ``maximumDepth``; a scalar has depth 1.
  public var isTooDeep: Bool { exceeds(depth: Variant.maximumDepth) }

  private func exceeds(depth: Int) -> Bool {
    guard depth > 0 else { return true }
    switch self {
    case .array(let values): return values.contains { $0.exceeds(depth: depth - 1) }
    case .map(let entries): return entries.contains { $0.value.exceeds(depth: depth - 1) }
    default: return false
    }
  }

  private func write(to writer: inout VariantWriter, depth: Int) {
    switch self {
    case .array(let values) where depth == Variant.maximumDepth && !values.isEmpty: writer.appendEmpty()
    case .map(let entries) where depth == Variant.maximumDepth && !entries.isEmpty: writer.appendEmpty()
    case .empty: writer.appendEmpty()
    case .bool(let value): writer.append(bool: value)
    case .int(let value): writer.append(int: value)
    case .double(let value): writer.append(double: value)
    case .string(let value): writer.append(string: value)
    case .bytes(let value): value.withUnsafeBytes { writer.append(bytes: $0) }
    case .array(let values):
      writer.beginArray(count: values.count)
      for value in values { value.write(to: &writer, depth: depth + 1) }
    case .map(let entries):
      writer.beginMap(count: entries.count)
      for entry in entries {
        writer.append(key: entry.key)
        entry.value.write(to: &writer, depth: depth + 1)
      }
    }
  }

  /// Decodes one value that takes up all of `bytes`. Invalid UTF-8 is repaired with U+FFFD.
  ///
  /// Throws `.truncated`, `.malformed`, or `.limitExceeded` where values nest deeper than ``maximumDepth``.
  public init(decoding bytes: UnsafeRawBufferPointer) throws(ColumnError) {
    var reader = ByteReader(bytes)
    self = try Variant.read(&reader, depth: 1)
    try reader.expectEnd()
  }

  /// Decodes one value that takes up all of `bytes`.
  public init(decoding bytes: [UInt8]) throws(ColumnError) {
    self = try bytes.withUnsafeBufferPointer { (buffer) throws(ColumnError) in
      try Variant(decoding: UnsafeRawBufferPointer(buffer))
    }
  }

  /// Decodes one value that takes up all of `bytes`.
  public init(decoding bytes: ArraySlice<UInt8>) throws(ColumnError) {
    self = try bytes.withUnsafeBufferPointer { (buffer) throws(ColumnError) in
      try Variant(decoding: UnsafeRawBufferPointer(buffer))
    }
  }

  private static func read(_ reader: inout ByteReader, depth: Int) throws(ColumnError) -> Variant {
    guard depth <= maximumDepth else {
      throw ColumnError(.limitExceeded, "values nest deeper than \(maximumDepth)")
    }
    let tag = try reader.byte()
    switch tag {
    case VariantTag.empty: return .empty
    case VariantTag.no: return .bool(false)
    case VariantTag.yes: return .bool(true)
    case VariantTag.int: return .int(zigZagDecoded(try reader.varint()))
    case VariantTag.double: return .double(Double(bitPattern: try reader.integer()))
    case VariantTag.string: return .string(try readString(&reader))
    case VariantTag.bytes: return .bytes([UInt8](try reader.take(try reader.count())))
    case VariantTag.array: return .array(try readArray(&reader, depth: depth))
    case VariantTag.map: return .map(try readMap(&reader, depth: depth))
    default: throw ColumnError(.malformed, "there is no value of kind \(tag)")
    }
  }

  /// Values for which a container reserves memory before it has read them. A count may claim every byte that is left, at
  /// each level of nesting anew; what is reserved beyond the bytes' worth stays below a megabyte this way.
  private static let reservedValues = 256

  private static func readString(_ reader: inout ByteReader) throws(ColumnError) -> String {
    String(decoding: try reader.take(try reader.count()), as: UTF8.self)
  }

  private static func readArray(_ reader: inout ByteReader, depth: Int) throws(ColumnError) -> [Variant] {
    let count = try reader.count()
    var values: [Variant] = []
    values.reserveCapacity(min(count, reservedValues))
    for _ in 0..<count { values.append(try read(&reader, depth: depth + 1)) }
    return values
  }

  private static func readMap(_ reader: inout ByteReader, depth: Int) throws(ColumnError) -> [Entry] {
    let count = try reader.count(minimumSize: 2)
    var entries: [Entry] = []
    entries.reserveCapacity(min(count, reservedValues))
    for _ in 0..<count {
      let key = try readString(&reader)
      entries.append(Entry(key, try read(&reader, depth: depth + 1)))
    }
    return entries
  }
}

@inline(__always)
func zigZagEncoded(_ value: Int64) -> UInt64 {
  UInt64(bitPattern: value &<< 1 ^ value &>> 63)
}

@inline(__always)
func zigZagDecoded(_ value: UInt64) -> Int64 {
  Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
}
