@testable import LintelColumns

/// What is done with one input. Errors are fine; traps, reads out of bounds and unsound results are not.
typealias FuzzTarget = @Sendable (_ rows: Int, _ bytes: UnsafeRawBufferPointer) -> Void

/// What decodes columns by themselves.
let columnTargets: [String: FuzzTarget] = [
  "int64": { decodeBlock(.int64, $0, $1) },
  "float64": { decodeBlock(.float64, $0, $1) },
  "bool": { decodeBlock(.bool, $0, $1) },
  "bytes": { decodeBlock(.bytes, $0, $1) },
  "id128": { decodeBlock(.id128, $0, $1) },
  "binned": { rows, bytes in
    decodeLanes(rows, bytes, Int64.self) { (reader, out) throws(ColumnError) in
      try BinnedDecoder.decodeBody(&reader, into: out)
    }
    decodeLanes(rows, bytes, UInt32.self) { (reader, out) throws(ColumnError) in
      try BinnedDecoder.decodeBody(&reader, into: out)
    }
  },
  "fresh": { rows, bytes in
    decodeLanes(rows, bytes, UInt32.self) { (reader, out) throws(ColumnError) in
      try FreshCodec.decodeBody(&reader, into: out)
    }
  },
  "templates": { rows, bytes in
    decodeLanes(rows, bytes, UInt32.self) { (reader, out) throws(ColumnError) in
      let strings = try TemplateCodec.decodeBody(&reader, lengths: out)
      precondition(out.reduce(0) { $0 + Int($1) } == strings.count)
    }
  },
  "lists": { rows, bytes in
    decodeLanes(rows, bytes, UInt32.self) { (reader, out) throws(ColumnError) in
      let strings = try ListCodec.decodeBody(&reader, lengths: out)
      precondition(out.reduce(0) { $0 + Int($1) } == strings.count)
    }
  },
  "dictionary": { _, bytes in _ = try? DictionaryCodec.decode(bytes) },
  "variant": { _, bytes in _ = try? Variant(decoding: Array(bytes)) },
  "integers-roundtrip": { _, bytes in
    var lanes = [Int64](repeating: 0, count: bytes.count / 8)
    lanes.withUnsafeMutableBytes { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<$0.count])) }
    // Repeated and narrowed, so that inputs of some hundred bytes reach every encoding.
    for shift in [0, 20, 52] as [Int64] {
      roundTrip(
        .int64(
          (0..<3000).map { row in
            lanes.isEmpty ? 0 : lanes[row * 7 % lanes.count] >> shift &+ Int64(row * row % 11)
          }))
    }
    roundTrip(.int64(lanes))
    roundTrip(.float64(lanes.map { Double(bitPattern: UInt64(bitPattern: $0)) }))
  },
  "strings-roundtrip": { _, bytes in
    var strings = ByteStrings()
    for line in bytes.split(separator: 10, omittingEmptySubsequences: false) { strings.append(line) }
    roundTrip(.bytes(strings))
    var many = ByteStrings()
    for row in 0..<200 { many.append(strings[row * 3 % strings.count]) }
    roundTrip(.bytes(many))
  },
  // Each line is a list that begins like the one before, or is what the line itself says.
  "lists-roundtrip": { _, bytes in
    var strings = ByteStrings()
    var numbers: [Variant] = []
    for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
      switch line.first {
      case 0: strings.append(line.dropFirst())
      case 1: strings.append(Variant.array(line.map { .double(Double($0) / 4) }).encoded)
      case 2: strings.append(Variant.array(line.map { .string("tag \($0 / 16)") }).encoded)
      case let first:
        numbers.removeLast(min(numbers.count, Int(first ?? 0) % 8))
        numbers += line.map { .int(Int64($0) &* Int64($0)) }
        strings.append(Variant.array(numbers).encoded)
      }
    }
    roundTrip(.bytes(strings))
  },
]

private func decodeBlock(_ type: PhysicalType, _ rows: Int, _ bytes: UnsafeRawBufferPointer) {
  let dictionary: ValueDictionary? =
    switch type {
    case .bytes: ValueDictionary(.bytes(ByteStrings((0..<50).map { "value \($0)" })))
    case .id128: ValueDictionary(.id128((0..<50).map { UInt128($0) }))
    default: nil
    }
  guard let vector = try? BlockCodec.decode(bytes, type: type, rowCount: rows, dictionary: dictionary) else { return }
  precondition(vector.count == rows)
  if case .bytes(let strings) = vector.storage {
    precondition(ByteStrings(offsets: strings.offsets, bytes: strings.bytes) != nil)
  }
  if case .codes(let codes, let dictionary) = vector.storage {
    precondition(codes.allSatisfy { $0 < dictionary.count })
  }
}

private func decodeLanes<Lane: PackedLane>(
  _ rows: Int, _ bytes: UnsafeRawBufferPointer, _ lane: Lane.Type,
  _ decode: (inout ByteReader, UnsafeMutableBufferPointer<Lane>) throws(ColumnError) -> Void
) {
  var reader = ByteReader(bytes)
  let lanes: [Lane]? = try? filledLanes(rows) { (out) throws(ColumnError) in try decode(&reader, out) }
  precondition(lanes.map { $0.count == rows } ?? true)
}

private func roundTrip(_ storage: ColumnVector.Storage) {
  let vector = ColumnVector(storage)
  for effort in [EncodingEffort.light, .compact] {
    var out: [UInt8] = []
    _ = BlockCodec.encode(vector, effort: effort, into: &out)
    let back = out.withUnsafeBytes { bytes in
      try? BlockCodec.decode(bytes, type: vector.physicalType, rowCount: vector.count, dictionary: nil)
    }
    switch (storage, back?.storage) {
    case (.int64(let left), .int64(let right)?): precondition(left == right)
    case (.float64(let left), .float64(let right)?):
      precondition(left.elementsEqual(right) { $0.bitPattern == $1.bitPattern })
    case (.bytes(let left), .bytes(let right)?): precondition(left == right)
    default: preconditionFailure("what was encoded doesn't decode")
    }
  }
}
