internal import LintelColumns

/// One attribute as it stands in the request, its value not copied.
struct ParsedAttribute {
  enum Kind: UInt8 {
    case string, int, double, bool
    /// An array, a map, bytes or nothing: encoded as a ``Variant`` in the list's `arena`.
    case variant
  }

  /// Stands for a key that isn't numbered.
  static let unlisted = UInt32.max

  var key: WireSlice
  /// The key's number in the request's key table, or `unlisted`.
  var keyNumber: UInt32
  var kind: Kind
  /// The bits of an integer, double or boolean; of a variant, where its encoding starts in the arena.
  var bits: UInt64
  /// A string's bytes; of an array, its message; otherwise empty.
  var text: WireSlice
  /// Length of a variant's encoding.
  var encodedCount: Int
}

/// An attribute list with room to encode what isn't a plain value. Reused from span to span.
struct AttributeList {
  var items: [ParsedAttribute] = []
  var arena = VariantWriter()

  @inline(__always)
  mutating func removeAll() {
    items.removeAll(keepingCapacity: true)
    arena.removeAll()
  }

  /// Calls `body` with the encoding of a variant.
  @inline(__always)
  func withEncoded<R>(_ attribute: ParsedAttribute, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    arena.bytes.withUnsafeBytes { bytes in
      let start = Int(truncatingIfNeeded: attribute.bits)
      return body(UnsafeRawBufferPointer(rebasing: bytes[start..<start &+ attribute.encodedCount]))
    }
  }

  /// Appends the value of an attribute of this list.
  func encodeValue(_ attribute: ParsedAttribute, into out: inout VariantWriter) {
    switch attribute.kind {
    case .string: out.append(utf8: attribute.text)
    case .int: out.append(int: Int64(bitPattern: attribute.bits))
    case .double: out.append(double: Double(bitPattern: attribute.bits))
    case .bool: out.append(bool: attribute.bits != 0)
    case .variant: withEncoded(attribute) { out.append(encoded: $0) }
    }
  }

  /// Appends key and value of an attribute of this list, as an entry of a map.
  func encodeEntry(_ attribute: ParsedAttribute, into out: inout VariantWriter) {
    out.append(key: attribute.key)
    encodeValue(attribute, into: &out)
  }
}
