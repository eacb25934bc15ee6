import Foundation
import Testing

@testable import LintelQuery

/// No text exhausts the stack or the patience of the reader: deep nesting is refused, long chains are read.
@Suite("SpanQL limits") struct LimitTests {
  /// Far past every limit.
  private static let many = 20_000

  private static let deep: [String] = [
    "SELECT " + String(repeating: "(", count: 100_000),
    "SELECT " + String(repeating: "(", count: many) + "1" + String(repeating: ")", count: many),
    "SELECT " + String(repeating: "- ", count: many) + "1",
    "SELECT " + String(repeating: "+ ", count: many) + "1",
    "SELECT " + String(repeating: "NOT ", count: many) + "true",
    "SELECT 1" + String(repeating: " + 1", count: many),
    "SELECT 1" + String(repeating: "::int64", count: many),
    "SELECT extra" + String(repeating: "[0]", count: many),
    "SELECT " + String(repeating: "CASE WHEN ", count: many),
    "SELECT " + String(repeating: "abs(", count: many),
    "SELECT " + String(repeating: "1 IN (SELECT ", count: many),
    "SELECT 1 " + String(repeating: "IS NULL ", count: many),
    "SELECT name FROM rows WHERE name IN " + String(repeating: "(SELECT name FROM rows WHERE name IN ", count: many),
  ]

  @Test(arguments: deep.indices)
  func deepNestingIsRefused(_ index: Int) {
    do throws(QueryError) {
      _ = try SpanQL.parse(Self.deep[index])
      Issue.record("no error")
    } catch {
      #expect(error.code == .limitExceeded || error.code == .syntax)
    }
  }

  @Test func longChainsAreRead() throws {
    let engine = QueryEngine(catalog: SpansFixture.catalog)
    let count = 5000
    let or = (0..<count).map { "input_tokens = \($0)" }.joined(separator: " OR ")
    let list = (0..<count).map { "'\($0)'" }.joined(separator: ", ")
    let text = "''" + String(repeating: " || 'x'", count: count)
    _ = try engine.plan("SELECT 1 FROM spans WHERE \(or)")
    _ = try engine.plan("SELECT 1 FROM spans WHERE \(or.replacingOccurrences(of: "OR", with: "AND"))")
    let plan = try engine.plan(
      "SELECT \(text) AS x FROM spans WHERE name IN (\(list)) AND attributes['server.address'] IN (\(list))")
    guard case .constant(.bytes(let bytes), _) = plan.outputs[0].expression else {
      Issue.record("not folded")
      return
    }
    #expect(bytes.count == count)
  }

  /// The deepest expression that is accepted is bound and run on a small stack.
  @Test func acceptedNestingFitsASmallStack() throws {
    let depth = Parser.maximumNesting - 4
    let nested =
      String(repeating: "coalesce(-(", count: depth / 3) + "duration" + String(repeating: "), 1s)", count: depth / 3)
    let chain = "input_tokens" + String(repeating: " + 1", count: SyntaxNode.maximumDepth - 2)
    let texts = [
      "SELECT \(nested) FROM spans LIMIT 1", "SELECT \(chain) FROM spans LIMIT 1", "EXPLAIN SELECT \(chain) FROM spans",
    ]
    let failures = Failures()
    let thread = Thread {
      for text in texts {
        do {
          _ = try SpansFixture.engine.run(text)
        } catch {
          failures.add("\(error)")
        }
      }
      failures.done.signal()
    }
    thread.stackSize = 2 << 20
    thread.start()
    failures.done.wait()
    #expect(failures.messages.isEmpty)
  }

  private final class Failures: @unchecked Sendable {
    let done = DispatchSemaphore(value: 0)
    private(set) var messages: [String] = []

    func add(_ message: String) { messages.append(message) }
  }

  /// Random bytes and random words: an answer or an error, never a trap.
  @Test func noiseNeverTraps() {
    var random = SeededGenerator(5)
    let words = [
      "SELECT", "FROM", "spans", "WHERE", "(", ")", "[", "]", "'x'", "1", "5m", "0.5usd", ",", "*", "AND", "NOT", "IN",
      "CASE",
      "WHEN", "THEN", "END", "name", "duration", "count", "attributes", "::", "int64", "=", "<", "||", "~", "-", "IS",
      "NULL",
      "GROUP", "BY", "ORDER", "LIMIT", "\"", "'", "/*", "--", ".", "e", "9e999", "FILTER", "BETWEEN", "LIKE", "sum",
      "AS", "é",
    ]
    for _ in 0..<3000 {
      let text = (0..<Int.random(in: 1...25, using: &random)).map { _ in words.randomElement(using: &random) ?? "" }
        .joined(separator: Bool.random(using: &random) ? " " : "")
      _ = try? SpansFixture.engine.run(text)
      _ = try? SpansFixture.engine.run("SELECT " + text + " FROM spans LIMIT 2")
      let bytes = (0..<20).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      _ = try? SpanQL.parse(String(decoding: bytes, as: UTF8.self))
    }
  }
}
