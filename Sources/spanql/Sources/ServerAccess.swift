#if canImport(Glibc)
  import Glibc
#endif

/// What it takes to be let in by a server, and to know that it is the right one.
struct ServerAccess: Sendable, Equatable {
  /// For `Authorization: Bearer`.
  var token: String?
  /// A PEM file of the authorities that may vouch for the server; `nil`: those of the system.
  var authorities: String?

  private static let maximumLength = 512

  /// - Parameters:
  ///   - tokenFile: Wins over the token of the environment.
  ///   - environment: The value of `LINTEL_TOKEN`.
  init(tokenFile: String? = nil, environment: String? = nil, authorities: String? = nil) throws(ShellError) {
    self.authorities = authorities
    let text: String
    if let tokenFile { text = try Self.read(tokenFile) } else { text = environment ?? "" }
    let token = text.filter { !$0.isWhitespace }
    if token.isEmpty {
      if let tokenFile { throw .failed("\(tokenFile) has no token in it") }
      return
    }
    // No message repeats it.
    guard token.utf8.count <= Self.maximumLength, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .failed("\(tokenFile ?? "LINTEL_TOKEN") is no token: it is a single word of printable characters")
    }
    self.token = token
  }

  private static func read(_ path: String) throws(ShellError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .failed("cannot read \(path): \(StandardStreams.reason(errno))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else {
      throw .failed("\(path) is not a file")
    }
    guard status.st_mode & 0o077 == 0 || status.st_mode & S_IFMT != S_IFREG else {
      throw .failed("others than its owner may read \(path): chmod 600 it, and consider who may have seen it")
    }
    var bytes = [UInt8](repeating: 0, count: 4 * maximumLength)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw .failed("cannot read \(path): \(StandardStreams.reason(errno))") }
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
