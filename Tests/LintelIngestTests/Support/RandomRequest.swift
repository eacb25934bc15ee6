import Lintel

/// Text of one to forty characters, from plain to exotic.
func randomText(_ random: inout SplitMix64) -> String {
  let alphabet = Array("abcdefghijklmnop._-/ \"\\\u{1}\u{7f}äß→🔑한\u{10FFFF}\n\t\0")
  return String((0..<random.int(1..<40)).map { _ in random.pick(alphabet) })
}

func randomValue(_ random: inout SplitMix64, depth: Int = 0) -> TestValue {
  switch random.int(0..<(depth > 4 ? 6 : 8)) {
  case 0: return .string(random.chance(8) ? "" : randomText(&random))
  case 1: return .bool(random.chance(2))
  case 2: return .int(random.pick([0, 1, -1, .max, .min, 42, 1 << 32, Int64(truncatingIfNeeded: random.next())]))
  case 3:
    let odd = [0, -0.0, 1, 0.1, 1e300, -.infinity, .infinity, .leastNonzeroMagnitude, 1234.5678, Double.pi]
    return .double(random.chance(3) ? Double(random.int(0..<1000)) / 1000 : random.pick(odd))
  case 4: return .bytes((0..<random.int(0..<9)).map { _ in UInt8(random.int(0..<256)) })
  case 5: return .empty
  case 6: return .array((0..<random.int(0..<4)).map { _ in randomValue(&random, depth: depth + 1) })
  default: return .map(randomAttributes(&random, depth: depth + 1))
  }
}

/// Attributes under a few keys of our own and any of the conventions', with repeats.
func randomAttributes(_ random: inout SplitMix64, depth: Int = 0) -> [TestAttribute] {
  let own = ["a", "b", "http.method", "ключ", "🔑", "", "with space"]
  return (0..<random.int(0..<(depth == 0 ? 12 : 4))).map { _ in
    let candidate = random.pick(random.pick(Conventions.table).candidates)
    let key = random.chance(2) ? random.pick(own) : candidate.key
    return TestAttribute(key, random.chance(2) ? fitting(candidate, &random) : randomValue(&random, depth: depth))
  }
}

/// A value that the candidate's column probably takes.
private func fitting(_ candidate: Convention.Candidate, _ random: inout SplitMix64) -> TestValue {
  switch candidate.reading {
  case .text: .string(random.pick(["gpt-4o", "checkout", "production", randomText(&random)]))
  case .provider: .string(random.pick(["openai", "OpenAI", "xai", "x_ai"]))
  case .textOrFirst:
    random.pick([.string("stop"), .array([.string("stop")]), .array([.string("stop"), .string("length")])])
  case .count:
    random.pick([.int(Int64(random.int(0..<100_000))), .double(Double(random.int(0..<1000))), .double(-0.0)])
  case .seconds, .milliseconds, .usd:
    random.pick([.double(Double(random.int(0..<10_000)) / 1000), .double(0.1 + 0.2), .int(3), .double(1e300)])
  case .openInferenceKind: .string(random.pick(["LLM", "TOOL", "CHAIN", "UNKNOWN"]))
  case .named(let names): .string(random.pick(names.keys.sorted() + ["other"]))
  }
}

func randomSpan(_ random: inout SplitMix64, id: Int) -> TestSpan {
  func bytes(_ count: Int, _ random: inout SplitMix64) -> [UInt8] {
    (0..<count).map { _ in UInt8(random.int(0..<256)) }
  }
  var span = TestSpan()
  span.traceID = bytes(15, &random) + [1]
  span.spanID = withUnsafeBytes(of: UInt64(id + 1).bigEndian) { Array($0) }
  if random.chance(2) { span.parentID = random.chance(8) ? [UInt8](repeating: 0, count: 8) : bytes(8, &random) }
  if random.chance(4) { span.traceState = randomText(&random) }
  if random.chance(4) { span.flags = UInt32(truncatingIfNeeded: random.next()) }
  span.name = random.chance(10) ? "" : randomText(&random)
  span.kind = random.pick([0, 1, 2, 3, 4, 5, 99, -1])
  span.start = UInt64(random.int(1..<Int(Int64.max)))
  span.end = random.pick([0, span.start - 1, span.start, min(span.start + 5_000, UInt64(Int64.max))])
  span.attributes = randomAttributes(&random)
  if random.chance(5) {
    (span.droppedAttributes, span.droppedEvents, span.droppedLinks) = (3, UInt64(UInt32.max), 7)
  }
  span.events = (0..<random.int(0..<3)).map { _ in
    TestEvent(
      time: random.pick([0, 5, .max]), name: random.chance(3) ? "" : randomText(&random),
      attributes: randomAttributes(&random, depth: 3), dropped: UInt64(random.int(0..<2)))
  }
  span.links = (0..<random.int(0..<3)).map { _ in
    TestLink(
      traceID: bytes(random.pick([0, 3, 16]), &random), spanID: bytes(8, &random),
      traceState: random.chance(2) ? "" : randomText(&random), flags: random.pick([0, 769]),
      attributes: randomAttributes(&random, depth: 3), dropped: UInt64(random.int(0..<2)))
  }
  (span.statusCode, span.statusMessage) = random.pick([(0, ""), (1, ""), (2, "it broke"), (7, "?")])
  return span
}

/// A request of some resources and scopes with a few spans each.
func randomRequest(_ random: inout SplitMix64) -> [TestResource] {
  var id = 0
  return (0..<random.int(1..<4)).map { _ in
    TestResource(
      attributes: randomAttributes(&random), dropped: UInt64(random.int(0..<3)),
      entities: (0..<random.pick([0, 0, 1, 3])).map { _ in
        TestEntity(
          schemaURL: random.pick(["", "https://opentelemetry.io/schemas/1.41.0"]), type: random.pick(["", "service"]),
          idKeys: (0..<random.int(0..<3)).map { _ in randomText(&random) },
          descriptionKeys: (0..<random.int(0..<2)).map { _ in randomText(&random) })
      },
      schemaURL: random.pick(["", "https://opentelemetry.io/schemas/1.41.0"]),
      scopes: (0..<random.int(1..<3)).map { _ in
        TestScope(
          name: random.pick(["", "scope", "other"]), version: random.pick(["", "1.0"]),
          attributes: random.chance(2) ? [] : randomAttributes(&random, depth: 2), dropped: UInt64(random.int(0..<2)),
          schemaURL: random.pick(["", "https://example.org/1"]),
          spans: (0..<random.int(0..<6)).map { _ in
            id += 1
            return randomSpan(&random, id: id)
          })
      })
  }
}
