import LintelStorage
import Testing

@testable import LintelQuery

/// Statements about erasures, legal holds and retention.
@Suite("SpanQL lifecycle statements") struct LifecycleTests {
  private func command(_ text: String) throws -> LifecycleCommand? {
    guard case .lifecycle(let command) = try SpanQL.parse(text) else { return nil }
    return command
  }

  @Test func statementsAreRead() throws {
    let day: Int64 = 86_400_000_000_000
    for (text, expected) in [
      ("ERASE USER 'u1'", .erase(users: ["u1"], organization: nil, isDryRun: false)),
      ("erase user 'it''s', 'b' in org 'x' dry run;", .erase(users: ["it's", "b"], organization: "x", isDryRun: true)),
      ("LIFT ERASURE 7", .liftErasure(7)),
      ("HOLD USER 'a' IN ORG 'x' FOR 'case 1'", .hold(user: "a", organization: "x", reason: "case 1")),
      ("HOLD ORG 'x'", .hold(user: nil, organization: "x", reason: "")),
      ("RELEASE HOLD 3", .releaseHold(3)),
      ("ALTER TABLE spans SET RETENTION 90d", .setRetention(table: "spans", organization: nil, nanoseconds: 90 * day)),
      (
        "ALTER TABLE spans SET RETENTION NONE FOR ORG 'x'",
        .setRetention(table: "spans", organization: "x", nanoseconds: nil)
      ),
      (
        "ALTER TABLE spans SET CONTENT RETENTION 30d FOR ORG 'x'",
        .setContentRetention(table: "spans", organization: "x", nanoseconds: 30 * day)
      ),
      ("DROP PART 'hot/000000000017.part'", .dropPart("hot/000000000017.part")),
      ("SHOW ERASURES", .showErasures), ("SHOW HOLDS", .showHolds), ("SHOW RETENTION", .showRetention),
    ] as [(String, LifecycleCommand)] {
      #expect(try command(text) == expected, "\(text)")
    }
  }

  @Test func whatIsWrongIsSaidWhereItStands() throws {
    for (text, offset) in [
      ("ERASE 'u1'", 6), ("ERASE USER u1", 11), ("ERASE USER ''", 11), ("ERASE USER 'a' IN 'x'", 18),
      ("ERASE USER 'a' DRY", 18), ("LIFT ERASURE 'x'", 13), ("HOLD 'a'", 5), ("RELEASE 3", 8),
      ("ALTER TABLE spans SET RETENTION 90", 32), ("ALTER TABLE spans SET RETENTION 5ms", 32),
      ("ALTER TABLE spans DROP x", 18), ("DROP TABLE spans", 5), ("DROP PART 17", 10), ("DROP PART ''", 10),
      ("ERASE USER 'a' WHERE true", 15),
    ] {
      #expect(throws: QueryError.self, "\(text)") {
        do throws(QueryError) { _ = try SpanQL.parse(text) } catch {
          #expect(error.offset == offset, "\(text): \(error.message)")
          throw error
        }
      }
    }
  }

  @Test func onlySomeChangeAnything() throws {
    for (text, changes) in [
      ("ERASE USER 'a'", true), ("ERASE USER 'a' DRY RUN", true), ("SHOW ERASURES", true), ("HOLD ORG 'x'", true),
      ("SHOW HOLDS", true), ("LIFT ERASURE 1", true), ("ALTER TABLE t SET RETENTION 1d", true),
      ("DROP PART 'x'", true),
      ("SHOW RETENTION", false), ("SELECT 1", false),
    ] {
      #expect(try SpanQL.parse(text).isAdministrative == changes, "\(text)")
    }
  }

  @Test func aCatalogWithoutAStoreRefuses() {
    #expect(throws: QueryError.self) { try SpansFixture.engine.run("ERASE USER 'a'") }
  }
}
