extension [UInt8] {
  /// Appends a number, little-endian.
  @inline(__always)
  mutating func append(littleEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends an unsigned LEB128 number.
  @inline(__always)
  mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest &>>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends the varint length of `bytes`, then `bytes`.
  @inline(__always)
  mutating func append(lengthAndBytes bytes: UnsafeRawBufferPointer) {
    append(varint: UInt64(bytes.count))
    append(contentsOf: bytes)
  }

  /// Appends the memory of an array of trivial values. Lintel runs on little-endian machines only.
  mutating func append<Value: BitwiseCopyable>(memoryOf values: [Value]) {
    values.withUnsafeBytes { append(contentsOf: $0) }
  }

  /// Appends `count` bytes that `fill` writes.
  @inline(__always)
  mutating func append(count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
    let start = self.count
    append(contentsOf: repeatElement(0, count: count))
    withUnsafeMutableBytes { fill(UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
  }
}
