import CZlib
@testable import Lintel
@testable import LintelColumns
@testable import LintelIngest
@testable import LintelQuery
@testable import LintelServer
@testable import LintelStorage

/// What a target may begin with: a name, the number in the first two bytes, and what comes after them.
typealias FuzzSeed = (name: String, rows: Int, bytes: [UInt8])

/// Seeds by the folder that they are written to.
func allSeeds() -> [String: [FuzzSeed]] {
  let statements = sampleStatements.enumerated().map { ("statement-\($0)", 0, Array($1.utf8)) }
  let all: [String: [FuzzSeed]] = [
    "columns": columnSeeds(), "related": relatedSeeds(), "filters": filterSeeds(), "spanql": statements,
    "otlp-json": [("request", 0, Array(sampleRequest.utf8)), ("conversation", 0, Array(talkingRequest.utf8))],
    "content-cut": contentSeeds(), "content-rows": recipeSeeds(), "receipt": [("text", 0, Array("{}\nx".utf8))],
  ]
  return [requestSeeds(), storeSeeds(), answerSeeds()].reduce(all) { $0.merging($1) { $0 + $1 } }
}

/// The sample requests as each layer below JSON has them.
private func requestSeeds() -> [String: [FuzzSeed]] {
  var seeds: [String: [FuzzSeed]] = [:]
  for (name, request) in [("request", sampleRequest), ("conversation", talkingRequest)] {
    let json = Array(request.utf8)
    guard let message = json.withUnsafeBytes({ try? OTLPJSON.protobuf($0) }),
      let batch = json.withUnsafeBytes({
        try? OTLPDecoder(hasher: UserHasher(secret: [1])).decode(json: $0).batch
      })
    else { fatalError("the sample request can't be decoded") }
    let cut = ContentCutter.cut(batch, hasher: ContentHasher(secret: [1]), pool: ContentPool(nextID: 1))
    let payload =
      cut.pieces.isEmpty
      ? LogPayload.encode(batch)
      : LogPayload.content(cut.pieces, digests: Store.digests(of: batch)) + LogPayload.encode(cut.batch)
    let shape = cut.pieces.isEmpty ? 0 : 128
    var encoded: [UInt8] = []
    BatchCodec.encode(cut.batch, into: &encoded)
    seeds["otlp", default: []].append((name, 0, message))
    seeds["batch", default: []].append((name, 0, encoded))
    seeds["log", default: []] += [
      (name, shape, payload + [255] + payload), ("\(name)-torn", shape | 21, payload + [255] + payload),
    ]
    seeds["part", default: []].append((name, 0, part(of: cut.batch)))
    for (number, coding) in ContentCoding.allCases.enumerated() {
      seeds["body", default: []].append(("\(name)-\(coding)", number, compressed(message, coding)))
    }
    if !cut.pieces.isEmpty { seeds["content-segment", default: []].append((name, 0, segment(of: cut.pieces))) }
  }
  let manifest = "lintel-manifest 1\nsequence 42\nnext-part 18\nshard 0 7\n"
    + "part 17 spans 0 1 hot/000000000017.part 120000 1843200 9600000 1700000000 1700000600 1700000900 9ab3c1d0 live\n"
  let progress = "lintel-progress 1\nrules 42\nbefore \(AuditLog.origin)\npieces 0 17 3 125 70\nmemory 0 8 events 12\n"
    + "part 17 events hot/000000000017.part 3 18432 - 0\ncontent 19 content/000000000019.content 4 8014 x 7\n"
  seeds["progress"] = [("progress", 0, Array(progress.utf8))]
  seeds["manifest"] = [("manifest", 0, Array(manifest.utf8))]
  return seeds
}

private func part(of batch: Batch) -> [UInt8] {
  let options = PartOptions(
    fileSystem: MemoryFiles([:]), blockRows: 16, window: MergeWindow(seconds: 86_400), dictionaryTrialValues: 1,
    parallelMergeRows: .max, mergeHelpers: EngineThreads(count: 0, name: "fuzz"), allocate: { (1, "/part") })
  guard let written = try? FlushWriter.write([batch, batch, batch], options: options).first else { return [] }
  return (try? options.fileSystem.readAll(written.path, limit: 1 << 20)) ?? []
}

private func segment(of pieces: [ContentPiece]) -> [UInt8] {
  let files = MemoryFiles([:])
  guard let file = try? files.create("/segment"), var writer = try? ContentWriter(file, groupBytes: 300, level: 3) else {
    return []
  }
  for piece in pieces.sorted(by: { $0.id < $1.id }) { try? writer.append(piece) }
  _ = try? writer.finish()
  return (try? files.readAll("/segment", limit: 1 << 20)) ?? []
}

private func compressed(_ bytes: [UInt8], _ coding: ContentCoding) -> [UInt8] {
  switch coding {
  case .identity: return bytes
  case .zstd: return bytes.withUnsafeBytes { Compression.zstd($0, level: 3, limit: $0.count * 2) } ?? []
  case .gzip, .deflate:
    var stream = z_stream()
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + 1000)
    let window: Int32 = coding == .gzip ? 31 : 15
    let size = Int32(MemoryLayout<z_stream>.size)
    deflateInit2_(&stream, 6, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    defer { deflateEnd(&stream) }
    input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
        (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
        _ = deflate(&stream, Z_FINISH)
      }
    }
    return Array(output.prefix(Int(stream.total_out)))
  }
}

private func contentSeeds() -> [FuzzSeed] {
  let message = "{\"role\": \"user\", \"content\": \"what was said, with a \\\"quote\\\" and a [bracket], at some length\"}"
  let text = "[\(message), \(message.replacing("user", with: "assistant"))]"
  let map = Variant.map([.init("role", .string("tool")), .init("content", .string(String(repeating: "found ", count: 20)))])
  return [
    ("text", 0, Array(text.utf8)), ("object", 0, Array("{\"messages\": \(text), \"n\": 1}".utf8)),
    ("plain", 0, Array(String(repeating: "no list at all ", count: 9).utf8)), ("variant", 0, Variant.array([map, .int(7), map]).encoded),
  ]
}

/// Rows for ``readContentRows``: literals, literals again, and pieces in both directions; values as they were sent.
private func recipeSeeds() -> [FuzzSeed] {
  let bytes = Array("some value that is cut".utf8)
  var text: [UInt8] = []
  for ids in [[1], [8, 1], [2, 3, 2], [9]] as [[UInt64]] {
    let pieces = ids.indices.map { $0 * 4 + 2..<$0 * 4 + 4 }
    bytes.withUnsafeBytes { ContentRecipe.append($0, pieces: pieces, ids: ids, to: &text) }
    text.append(10)
  }
  return [("rows", 0, text + Array(" a short one\n\n".utf8))]
}

/// Answers of a server.
private func answerSeeds() -> [String: [FuzzSeed]] {
  var seeds: [String: [FuzzSeed]] = [:]
  for (number, statement) in sampleStatements.enumerated() {
    guard let result = try? QueryEngine(catalog: FuzzCatalog.shared).run(statement) else { continue }
    let body = ResultFormatter(.json).bytes(result)
    seeds["result", default: []].append(("result-\(number)", 0, body))
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    let chunks = "Transfer-Encoding: chunked\r\nTrailer: x\r\n\r\n\(String(body.count, radix: 16))\r\n"
    seeds["answer", default: []] += [
      ("length-\(number)", 50, Array("\(head)Content-Length: \(body.count)\r\n\r\n".utf8) + body),
      ("chunks-\(number)", 1999, Array((head + chunks).utf8) + body + Array("\r\n0\r\nx: y\r\n\r\n".utf8)),
    ]
  }
  let error = "{\"error\":{\"code\":\"syntax\",\"message\":\"expected a name\",\"offset\":7,\"hint\":\"write one\"}}"
  seeds["result", default: []].append(("error", 0, Array(error.utf8)))
  return seeds
}
