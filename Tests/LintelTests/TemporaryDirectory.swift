import Glibc

/// Runs a body with the path of a fresh directory, and removes it afterwards.
func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
  var template = Array("/tmp/lintel-tests.XXXXXX".utf8CString)
  let path = template.withUnsafeMutableBufferPointer { buffer in
    mkdtemp(buffer.baseAddress).map { String(cString: $0) }
  }
  guard let path else { throw TemporaryDirectoryError() }
  defer { nftw(path, { path, _, _, _ in path.map { remove($0) } ?? 0 }, 16, FTW_DEPTH | FTW_PHYS) }
  try await body(path)
}

struct TemporaryDirectoryError: Error {}
