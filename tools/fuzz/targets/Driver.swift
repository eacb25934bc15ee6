internal import Glibc

@testable import Lintel
@testable import LintelColumns
@testable import LintelIngest
@testable import LintelStorage

/// By name; LINTEL_FUZZ_TARGET says which one runs.
private let fuzzTargets = [columnTargets, relatedTargets, storageTargets, textTargets].reduce(into: [:]) {
  $0.merge($1) { first, _ in first }
}

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

/// With LINTEL_FUZZ_SEEDS it writes seeds into that directory, in folders that are called after what they hold, and ends;
/// with LINTEL_FUZZ_TARGET=list it names the targets.
@_cdecl("LLVMFuzzerInitialize")
public func fuzzInitialize(_ count: UnsafeMutableRawPointer, _ arguments: UnsafeMutableRawPointer) -> CInt {
  if getenv("LINTEL_FUZZ_TARGET").map({ String(cString: $0) }) == "list" {
    for name in fuzzTargets.keys.sorted() { print(name) }
    exit(0)
  }
  guard let directory = getenv("LINTEL_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
  for (folder, seeds) in [
    "columns": columnSeeds(), "related": relatedSeeds(), "filters": filterSeeds(), "spanql": statementSeeds(),
    "otlp-json": [("request", 0, Array(sampleRequest.utf8))],
  ].merging(requestSeeds(), uniquingKeysWith: { first, _ in first }) {
    mkdir("\(directory)/\(folder)", 0o755)
    for (name, rows, bytes) in seeds {
      write([UInt8(rows & 255), UInt8(rows >> 8)] + bytes, to: "\(directory)/\(folder)/\(name)")
    }
  }
  exit(0)
}

private func write(_ bytes: [UInt8], to path: String) {
  guard let file = fopen(path, "w") else { fatalError("can't write \(path)") }
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)
}

private func statementSeeds() -> [(String, Int, [UInt8])] {
  sampleStatements.enumerated().map { ("statement-\($0)", 0, Array($1.utf8)) }
}

/// The sample request as each layer below JSON has it.
private func requestSeeds() -> [String: [(String, Int, [UInt8])]] {
  let json = Array(sampleRequest.utf8)
  guard let message = json.withUnsafeBytes({ try? OTLPJSON.protobuf($0) }),
    let batch = json.withUnsafeBytes({
      try? OTLPDecoder(hasher: UserHasher(secret: [1])).decode(json: $0).batch
    })
  else { fatalError("the sample request can't be decoded") }
  var encoded: [UInt8] = []
  BatchCodec.encode(batch, into: &encoded)
  let payload = LogPayload.encode(batch)
  let manifest = "lintel-manifest 1\nsequence 42\nnext-part 18\nshard 0 7\n"
    + "part 17 spans 0 1 hot/000000000017.part 120000 1843200 9600000 1700000000 1700000600 1700000900 9ab3c1d0 live\n"
  let options = PartOptions(
    fileSystem: MemoryFiles([:]), blockRows: 16, window: MergeWindow(seconds: 86_400), dictionaryTrialValues: 1,
    parallelMergeRows: .max, mergeHelpers: EngineThreads(count: 0, name: "fuzz"), allocate: { (1, "part") })
  var part: [UInt8] = []
  if let written = try? FlushWriter.write([batch, batch, batch], options: options).first,
    let file = try? options.fileSystem.open(written.path)
  {
    part = (try? file.read(at: 0, count: written.summary.length)) ?? []
  }
  return [
    "otlp": [("request", 0, message)], "batch": [("batch", 0, encoded)],
    "log": [("payloads", 0, payload + [255] + payload), ("torn", 21, payload + [255] + payload)],
    "manifest": [("manifest", 0, Array(manifest.utf8))], "part": [("part", 0, part)],
  ]
}

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
private func columnSeeds() -> [(String, Int, [UInt8])] {
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
