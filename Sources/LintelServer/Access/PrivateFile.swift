#if Server
  internal import Glibc

  /// Files that hold secrets: tokens, keys.
  enum PrivateFile {
    /// The content of a file that nobody but its owner may read or write.
    static func read(_ path: String, limit: Int) throws(ServerError) -> [UInt8] {
      func failed(_ what: String) -> ServerError { ServerError(.invalidConfiguration, "\(path): \(what)") }
      let descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw failed("cannot be opened: \(String(cString: strerror(errno)))") }
      defer { close(descriptor) }
      var status = stat()
      guard fstat(descriptor, &status) == 0 else { throw failed("cannot be looked at") }
      guard status.st_mode & S_IFMT != S_IFDIR else { throw failed("is a directory") }
      guard status.st_mode & 0o077 == 0 else {
        throw failed("others than its owner may read it: chmod 600 it, and consider who may have seen it")
      }
      var content: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = Glibc.read(descriptor, &piece, piece.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw failed("cannot be read: \(String(cString: strerror(errno)))") }
        if count == 0 { return content }
        content += piece[..<count]
        guard content.count <= limit else { throw failed("is larger than \(limit) bytes") }
      }
    }
  }
#endif
