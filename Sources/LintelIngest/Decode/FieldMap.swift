internal import LintelColumns

/// A map of few fields under construction; fields with default values are left out.
struct FieldMap {
  private let mark: VariantWriter.Mark
  private var count = 0

  init(_ out: inout VariantWriter) { mark = out.beginMap() }

  func finish(_ out: inout VariantWriter) { out.end(mark, count: count) }

  private mutating func key(_ name: StaticString, _ out: inout VariantWriter) {
    count += 1
    out.append(key: UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
  }

  mutating func add(_ name: StaticString, _ value: Int64, to out: inout VariantWriter) {
    guard value != 0 else { return }
    key(name, &out)
    out.append(int: value)
  }

  mutating func add(_ name: StaticString, text: WireSlice, to out: inout VariantWriter) {
    guard !text.isEmpty else { return }
    key(name, &out)
    out.append(utf8: text)
  }

  mutating func add(_ name: StaticString, hex bytes: WireSlice, to out: inout VariantWriter) {
    guard !bytes.isEmpty else { return }
    key(name, &out)
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count &* 2)
    for byte in bytes {
      for digit in [byte >> 4, byte & 15] { text.append(Hex.digit(digit)) }
    }
    text.withUnsafeBytes { out.append(utf8: $0) }
  }

  mutating func add(
    _ name: StaticString, map entries: VariantWriter, count entryCount: Int, to out: inout VariantWriter
  ) {
    guard entryCount > 0 else { return }
    key(name, &out)
    out.beginMap(count: entryCount)
    entries.bytes.withUnsafeBytes { out.append(encoded: $0) }
  }

  mutating func add(
    _ name: StaticString, array items: VariantWriter, count itemCount: Int, to out: inout VariantWriter
  ) {
    guard itemCount > 0 else { return }
    key(name, &out)
    out.beginArray(count: itemCount)
    items.bytes.withUnsafeBytes { out.append(encoded: $0) }
  }
}
