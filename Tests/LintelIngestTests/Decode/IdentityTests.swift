import LintelColumns
import Testing

@testable import LintelIngest

/// Who sent a span: service, organisation, team, application, environment; from the span, its resource or the transport.
@Suite struct IdentityTests {
  private let sender = [
    TestAttribute("service.name", "checkout"), TestAttribute("org.id", "acme"), TestAttribute("team.id", "pay"),
    TestAttribute("app.id", "shop"), TestAttribute("deployment.environment.name", "prod"),
    TestAttribute("host.name", "h1"),
  ]

  @Test func theResourceFillsTheColumnsAndIsNotStoredTwice() throws {
    let batch = try decoded([], resource: sender)
    #expect(batch["service_name"].string(at: 0) == "checkout")
    #expect(batch["org_id"].string(at: 0) == "acme")
    #expect(batch["team_id"].string(at: 0) == "pay")
    #expect(batch["app_id"].string(at: 0) == "shop")
    #expect(batch["environment"].string(at: 0) == "prod")
    #expect(try batch.variant("resource_attributes") == .map([Variant.Entry("host.name", .string("h1"))]))
    #expect(batch.origins().contains("r:service.name>service_name:string"))
    #expect(batch.origins().count == 5)
  }

  @Test func theSpanGoesBeforeItsResource() throws {
    let batch = try decoded(
      [TestAttribute("tenant.id", "other"), TestAttribute("deployment.environment", "dev")], resource: sender)
    #expect(batch["org_id"].string(at: 0) == "other")
    #expect(batch["environment"].string(at: 0) == "dev")
    // What the resource says stays in its map.
    let map = try batch.variant("resource_attributes")
    #expect(
      map
        == .map([
          Variant.Entry("org.id", .string("acme")), Variant.Entry("deployment.environment.name", .string("prod")),
          Variant.Entry("host.name", .string("h1")),
        ]))
    #expect(batch.origins().contains("s:tenant.id>org_id:string"))
    #expect(!batch.origins().contains("r:org.id>org_id:string"))
  }

  @Test func spansOfOneResourceMayDiffer() throws {
    let spans = [
      TestSpan(name: "plain"), TestSpan(name: "own", attributes: [TestAttribute("org.id", "other")]),
      TestSpan(name: "plain"),
    ]
    let batch = try decode(encoded([TestResource(attributes: sender, scopes: [TestScope(spans: spans)])])).batch
    #expect((0..<3).map { batch["org_id"].string(at: $0) } == ["acme", "other", "acme"])
    #expect(try batch.variant("resource_attributes", 0) == batch.variant("resource_attributes", 2))
    #expect(try batch.variant("resource_attributes", 0) != batch.variant("resource_attributes", 1))
  }

  @Test func theTransportGoesBeforeAll() throws {
    let batch = try decoded([TestAttribute("org.id", "span")], resource: sender, organization: "header")
    #expect(batch["org_id"].string(at: 0) == "header")
    // Nothing of what the client sent is lost.
    #expect(batch["org.id", .string]?.values.string(at: 0) == "span")
    #expect(try "\(batch.variant("resource_attributes") as Any)".contains("acme"))
    #expect(!batch.origins().contains { $0.contains("org_id") })
  }

  @Test func theApplicationFallsBackToTheService() throws {
    let batch = try decoded([], resource: [TestAttribute("service.name", "checkout")])
    #expect(batch["app_id"].string(at: 0) == "checkout")
    #expect(batch.origins() == ["r:service.name>service_name:string"])
    let own = try decoded(
      [TestAttribute("application.id", "mine")], resource: [TestAttribute("service.name", "checkout")])
    #expect(own["app_id"].string(at: 0) == "mine")
    #expect(try decoded([])["app_id"].string(at: 0) == nil)
  }

  @Test func onlyTextNamesASender() throws {
    let batch = try decoded(
      [TestAttribute("org.id", 5)], resource: [TestAttribute("service.name", 7), TestAttribute("org.id", "")])
    #expect(batch["service_name"].string(at: 0) == nil)
    #expect(batch["org_id"].string(at: 0) == nil)
    #expect(batch["org.id", .int]?.values.int64(at: 0) == 5)
  }

  @Test func aHugeResourceIsStoredOnceWhateverSpansOverride() throws {
    let huge = sender + [TestAttribute("huge", .string(String(repeating: "x", count: 100_000)))]
    let spans = (0..<16).map { set in
      TestSpan(
        attributes: ["org.id", "team.id", "app.id", "deployment.environment"].enumerated().filter {
          set >> $0.offset & 1 == 1
        }
        .map { TestAttribute($0.element, "own") })
    }
    let batch = try decode(encoded([TestResource(attributes: huge, scopes: [TestScope(spans: spans)])])).batch
    #expect(batch["team_id"].string(at: 0) == "pay")
    #expect(batch["team_id"].string(at: 15) == "own")
    #expect(batch["resource_attributes"].byteCount < 150_000)
  }

  @Test func aResourceIsStoredOnceForAllItsSpans() throws {
    let spans = (0..<1000).map { TestSpan(name: "\($0)") }
    let batch = try decode(encoded([TestResource(attributes: sender, scopes: [TestScope(spans: spans)])])).batch
    guard case .codes(_, let dictionary) = batch["resource_attributes"].storage else {
      Issue.record("not coded")
      return
    }
    #expect(dictionary.count == 1)
  }
}
