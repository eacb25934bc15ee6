/// The values of a block taken apart into lists' elements.
struct ParsedLists {
  /// Each value's ``ListForm``.
  private(set) var forms: [Int64] = []
  /// Each list's number of elements.
  private(set) var counts: [Int64] = []
  /// The same of the lists of integers alone.
  private(set) var integerCounts: [Int] = []
  /// The elements of all lists of integers, one list after the other.
  private(set) var integers: [Int64] = []
  private(set) var doubles: [Double] = []
  private(set) var texts = ByteStrings()
  private(set) var others = ByteStrings()

  /// Values looked at before all are.
  private static let sampleSize = 64

  var elementCount: Int { integers.count + doubles.count + texts.count }

  func holds(_ form: ListForm) -> Bool {
    switch form {
    case .integers: !integerCounts.isEmpty
    case .doubles: !doubles.isEmpty
    case .strings: texts.count > 0
    case .other: others.count > 0
    }
  }

  /// `nil` where most of the first values, or most of all, aren't lists of one kind of element.
  init?(_ lengths: [UInt32], _ bytes: UnsafeRawBufferPointer) {
    forms.reserveCapacity(lengths.count)
    var start = 0
    for (row, length) in lengths.enumerated() {
      let end = start &+ Int(length)
      append(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      start = end
      if row &+ 1 == Self.sampleSize, others.count > Self.sampleSize / 2 { return nil }
    }
    guard counts.count > others.count else { return nil }
  }

  private mutating func append(_ value: UnsafeRawBufferPointer) {
    var scanner = ElementScanner(value)
    guard let count = scanner.listCount(), let form = append(&scanner, count) else {
      forms.append(Int64(ListForm.other.rawValue))
      others.append(value)
      return
    }
    forms.append(Int64(form.rawValue))
    counts.append(Int64(count))
    if form == .integers { integerCounts.append(count) }
  }

  /// Appends the elements of a list, all or none; its form, `nil` when they are of no form or of several.
  private mutating func append(_ scanner: inout ElementScanner, _ count: Int) -> ListForm? {
    switch scanner.tag {
    case nil where count == 0: return .integers
    case VariantTag.int:
      let mark = integers.count
      for _ in 0..<count { if let element = scanner.integer() { integers.append(element) } }
      if integers.count - mark == count, scanner.isAtEnd { return .integers }
      integers.removeLast(integers.count - mark)
    case VariantTag.double:
      let mark = doubles.count
      for _ in 0..<count { if let element = scanner.double() { doubles.append(element) } }
      if doubles.count - mark == count, scanner.isAtEnd { return .doubles }
      doubles.removeLast(doubles.count - mark)
    case VariantTag.string:
      let mark = (count: texts.count, bytes: texts.bytes.count)
      for _ in 0..<count { if let element = scanner.string() { texts.append(element) } }
      if texts.count - mark.count == count, scanner.isAtEnd { return .strings }
      texts.offsets.removeLast(texts.count - mark.count)
      texts.bytes.removeLast(texts.bytes.count - mark.bytes)
    default: break
    }
    return nil
  }
}

/// Reads the elements of one list. What isn't written as ``VariantWriter`` writes it is refused, for it couldn't be
/// written again: a number with bytes that add nothing, above all. After a refusal nothing more is read.
private struct ElementScanner {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { offset == bytes.count }

  /// The next byte.
  var tag: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  /// The number of the list's elements, of which there is room for each.
  mutating func listCount() -> Int? {
    guard take(VariantTag.array), let count = varint(), count <= UInt64(bytes.count / 2) else { return nil }
    return Int(count)
  }

  mutating func integer() -> Int64? {
    guard take(VariantTag.int), let value = varint() else { return nil }
    return zigZagDecoded(value)
  }

  mutating func double() -> Double? {
    guard take(VariantTag.double), bytes.count &- offset >= 8 else { return refused() }
    let bits = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    offset &+= 8
    return Double(bitPattern: UInt64(littleEndian: bits))
  }

  mutating func string() -> UnsafeRawBufferPointer? {
    guard take(VariantTag.string), let length = varint(), length <= UInt64(bytes.count &- offset) else {
      return refused()
    }
    let end = offset &+ Int(length)
    defer { offset = end }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
  }

  private mutating func take(_ tag: UInt8) -> Bool {
    guard offset < bytes.count, bytes[offset] == tag else {
      offset = bytes.count &+ 1
      return false
    }
    offset &+= 1
    return true
  }

  /// A number in as few bytes as it takes.
  private mutating func varint() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < bytes.count {
      let byte = bytes[offset]
      offset &+= 1
      if shift == 63, byte > 1 { return refused() }
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 { return byte == 0 && shift > 0 ? refused() : value }
      shift &+= 7
    }
    return refused()
  }

  private mutating func refused<Value>() -> Value? {
    offset = bytes.count &+ 1
    return nil
  }
}
