import Foundation
import Testing

@testable import LintelQuery

/// Every example in docs/spanql.md is a statement that runs.
@Suite("Reference page") struct ReferenceTests {
  static let examples: [String] = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    guard let page = try? String(contentsOf: root.appending(path: "docs/spanql.md"), encoding: .utf8) else { return [] }
    return page.components(separatedBy: "```sql\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
  }()

  @Test func hasExamples() { #expect(Self.examples.count > 15) }

  @Test(arguments: examples) func runs(_ example: String) throws {
    do throws(QueryError) {
      _ = try SpansFixture.engine.run(example)
    } catch {
      Issue.record("\(error.rendered(in: example))")
    }
  }

  /// The joins of the page, TraceQL's structural operators among them, find what nested loops over all spans find.
  @Test(arguments: examples.filter { $0.contains(" JOIN ") }) func joins(_ example: String) throws {
    let plan = try SpansFixture.engine.plan(example)
    let expected = try Oracle(SpansFixture.snapshot()).run(plan)
    #expect(!expected.isEmpty)
    let found = try SpansFixture.engine.run(example).cells.map { $0.map(\.description) }
    #expect(found == DashboardQueryTests.cells(expected))
  }

  @Test func namesEveryFunction() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "docs/spanql.md"), encoding: .utf8)
    // Other spellings of documented functions.
    let synonyms: Set<String> = ["any_value", "ceiling", "power", "substr"]
    for name in FunctionNames.all.subtracting(synonyms).sorted() { #expect(page.contains(name), "\(name)") }
  }
}
