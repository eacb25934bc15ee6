import Lintel
import LintelColumns
import Testing

@testable import LintelIngest

/// User ids are hashed and nowhere else.
@Suite struct UserTests {
  private func hash(_ attributes: [TestAttribute], resource: [TestAttribute] = []) throws -> UInt128? {
    try decoded(attributes, resource: resource)["user_hash"].id128(at: 0)
  }

  @Test func everyUserKeyBecomesTheHash() throws {
    for key in Conventions.userKeys {
      let batch = try decoded([TestAttribute(key, "alice")])
      #expect(batch["user_hash"].id128(at: 0) == testHasher.hash("alice"), "\(key)")
      #expect(batch.attributes.isEmpty)
    }
  }

  @Test func theFirstByPrecedenceWins() throws {
    for (index, key) in Conventions.userKeys.enumerated() {
      let rest = Conventions.userKeys[index...].reversed().map { TestAttribute($0, .string("id of \($0)")) }
      #expect(try hash(rest) == testHasher.hash("id of \(key)"))
    }
  }

  @Test func theNearestListWins() throws {
    let least = try #require(Conventions.userKeys.last)
    #expect(
      try hash([TestAttribute(least, "span")], resource: [TestAttribute("user.id", "r")]) == testHasher.hash("span"))
    #expect(try hash([], resource: [TestAttribute("user.id", "r")]) == testHasher.hash("r"))
    #expect(try hash([TestAttribute("m", .map([TestAttribute("user.id", "inner")]))]) == testHasher.hash("inner"))
  }

  @Test func aHashIsTakenAsItIs() throws {
    let text = "00112233445566778899AabbCcddEeff"
    #expect(try hash([TestAttribute("user.hash", .string(text))]) == 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff)
    // Other lengths and other keys are ids like any other.
    #expect(try hash([TestAttribute("user.hash", "0011")]) == testHasher.hash("0011"))
    #expect(try hash([TestAttribute("user.id", .string(text))]) == testHasher.hash(text))
  }

  @Test func otherKindsOfIDs() throws {
    #expect(try hash([TestAttribute("user.id", 42)]) == testHasher.hash("42"))
    #expect(try hash([TestAttribute("user.id", .bytes(Array("b".utf8)))]) == testHasher.hash("b"))
    for odd in [.empty, .bool(true), 0.5, .array(["alice"]), .map([]), ""] as [TestValue] {
      let batch = try decoded([TestAttribute("user.id", odd)])
      #expect(batch["user_hash"].id128(at: 0) == nil)
      #expect(batch.attributes.isEmpty)
    }
  }

  @Test func aSecondIDUnderTheSameKeyIsDroppedToo() throws {
    let batch = try decoded([TestAttribute("user.id", "alice"), TestAttribute("user.id", "bob")])
    #expect(batch["user_hash"].id128(at: 0) == testHasher.hash("alice"))
    #expect(try batch.variant("attribute_repeats") == nil)
  }

  @Test func noRawIDReachesTheBatchFromAnywhere() throws {
    let secret = "raw-user-id-that-must-not-be-stored"
    let users = Conventions.userKeys.map { TestAttribute($0, .string(secret)) }
    let nested = users + [TestAttribute("list", .array([.map(users)])), TestAttribute("map", .map(users))]
    let span = TestSpan(
      attributes: nested, events: [TestEvent(name: "e", attributes: nested)],
      links: [TestLink(traceID: [1], spanID: [2], attributes: nested)])
    let bytes = encoded([
      TestResource(attributes: nested, scopes: [TestScope(name: "s", attributes: nested, spans: [span])])
    ])
    let batch = try decode(bytes).batch
    try batch.validate()
    var stored: [UInt8] = []
    BatchCodec.encode(batch, into: &stored)
    #expect(!String(decoding: stored, as: UTF8.self).contains(secret))
    let exported = String(decoding: try SpanExporter().lines(batch), as: UTF8.self)
    #expect(!exported.contains(secret))
    #expect(exported.contains(#"{"key":"user.hash","value":{"stringValue":"\#(hex(testHasher.hash(secret)))"}}"#))
    // What stood beside them is still there.
    #expect(
      try batch.variant("resource_attributes")
        == .map([
          Variant.Entry("list", .array([.map([])])), Variant.Entry("map", .map([])),
        ]))
  }

  @Test func spansWithoutAUserHaveNone() throws {
    let batch = try decode(request(TestSpan(), TestSpan(attributes: [TestAttribute("user.id", "a")]), TestSpan())).batch
    #expect((0..<3).map { batch["user_hash"].id128(at: $0) } == [nil, testHasher.hash("a"), nil])
  }

  private func hex(_ value: UInt128) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 32 - digits.count) + digits
  }
}
