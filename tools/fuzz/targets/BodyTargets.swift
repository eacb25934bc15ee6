import NIOCore
@testable import LintelColumns
@testable import LintelIngest
@testable import LintelQuery
@testable import LintelServer
@testable import spanql

/// What comes over a connection: requests, and what a server answers.
let bodyTargets: [String: FuzzTarget] = [
  "body": { shape, bytes in expand(bytes, ContentCoding.allCases[shape & 3], limit: shape & 4 == 0 ? 1 << 20 : 1000) },
  "answer": { pieces, bytes in readAnswer(bytes, by: 1 + pieces % 2000) },
  "result": { _, bytes in
    _ = QueryErrorDecoder.decode(Array(bytes))
    guard let result = try? ResultDecoder.decode(Array(bytes)) else { return }
    precondition(result.columns.allSatisfy { $0.values.count == result.rowCount })
    for format in ResultFormat.allCases { _ = ResultFormatter(format, width: 80).bytes(result) }
  },
]

/// What is expanded is no more than the limit, is given back to the budget, and is decoded like any request.
private func expand(_ bytes: UnsafeRawBufferPointer, _ coding: ContentCoding, limit: Int) {
  let budget = BodyBudget(limit: 8 << 20)
  do {
    let expander = Expander(limit: limit, reservation: BodyReservation(budget))
    guard let body = try? expander.expand(ByteBuffer(bytes: Array(bytes)), coding) else { return }
    precondition(coding == .identity || body.readableBytes <= limit && budget.used >= body.readableBytes)
    body.withUnsafeReadableBytes { body in
      decodeRequest { () throws(OTLPError) in try decoder.decode(body) }
    }
  }
  precondition(budget.used == 0)
}

/// Reads an answer that comes in pieces of so many bytes.
private func readAnswer(_ bytes: UnsafeRawBufferPointer, by size: Int) {
  var rest = Array(bytes)[...]
  let source = HTTPBytes { () throws(ShellError) in
    defer { rest = rest.dropFirst(size) }
    return Array(rest.prefix(size))
  }
  guard var exchange = try? HTTPExchange(reading: source), let body = try? exchange.body(limit: 1 << 20) else { return }
  precondition(body.count <= bytes.count)
  _ = try? ResultDecoder.decode(body)
}
