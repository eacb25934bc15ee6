import Lintel
import LintelColumns
import Testing

@testable import LintelIngest

/// What becomes of attributes: moved into a column, copied into it, or kept as they are.
@Suite struct MappingTests {
  @Test func aPlainAttributeIsADynamicColumn() throws {
    let batch = try decoded([
      TestAttribute("s", "text"), TestAttribute("i", -5), TestAttribute("d", 0.5), TestAttribute("b", .bool(true)),
      TestAttribute("e", .empty), TestAttribute("l", .array([1, "x"])),
    ])
    #expect(batch["s", .string]?.values.string(at: 0) == "text")
    #expect(batch["i", .int]?.values.int64(at: 0) == -5)
    #expect(batch["d", .double]?.values.float64(at: 0) == 0.5)
    #expect(batch["b", .bool]?.values.bool(at: 0) == true)
    #expect(batch["e", .variant]?.values.bytes(at: 0).map { Array($0) } == Variant.empty.encoded)
    #expect(
      batch["l", .variant]?.values.bytes(at: 0).map { Array($0) } == Variant.array([.int(1), .string("x")]).encoded)
    #expect(batch.origins().isEmpty)
  }

  @Test func aMovedAttributeIsStoredOnce() throws {
    let batch = try decoded([
      TestAttribute("gen_ai.request.model", "gpt-4o"), TestAttribute("gen_ai.usage.input_tokens", 7),
    ])
    #expect(batch["request_model"].string(at: 0) == "gpt-4o")
    #expect(batch["input_tokens"].int64(at: 0) == 7)
    #expect(batch.attributes.isEmpty)
    #expect(
      batch.origins() == [
        "s:gen_ai.request.model>request_model:string", "s:gen_ai.usage.input_tokens>input_tokens:int",
      ])
  }

  /// Every candidate of every convention, on its own, fills its column.
  @Test(arguments: Conventions.table.indices)
  func everyCandidateFillsItsColumn(index: Int) throws {
    let convention = Conventions.table[index]
    for candidate in convention.candidates {
      let value: TestValue =
        switch candidate.reading {
        case .text, .textOrFirst, .provider: "some text"
        case .count: 12
        case .seconds, .milliseconds, .usd: 0.25
        case .openInferenceKind: "TOOL"
        case .named(let names): .string(names.keys.min() ?? "")
        }
      let attribute = TestAttribute(candidate.key, value)
      let batch = try candidate.list == .span ? decoded([attribute]) : decoded([], resource: [attribute])
      let column = batch[convention.column]
      switch candidate.reading {
      case .text, .textOrFirst, .provider: #expect(column.string(at: 0) == "some text", "\(candidate.key)")
      case .count: #expect(column.int64(at: 0) == 12, "\(candidate.key)")
      case .seconds, .usd: #expect(column.int64(at: 0) == 250_000_000, "\(candidate.key)")
      case .milliseconds: #expect(column.int64(at: 0) == 250_000, "\(candidate.key)")
      case .openInferenceKind: #expect(column.string(at: 0) == "execute_tool")
      case .named(let names): #expect(column.string(at: 0) == names[names.keys.min() ?? ""], "\(candidate.key)")
      }
    }
  }

  @Test(arguments: Conventions.table.indices)
  func theFirstCandidateWinsWhateverTheOrder(index: Int) throws {
    let convention = Conventions.table[index]
    let keys = convention.candidates.filter { $0.list == .span && $0.reading == .text }.map(\.key)
    guard keys.count > 1 else { return }
    var attributes = keys.map { TestAttribute($0, .string("value of \($0)")) }
    for _ in 0..<2 {
      let batch = try decoded(attributes)
      #expect(batch[convention.column].string(at: 0) == "value of \(keys[0])")
      #expect(Set(batch.attributes.map(\.key.name)) == Set(keys.dropFirst()))
      attributes.reverse()
    }
  }

  @Test func aValueThatTheColumnCannotTakeLosesItsTurn() throws {
    let batch = try decoded([
      TestAttribute("gen_ai.usage.input_tokens", "many"), TestAttribute("gen_ai.usage.prompt_tokens", 3),
      TestAttribute("gen_ai.usage.output_tokens", -1), TestAttribute("gen_ai.usage.reasoning_tokens", .int(1 << 32)),
      TestAttribute("gen_ai.request.model", ""),
    ])
    #expect(batch["input_tokens"].int64(at: 0) == 3)
    #expect(batch["output_tokens"].int64(at: 0) == nil)
    #expect(batch["reasoning_tokens"].int64(at: 0) == nil)
    #expect(batch["request_model"].string(at: 0) == nil)
    #expect(batch["gen_ai.usage.input_tokens", .string]?.values.string(at: 0) == "many")
    #expect(batch["gen_ai.usage.output_tokens", .int]?.values.int64(at: 0) == -1)
    #expect(batch["gen_ai.request.model", .string]?.values.string(at: 0) == "")
  }

  @Test func numbersAreMovedOnlyWhereTheWayBackIsExact() throws {
    let exact = try decoded([
      TestAttribute("gen_ai.usage.input_tokens", 12.0), TestAttribute("gen_ai.response.time_to_first_chunk", 0.25),
      TestAttribute("gen_ai.usage.cost", 0.0125),
    ])
    #expect(exact["input_tokens"].int64(at: 0) == 12)
    #expect(exact["time_to_first_token"].int64(at: 0) == 250_000_000)
    #expect(exact["reported_cost"].int64(at: 0) == 12_500_000)
    #expect(exact.attributes.isEmpty)
    #expect(exact.origins().contains("s:gen_ai.usage.input_tokens>input_tokens:double"))

    let inexact = try decoded([
      TestAttribute("gen_ai.response.time_to_first_chunk", .double(0.1 + 0.2)), TestAttribute("gen_ai.usage.cost", 2),
      TestAttribute("gen_ai.usage.input_tokens", .double(-0.0)),
    ])
    #expect(inexact["time_to_first_token"].int64(at: 0) == 300_000_000)
    #expect(inexact["reported_cost"].int64(at: 0) == 2_000_000_000)
    #expect(inexact["input_tokens"].int64(at: 0) == nil)
    #expect(inexact.attributes.count == 3)
    #expect(inexact.origins().isEmpty)
  }

  @Test func finishReasonsComeAsTextAndAsList() throws {
    let key = "gen_ai.response.finish_reasons"
    let text = try decoded([TestAttribute(key, "stop")])
    #expect(text["finish_reason"].string(at: 0) == "stop")
    #expect(text.origins() == ["s:\(key)>finish_reason:string"])
    let single = try decoded([TestAttribute(key, .array(["stop"]))])
    #expect(single["finish_reason"].string(at: 0) == "stop")
    #expect(single.origins() == ["s:\(key)>finish_reason:singleton"])
    #expect(single.attributes.isEmpty)
    let several = try decoded([TestAttribute(key, .array(["stop", "length"]))])
    #expect(several["finish_reason"].string(at: 0) == "stop")
    #expect(several.origins().isEmpty)
    #expect(several.attributes.count == 1)
    for odd in [.array([]), .array([1]), .array([.empty]), .array([""])] as [TestValue] {
      let batch = try decoded([TestAttribute(key, odd)])
      #expect(batch["finish_reason"].string(at: 0) == nil)
      #expect(batch.attributes.count == 1)
    }
  }

  @Test func operationsComeUnderManyNames() throws {
    let kind = try decoded([TestAttribute("openinference.span.kind", "LLM")])
    #expect(kind["operation"].string(at: 0) == "chat")
    #expect(kind.origins() == ["s:openinference.span.kind>operation:openInferenceKind"])
    let unknown = try decoded([TestAttribute("openinference.span.kind", "llm")])
    #expect(unknown["operation"].string(at: 0) == nil)
    let derived = try decoded([TestAttribute("llm.request.type", "completion")])
    #expect(derived["operation"].string(at: 0) == "text_completion")
    #expect(derived["llm.request.type", .string] != nil)
    let same = try decoded([TestAttribute("llm.request.type", "chat")])
    #expect(same.origins() == ["s:llm.request.type>operation:string"])
    let task = try decoded([
      TestAttribute("traceloop.span.kind", "task"), TestAttribute("ai.operationId", "ai.toolCall"),
    ])
    #expect(task["operation"].string(at: 0) == "execute_tool")
  }

  @Test func providersHaveAliases() throws {
    let alias = try decoded([TestAttribute("gen_ai.system", "OpenAI")])
    #expect(alias["provider"].string(at: 0) == "openai")
    #expect(alias["gen_ai.system", .string]?.values.string(at: 0) == "OpenAI")
    let plain = try decoded([TestAttribute("gen_ai.system", "a_new_one")])
    #expect(plain["provider"].string(at: 0) == "a_new_one")
    #expect(plain.attributes.isEmpty)
  }

  @Test func repeatsOfAKeyAreKeptInOrder() throws {
    let batch = try decoded([
      TestAttribute("k", "first"), TestAttribute("k", "second"), TestAttribute("gen_ai.request.model", "a"),
      TestAttribute("k", 3), TestAttribute("gen_ai.request.model", "b"),
    ])
    #expect(batch["k", .string]?.values.string(at: 0) == "first")
    #expect(batch["k", .int] == nil)
    #expect(batch["request_model"].string(at: 0) == "a")
    #expect(
      try batch.variant("attribute_repeats")
        == .map([
          Variant.Entry("k", .string("second")), Variant.Entry("k", .int(3)),
          Variant.Entry("gen_ai.request.model", .string("b")),
        ]))
  }

  @Test func keysBeyondTheLimitAreKeptTogether() throws {
    var limits = OTLPLimits()
    limits.attributeKeys = 2
    let attributes = (0..<4).map { TestAttribute("key \($0)", .int(Int64($0))) }
    let batch = try decode(request(TestSpan(attributes: attributes)), limits: limits).batch
    #expect(batch.attributes.map(\.key.name) == ["key 0", "key 1"])
    #expect(
      try batch.variant("attribute_repeats")
        == .map([Variant.Entry("key 2", .int(2)), Variant.Entry("key 3", .int(3))]))
  }

  /// An empty key may be written out or left out.
  @Test func theEmptyKeyIsOneKey() throws {
    let bytes = ProtobufWriter {
      $0.message(1) {
        $0.message(2) {
          $0.message(2) {
            $0.span(TestSpan(attributes: [TestAttribute("", "written")]))
            $0.message(9) { $0.message(2) { $0.string(1, "left out") } }
          }
        }
      }
    }.bytes
    let batch = try decode(bytes).batch
    try batch.validate()
    #expect(batch.attributes.map(\.key) == [AttributeKey("", .string)])
    #expect(try batch.variant("attribute_repeats") == .map([Variant.Entry("", .string("left out"))]))
  }

  @Test func equivalentKeysAreDifferentKeys() throws {
    let composed = "caf\u{e9}"
    let decomposed = "cafe\u{301}"
    let batch = try decoded([TestAttribute(composed, 1), TestAttribute(decomposed, 2), TestAttribute(composed, "x")])
    try batch.validate()
    #expect(batch.attributes.map { Array($0.key.name.utf8) } == [Array(decomposed.utf8), Array(composed.utf8)])
    let exported = String(decoding: try SpanExporter().lines(batch), as: UTF8.self)
    #expect(exported.utf8.count > 0)
    var found: [String] = []
    for name in [composed, decomposed] where Array(exported.utf8).contains(sequence: Array(name.utf8)) {
      found.append(name)
    }
    #expect(found.count == 2)
  }

  @Test func dynamicColumnsAreSparse() throws {
    let spans = (0..<300).map { index in
      TestSpan(
        attributes: index % 3 == 0
          ? [TestAttribute("k", .int(Int64(index))), TestAttribute("t", .string("v\(index)"))] : [])
    }
    let batch = try decode(encoded([TestResource(scopes: [TestScope(spans: spans)])])).batch
    try batch.validate()
    let column = try #require(batch["k", .int])
    #expect(column.rows == (0..<100).map { UInt32($0 * 3) })
    #expect((0..<100).allSatisfy { column.values.int64(at: $0) == Int64($0 * 3) })
    #expect(batch["t", .string]?.values.string(at: 99) == "v297")
  }
}

extension TestValue: ExpressibleByArrayLiteral {
  init(arrayLiteral elements: TestValue...) { self = .array(elements) }
}

extension [UInt8] {
  /// Whether the bytes contain `part` in one piece.
  func contains(sequence part: [UInt8]) -> Bool {
    indices.contains { self[$0...].starts(with: part) }
  }
}
