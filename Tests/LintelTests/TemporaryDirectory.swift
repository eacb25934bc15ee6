import Foundation

/// Runs a body with the path of a fresh directory, and removes it afterwards.
func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("lintel-tests-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  try await body(url.appendingPathComponent("store").path)
}
