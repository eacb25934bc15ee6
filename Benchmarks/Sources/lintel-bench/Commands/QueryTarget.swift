import Foundation
import Lintel
import LintelQuery

/// Where queries are asked.
protocol QueryTarget {
  /// Runs a query and returns when its whole answer is here, but not looked at yet.
  func ask(_ text: String) async throws -> QueryAnswer
  func close() async throws
}

/// An answer as it came.
enum QueryAnswer {
  case result(QueryResult)
  /// The json format.
  case json([UInt8])

  /// The rows, as numbers and text; of times, the nanoseconds.
  func rows() throws -> [[String]] {
    switch self {
    case .result(let result):
      let lines = String(decoding: ResultFormatter(.tsv).bytes(result), as: UTF8.self).split(separator: "\n")
      return lines.dropFirst().map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    case .json(let bytes):
      let answer = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
      let rows = answer?["rows"] as? [[Any]] ?? []
      return rows.map { $0.map { "\($0)" } }
    }
  }

  func rowCount() throws -> Int {
    switch self {
    case .result(let result): result.rowCount
    case .json: try rows().count
    }
  }
}

/// A store in this process.
struct StoreTarget: QueryTarget {
  let store: SpanStore

  func ask(_ text: String) async throws -> QueryAnswer { .result(try await store.query(text)) }

  func close() async throws { try await store.close() }
}

/// A running linteld's API.
struct ServerTarget: QueryTarget {
  private let connection: HTTPConnection

  /// - Parameter address: `HOST:PORT`, with or without `http://` before it.
  init(_ address: String) throws {
    let parts = address.replacing("http://", with: "").split(separator: "/").first?.split(separator: ":") ?? []
    guard parts.count == 2, let port = UInt16(parts[1]) else {
      throw HTTPConnection.Failure(description: "\(address) is not HOST:PORT")
    }
    connection = try HTTPConnection(host: parts[0] == "localhost" ? "127.0.0.1" : String(parts[0]), port: port)
  }

  func ask(_ text: String) async throws -> QueryAnswer {
    let body = try JSONSerialization.data(withJSONObject: ["query": text])
    let answer = try connection.post("/v1/query", contentType: "application/json", body: Array(body))
    guard answer.status == 200 else {
      throw HTTPConnection.Failure(
        description: "\(text)\nanswered \(answer.status): \(String(decoding: answer.body, as: UTF8.self))")
    }
    return .json(answer.body)
  }

  func close() async throws {}
}
