/// Writes the body of ``BatchCodec``.
struct BatchWriter {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ batch: Batch) {
    bytes.reserveCapacity(batch.byteCount / 2 + 1024)
    bytes.append(littleEndian: UInt32(truncatingIfNeeded: batch.rowCount))
    let columnCount = bytes.count
    bytes.append(littleEndian: UInt32(truncatingIfNeeded: batch.columns.count))
    bytes.append(littleEndian: UInt32(truncatingIfNeeded: batch.attributes.count))
    for (definition, vector) in zip(batch.schema.columns, batch.columns) {
      append(name: definition.name)
      append(vector)
    }
    for attribute in batch.attributes {
      append(name: attribute.key.name)
      bytes.append(attribute.key.kind.rawValue)
      bytes.append(littleEndian: UInt32(truncatingIfNeeded: attribute.rows.count))
      append(lanes: attribute.rows)
      append(attribute.values)
    }
    if batch.rowCount > BatchCodec.freeRows, bytes.count < batch.rowCount {
      pad(batch, columnCount: columnCount)
    }
  }

  /// Rows that are nearly all alike take less than a byte each: a column of no name, which readers leave out, makes up for
  /// it. It goes before the others, and compression takes it out again.
  private mutating func pad(_ batch: Batch, columnCount: Int) {
    var writer = BatchWriter()
    writer.append(name: "")
    writer.append(ColumnVector(.bool(Array(repeating: false, count: batch.rowCount))))
    bytes.insert(contentsOf: writer.bytes, at: columnCount + 8)
    var count: [UInt8] = []
    count.append(littleEndian: UInt32(truncatingIfNeeded: batch.columns.count + 1))
    bytes.replaceSubrange(columnCount..<columnCount + 4, with: count)
  }

  private mutating func append(name: String) {
    var name = name
    name.withUTF8 { bytes.append(lengthAndBytes: UnsafeRawBufferPointer($0)) }
  }

  private mutating func append(_ vector: ColumnVector) {
    bytes.append(form(vector))
    if let validity = vector.validity {
      if validity.isAllClear { return bytes.append(BatchCodec.Validity.allNull) }
      bytes.append(BatchCodec.Validity.bitmap)
      bytes.append(memoryOf: validity.words)
    } else {
      bytes.append(BatchCodec.Validity.none)
    }
    switch vector.storage {
    case .int64(let lanes): append(lanes: lanes)
    case .float64(let lanes): bytes.append(memoryOf: lanes)
    case .bool(let lanes): bytes.append(contentsOf: lanes.lazy.map { $0 ? 1 : 0 })
    case .bytes(let strings): append(strings)
    case .id128(let ids): bytes.append(memoryOf: ids)
    case .codes(let codes, let dictionary):
      bytes.append(littleEndian: UInt32(truncatingIfNeeded: dictionary.count))
      switch dictionary.values {
      case .bytes(let strings): append(strings)
      case .id128(let ids): bytes.append(memoryOf: ids)
      }
      append(lanes: codes)
    }
  }

  private func form(_ vector: ColumnVector) -> UInt8 {
    switch vector.storage {
    case .int64: BatchCodec.Form.int64
    case .float64: BatchCodec.Form.float64
    case .bool: BatchCodec.Form.bool
    case .bytes: BatchCodec.Form.bytes
    case .id128: BatchCodec.Form.id128
    case .codes(_, let dictionary):
      dictionary.physicalType == .bytes ? BatchCodec.Form.codedBytes : BatchCodec.Form.codedIds
    }
  }

  private mutating func append(_ strings: ByteStrings) {
    bytes.append(littleEndian: UInt32(truncatingIfNeeded: strings.bytes.count))
    append(lanes: strings.lengths)
    bytes.append(contentsOf: strings.bytes)
  }

  private mutating func append(lanes: [Int64]) {
    lanes.withUnsafeBufferPointer { lanes in
      let bounds = Kernels.bounds(lanes)
      let range = UInt64(bitPattern: bounds.maximum &- bounds.minimum)
      append(lanes: lanes, base: bounds.minimum, range: range)
    }
  }

  private mutating func append(lanes: [UInt32]) {
    lanes.withUnsafeBufferPointer { append(lanes: $0, base: 0, range: UInt64(Kernels.maximum($0))) }
  }

  @inline(__always)
  private mutating func append<Lane: FixedWidthInteger>(
    lanes: UnsafeBufferPointer<Lane>, base: Int64, range: UInt64
  ) {
    let width = range == 0 ? 0 : range <= 0xFF ? 1 : range <= 0xFFFF ? 2 : range <= 0xFFFF_FFFF ? 4 : 8
    bytes.append(littleEndian: base)
    bytes.append(UInt8(width))
    let base = Lane(truncatingIfNeeded: base)
    switch width {
    case 0: break
    case 1: append(lanes, base, as: UInt8.self)
    case 2: append(lanes, base, as: UInt16.self)
    case 4: append(lanes, base, as: UInt32.self)
    default: append(lanes, base, as: UInt64.self)
    }
  }

  @inline(__always)
  private mutating func append<Lane: FixedWidthInteger, Narrow: FixedWidthInteger & UnsignedInteger>(
    _ lanes: UnsafeBufferPointer<Lane>, _ base: Lane, as narrow: Narrow.Type
  ) {
    bytes.append(count: lanes.count &* MemoryLayout<Narrow>.size) { out in
      guard let target = out.baseAddress else { return }
      for index in 0..<lanes.count {
        let value = Narrow(truncatingIfNeeded: lanes[index] &- base)
        target.storeBytes(of: value, toByteOffset: index &* MemoryLayout<Narrow>.size, as: Narrow.self)
      }
    }
  }
}
