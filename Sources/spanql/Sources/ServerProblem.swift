import LintelQuery

/// What a server says when it has no result.
enum ServerProblem {
  static func error(_ head: HTTPExchange.Head, _ body: [UInt8]) -> ShellError {
    if let error = QueryErrorDecoder.decode(body) {
      return error.code == .cancelled ? .failed("the server stopped the query") : .query(error)
    }
    let text = QueryErrorDecoder.message(body) ?? ResultText.visible(String(decoding: body.prefix(300), as: UTF8.self))
    let status = "\(head.status) \(ResultText.visible(head.reason))"
    return .failed(text.isEmpty ? "the server answered \(status)" : "the server answered \(status): \(text)")
  }
}
