import LintelColumns

/// The sort order of values (``QueryPlan/Ordering``), as comparisons and as bytes that memcmp orders the same way.
enum SortOrder {
  /// -0 equals 0; every NaN is alike and greatest.
  @inline(__always)
  static func compare(_ a: Double, _ b: Double) -> Int {
    if a < b { return -1 }
    if a > b { return 1 }
    if a == b { return 0 }
    return (a.isNaN ? 1 : 0) - (b.isNaN ? 1 : 0)
  }

  /// Bits that compare unsigned as the doubles do.
  @inline(__always)
  static func bits(_ number: Double) -> UInt64 {
    if number.isNaN { return .max }
    let raw = (number == 0 ? 0 : number).bitPattern
    return raw >> 63 == 0 ? raw | 1 << 63 : ~raw
  }

  /// Bits that compare unsigned as the lanes do.
  @inline(__always)
  static func bits(_ lane: Int64, isUnsigned: Bool) -> UInt64 {
    UInt64(bitPattern: lane) ^ (isUnsigned ? 0 : 1 << 63)
  }

  /// The signed lane behind its bits.
  @inline(__always)
  static func lane(_ bits: UInt64) -> Int64 { Int64(bitPattern: bits ^ 1 << 63) }

  static func compareVariants(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>) -> Int {
    var x: [UInt8] = []
    var y: [UInt8] = []
    appendVariantKey(a, to: &x)
    appendVariantKey(b, to: &y)
    return x.withUnsafeBufferPointer { x in y.withUnsafeBufferPointer { y in compareBytes(x, y) } }
  }

  static func appendBits(_ bits: some FixedWidthInteger, to out: inout [UInt8]) {
    withUnsafeBytes(of: bits.bigEndian) { out.append(contentsOf: $0) }
  }

  /// Bytes so that no key begins another: zero bytes are followed by 255, the end is two zero bytes.
  static func appendTerminated(_ bytes: some Sequence<UInt8>, to out: inout [UInt8]) {
    for byte in bytes {
      out.append(byte)
      if byte == 0 { out.append(0xFF) }
    }
    out.append(0)
    out.append(0)
  }

  /// By kind; numbers as doubles, then ints before doubles, ints by value, doubles by their bits.
  static func appendVariantKey(_ encoded: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
    switch EncodedVariant.scalar(encoded) {
    case .malformed, .empty: out.append(0)
    case .bool(let flag): out += [1, flag ? 1 : 0]
    case .int(let value):
      out.append(2)
      appendBits(bits(Double(value)), to: &out)
      out.append(0)
      appendBits(bits(value, isUnsigned: false), to: &out)
    case .double(let value):
      out.append(2)
      appendBits(bits(value), to: &out)
      out.append(1)
      appendBits(value.bitPattern, to: &out)
    case .string(let text):
      out.append(3)
      appendTerminated(text, to: &out)
    case .bytes(let bytes):
      out.append(4)
      appendTerminated(bytes, to: &out)
    case .composite(let tag):
      out.append(tag == 7 ? 5 : 6)
      appendTerminated(encoded, to: &out)
    }
  }
}

/// One column of a sort key over a vector.
struct SortColumn {
  let vector: Vector
  let type: ColumnType
  let isDescending: Bool
  let nullsFirst: Bool

  init(_ vector: Vector, _ type: ColumnType, isDescending: Bool = false, nullsFirst: Bool = false) {
    self.vector = vector
    self.type = type
    self.isDescending = isDescending
    self.nullsFirst = nullsFirst
  }

  /// Appends the key bytes of one lane.
  func append(_ lane: Int, to out: inout [UInt8]) {
    guard vector.isValid(lane) else {
      out.append(nullsFirst ? 0 : 2)
      return
    }
    out.append(1)
    let start = out.count
    appendValue(lane, to: &out)
    if isDescending { for index in start..<out.count { out[index] = ~out[index] } }
  }

  private func appendValue(_ lane: Int, to out: inout [UInt8]) {
    switch vector.lanes {
    case .int64(let values): SortOrder.appendBits(SortOrder.bits(values[lane], isUnsigned: type == .id8), to: &out)
    case .float64(let values): SortOrder.appendBits(SortOrder.bits(values[lane]), to: &out)
    case .bool(let values): out.append(values[lane] ? 1 : 0)
    case .id128(let values): SortOrder.appendBits(values[lane], to: &out)
    case .codes(let codes, let dictionary):
      if case .id128(let values) = dictionary.values {
        let code = Int(codes[lane])
        SortOrder.appendBits(code < values.count ? values[code] : 0, to: &out)
      } else {
        appendBytes(lane, to: &out)
      }
    case .bytes: appendBytes(lane, to: &out)
    }
  }

  private func appendBytes(_ lane: Int, to out: inout [UInt8]) {
    vector.withBytes { view in
      if type == .variant {
        SortOrder.appendVariantKey(view[lane], to: &out)
      } else {
        SortOrder.appendTerminated(view[lane], to: &out)
      }
    }
  }

  /// A number per lane that never decreases along the order: a coarse key to reject most rows by.
  func prefixes() -> [UInt64] {
    let flip: UInt64 = isDescending ? .max : 0
    var result: [UInt64]
    switch vector.lanes {
    case .int64(let values):
      let isUnsigned = type == .id8
      result = mapLanes(values) { SortOrder.bits($0, isUnsigned: isUnsigned) ^ flip }
    case .float64(let values): result = mapLanes(values) { SortOrder.bits($0) ^ flip }
    case .bool(let values): result = mapLanes(values) { ($0 ? 1 : 0) ^ flip }
    case .id128(let values): result = mapLanes(values) { UInt64(truncatingIfNeeded: $0 >> 64) ^ flip }
    case .codes, .bytes:
      if vector.isIdentifier {
        guard case .id128(let values) = vector.plain.lanes else { return Array(repeating: 0, count: vector.count) }
        result = mapLanes(values) { UInt64(truncatingIfNeeded: $0 >> 64) ^ flip }
      } else if type == .variant {
        return Array(repeating: 0, count: vector.count)
      } else {
        result = vector.withBytes { view in makeLanes(vector.count) { Self.prefix(view[$0]) ^ flip } }
      }
    }
    guard let validity = vector.validity else { return result }
    let null: UInt64 = nullsFirst ? 0 : .max
    return zipLanes(result, validity) { $1 ? $0 : null }
  }

  @inline(__always)
  private static func prefix(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var result: UInt64 = 0
    for index in 0..<8 { result = result << 8 | UInt64(index < bytes.count ? bytes[index] : 0) }
    return result
  }
}
