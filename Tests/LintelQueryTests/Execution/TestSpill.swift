import Foundation
import LintelStorage

@testable import LintelQuery

/// Room for what queries of the tests put on disk.
enum TestSpill {
  static let shared = space()

  static func space(limit: Int = 1 << 30, _ fileSystem: any FileSystem = PosixFileSystem()) -> SpillSpace {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("lintel-spill-\(UUID().uuidString)")
    return SpillSpace(directory: directory.path, limit: limit, fileSystem: fileSystem)
  }
}
