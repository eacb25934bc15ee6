internal import Glibc

/// The rows stand in the first two bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size >= 2 else { return 0 }
  let rows = (Int(data[0]) | Int(data[1]) << 8) % 5000
  // A copy of the very size, so that the address sanitizer sees each byte read beyond it.
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: size - 2, alignment: 1)
  defer { copy.deallocate() }
  copy.copyMemory(from: UnsafeRawBufferPointer(start: data + 2, count: size - 2))
  chosenTarget(rows, UnsafeRawBufferPointer(copy))
  return 0
}

private let chosenTarget: FuzzTarget = {
  let name = getenv("LINTEL_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = fuzzTargets[name] else {
    fatalError("LINTEL_FUZZ_TARGET is one of \(fuzzTargets.keys.sorted().joined(separator: ", "))")
  }
  return target
}()

/// With LINTEL_FUZZ_SEEDS it writes seeds into that directory, and ends.
@_cdecl("LLVMFuzzerInitialize")
public func fuzzInitialize(_ count: UnsafeMutableRawPointer, _ arguments: UnsafeMutableRawPointer) -> CInt {
  guard let directory = getenv("LINTEL_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
  for (name, rows, bytes) in seeds() {
    write([UInt8(rows & 255), UInt8(rows >> 8)] + bytes, to: "\(directory)/\(name)")
  }
  exit(0)
}

private func write(_ bytes: [UInt8], to path: String) {
  guard let file = fopen(path, "w") else { fatalError("can't write \(path)") }
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)
}

/// Something that each decoder reads: name, rows, bytes.
private func seeds() -> [(String, Int, [UInt8])] {
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
    ("text", .bytes(ByteStrings((0..<rows).map { "step \($0) of the plan that the agent made" }))),
  ]
  let dictionary = ValueDictionary(.id128((0..<5000).map { UInt128($0) }))
  vectors.append(("codes", .codes((0..<rows).map { UInt32($0 % 3 == 0 ? 1000 + $0 / 3 : Int(next(50))) }, dictionary)))
  var seeds: [(String, Int, [UInt8])] = []
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
