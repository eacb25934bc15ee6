@testable import LintelColumns

/// Growing lists of integers, doubles and strings, and what is no list.
private func sampleLists(_ rows: Int) -> ByteStrings {
  var strings = ByteStrings()
  var numbers: [Variant] = []
  for row in 0..<rows {
    switch row % 16 {
    case 0: strings.append(Variant.array([.double(Double(row) / 8), .double(0.25)]).encoded)
    case 1: strings.append(Variant.array([.string("tag-\(row % 5)"), .string("")]).encoded)
    case 2: strings.append(Variant.map([.init("key", .int(Int64(row)))]).encoded)
    default:
      if row % 40 == 7 { numbers.removeLast(numbers.count / 2) }
      numbers.append(.int(Int64(row * row)))
      strings.append(Variant.array(numbers).encoded)
    }
  }
  return strings
}

/// Something that each decoder reads: name, rows, bytes.
func columnSeeds() -> [FuzzSeed] {
  var state: UInt64 = 1
  func next(_ bound: UInt64) -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state >> 33) % bound
  }
  let rows = 300
  let wide = (0..<rows).map { _ in Int64(next(1 << (1 + next(30)))) }
  var vectors: [(String, ColumnVector.Storage)] = [
    ("wide", .int64(wide)), ("runs", .int64((0..<rows).map { Int64($0 / 40) })),
    ("times", .int64((0..<rows).map { Int64($0) * 1_000_000 + Int64(next(9000)) })),
    ("outliers", .int64((0..<rows).map { $0 % 50 == 0 ? 1 << 40 : Int64(next(4)) })),
    ("multiples", .int64(wide.map { $0 * 128 })), ("doubles", .float64(wide.map { Double($0) / 100 })),
    ("flags", .bool((0..<rows).map { _ in next(2) == 0 })), ("ids", .id128((0..<rows).map { UInt128($0 / 9) << 70 })),
    ("chat", .bytes(ByteStrings((0..<rows).map { _ in "chatcmpl-" + String(next(1 << 30) | 1 << 31, radix: 16) }))),
    ("users", .bytes(ByteStrings((0..<rows).map { $0 % 40 == 0 ? "none" : "user-\(next(1 << next(20)))" }))),
    ("lists", .bytes(sampleLists(rows))),
    ("text", .bytes(ByteStrings((0..<rows).map { "step \($0) of the plan that the agent made" }))),
  ]
  let dictionary = ValueDictionary(.id128((0..<5000).map { UInt128($0) }))
  vectors.append(("codes", .codes((0..<rows).map { UInt32($0 % 3 == 0 ? 1000 + $0 / 3 : Int(next(50))) }, dictionary)))
  var seeds: [FuzzSeed] = []
  for (name, storage) in vectors {
    for effort in [EncodingEffort.light, .compact] {
      for isNullable in [false, true] {
        let validity = Bitmap(words: (0..<5).map { _ in next(1 << 31) << 20 }, count: rows)
        var out: [UInt8] = []
        let vector = ColumnVector(storage, validity: isNullable ? validity : nil)
        _ = BlockCodec.encode(vector, effort: effort, into: &out)
        seeds.append(("\(name)-\(effort)-\(isNullable)", rows, out))
        // Without the block's two bytes the body of an encoding is left.
        if !isNullable { seeds.append(("\(name)-\(effort)-body", rows, Array(out.dropFirst(2)))) }
      }
    }
    if case .bytes(let strings) = storage {
      var out: [UInt8] = []
      DictionaryCodec.encode(ValueDictionary(.bytes(strings)), effort: .compact, into: &out)
      seeds.append(("\(name)-dictionary", rows, out))
      seeds.append(("\(name)-lines", rows, Array(strings.bytes.prefix(400))))
    }
  }
  return seeds
}
