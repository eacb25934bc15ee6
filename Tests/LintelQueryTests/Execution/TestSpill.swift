import Foundation
import LintelStorage

@testable import LintelQuery

/// Room for what queries of the tests put on disk.
enum TestSpill {
  static let shared = space()

  /// Holds the directories of all tests, and goes with the process.
  private static let root: String = {
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: TestSpill.path) }
    return path
  }()

  private static let path = FileManager.default.temporaryDirectory.path + "/lintel-spill-\(getpid())"

  static func space(limit: Int = 1 << 30, _ fileSystem: any FileSystem = PosixFileSystem()) -> SpillSpace {
    SpillSpace(directory: "\(root)/\(UUID().uuidString)", limit: limit, fileSystem: fileSystem)
  }
}
