import ArgumentParser
import Lintel

/// `lintel-bench query`: a set of usual questions, each asked several times.
struct Query: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time a set of queries on a store filled by 'load', in this process or over HTTP.")

  @Option(help: "Directory of a store, opened in this process.") var data: String?
  @Option(help: "Address of a running linteld's API, as in 127.0.0.1:4320.") var server: String?
  @Option(help: "How often each query is run.") var runs = 7
  @Option(help: "Only the queries whose names hold this text.") var only: String?

  func validate() throws {
    guard (data != nil) != (server != nil) else { throw ValidationError("give --data DIR or --server HOST:PORT") }
    guard runs > 0 else { throw ValidationError("--runs must be above 0") }
  }

  func run() async throws {
    let target = try await target()
    let values = try await examples(target)
    var table = TextTable(["query", "best ms", "p50 ms", "rows"])
    for query in BenchmarkQuery.all where only.map({ query.name.contains($0) }) ?? true {
      let text = values.reduce(query.text) { $0.replacing($1.key, with: $1.value) }
      var times: [Double] = []
      var rows = 0
      for _ in 0..<runs {
        let began = Usage.now()
        let answer = try await target.ask(text)
        times.append((Usage.now() - began) * 1000)
        rows = try answer.rowCount()
      }
      times.sort()
      table.add([query.name, times[0].fixed(2), times[times.count / 2].fixed(2), rows.grouped])
    }
    print(table.text)
    try await target.close()
  }

  private func target() async throws -> any QueryTarget {
    if let server { return try ServerTarget(server) }
    var configuration = Configuration()
    configuration.isReadOnly = true
    return StoreTarget(store: try await SpanStore.open(at: data ?? "", configuration: configuration))
  }

  /// Values that occur in the middle of the store's time, for the queries that look for a needle.
  private func examples(_ target: any QueryTarget) async throws -> [String: String] {
    let bounds = try await target.ask("SELECT min(start_time) AS a, max(start_time) AS b FROM spans").rows()
    guard let from = bounds.first?.first.flatMap({ Int64($0) }), let to = bounds.first?.last.flatMap({ Int64($0) })
    else { throw ValidationError("the store holds no spans") }
    let middle = from + (to - from) / 2
    func timestamp(_ nanoseconds: Int64) -> String { "CAST(\(nanoseconds) AS timestamp)" }
    let found = try await target.ask(
      """
      SELECT trace_id, user_hash, session_id, attributes['gen_ai.response.id'] AS response, app_id FROM spans \
      WHERE operation = 'chat' AND status != 'error' AND start_time >= \(timestamp(middle)) LIMIT 1
      """
    ).rows()
    guard let row = found.first, row.count == 5 else { throw ValidationError("the store holds no chats") }
    return [
      "$trace": row[0], "$user": row[1], "$session": row[2], "$response": row[3], "$app": row[4],
      "$from": timestamp(middle), "$to": timestamp(middle + (to - from) / 10),
    ]
  }
}
