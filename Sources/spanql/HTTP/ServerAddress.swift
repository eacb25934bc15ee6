/// Where a linteld's API port is.
struct ServerAddress: Sendable, Equatable {
  let host: String
  let port: UInt16
  /// What stands before `/v1/query`, for servers behind a proxy. Without a slash at its end.
  let prefix: String
  /// Whether it is spoken to over TLS.
  let isSecure: Bool

  static let defaultPort: UInt16 = 4320

  /// Reads `http://host[:port][/prefix]`, or `https://`; the scheme may be left out, an IPv6 address stands in brackets.
  init(_ text: String) throws(ShellError) {
    var rest = Substring(text)
    var scheme = "http"
    if let mark = rest.range(of: "://") {
      scheme = rest[..<mark.lowerBound].lowercased()
      guard ["http", "https"].contains(scheme) else {
        throw .failed("\(text): only http:// and https:// are spoken here")
      }
      rest = rest[mark.upperBound...]
    }
    isSecure = scheme == "https"
    let authority = rest.prefix { $0 != "/" }
    var path = rest.dropFirst(authority.count)
    while path.last == "/" { path.removeLast() }
    prefix = String(path)
    let wrong = ShellError.failed("\(text) is no address of a server: give one such as http://127.0.0.1:4320")
    var portText = Substring()
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { throw wrong }
      host = String(authority[authority.index(after: authority.startIndex)..<end])
      portText = authority[authority.index(after: end)...]
      guard portText.isEmpty || portText.first == ":" else { throw wrong }
      portText = portText.dropFirst()
    } else {
      let pieces = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      host = String(pieces[0])
      if pieces.count == 2 { portText = pieces[1] }
    }
    let port = portText.isEmpty ? Self.defaultPort : UInt16(portText)
    let isPlain = (host + prefix).utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    guard !host.isEmpty, isPlain, let port, port > 0 else { throw wrong }
    self.port = port
  }

  var text: String { "\(isSecure ? "https" : "http")://\(authority)\(prefix)" }

  /// For the Host header.
  var authority: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}

extension Substring {
  /// Where `text` first stands.
  fileprivate func range(of text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}
