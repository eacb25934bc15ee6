import Foundation
import Testing

@testable import LintelStorage

@Suite struct PosixFileSystemTests {
  private let files = PosixFileSystem()
  private let folder: TemporaryFolder
  private var path: String { folder.path + "/file" }

  init() throws { folder = try TemporaryFolder() }

  @Test func appendsAndReadsByRange() throws {
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let writable = try files.create(path)
    try writable.append(Array(bytes[..<1000]))
    try writable.append([])
    try writable.append(Array(bytes[1000...]))
    try writable.sync()
    #expect(writable.length == bytes.count)
    let readable = try files.open(path)
    #expect(try readable.size() == bytes.count)
    #expect(try readable.read(at: 0, count: bytes.count) == bytes)
    #expect(try readable.read(at: 999, count: 3) == Array(bytes[999..<1002]))
    #expect(try readable.read(at: bytes.count, count: 0) == [])
    try writable.close()
    #expect(thrown { try writable.append([1]) }?.code == .closed)
  }

  @Test(arguments: [(0, 11), (10, 1), (11, 1), (-1, 1), (0, -1), (Int.max, 1), (5, Int.max), (0, 1 << 50)])
  func aReadBeyondTheEndIsDamage(offset: Int, count: Int) throws {
    let writable = try files.create(path)
    try writable.append(Array(repeating: 1, count: 10))
    let readable = try files.open(path)
    #expect(thrown { _ = try readable.read(at: offset, count: count) }?.code == .corrupt)
  }

  @Test func createRefusesAnExistingFile() throws {
    _ = try files.create(path)
    let error = thrown { _ = try files.create(path) }
    #expect(error?.code == .io && error?.errorNumber == EEXIST && error?.path == path)
    #expect(error?.message.contains("File exists") == true)
  }

  @Test func reopenCutsAndGoesOn() throws {
    try files.create(path).append([1, 2, 3, 4])
    let reopened = try files.reopen(path, length: 2)
    try reopened.append([9])
    #expect(reopened.length == 3)
    #expect(try files.readAll(path, limit: 10) == [1, 2, 9])
    #expect(thrown { _ = try files.reopen(path, length: 4) }?.code == .corrupt)
    #expect(thrown { _ = try files.reopen(path, length: -1) }?.code == .corrupt)
    #expect(thrown { _ = try files.readAll(path, limit: 2) }?.code == .corrupt)
  }

  @Test func missingFilesAreTold() throws {
    #expect(thrown { _ = try files.open(path) }?.isMissingFile == true)
    #expect(thrown { try files.remove(path) }?.isMissingFile == true)
    try files.removeIfPresent(path)
    #expect(try files.list(path) == [])
    #expect(try !files.exists(path))
  }

  @Test func renamesListsAndRemoves() throws {
    _ = try files.create(path)
    try files.rename(path, to: path + "2")
    try files.syncDirectory(folder.path)
    #expect(try files.list(folder.path) == ["file2"])
    try files.remove(path + "2")
    #expect(try files.list(folder.path).isEmpty)
  }

  @Test func createsDirectoriesWithWhatIsAbove() throws {
    let deep = folder.path + "/a/b//c/"
    try files.createDirectory(deep)
    try files.createDirectory(deep)
    #expect(try files.exists(folder.path + "/a/b/c"))
    try files.createParentsDurably(of: folder.path + "/d/e/f/g")
    #expect(try files.exists(folder.path + "/d/e/f"))
    _ = try files.create(path)
    #expect(thrown { try files.createDirectory(path) }?.errorNumber == ENOTDIR)
    #expect(thrown { try files.createDirectory(path + "/below") }?.errorNumber == ENOTDIR)
  }

  @Test func privateFilesAreTheOwnersAlone() throws {
    _ = try files.create(path, isPrivate: true)
    #expect(try files.isPrivate(path))
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
    #expect(try !files.isPrivate(path))
  }

  @Test func theLockKeepsASecondOut() throws {
    let lock = try files.lock(path)
    let refused = thrown { _ = try files.lock(path) }
    #expect(refused?.code == .locked)
    #expect(refused?.message.contains("this process") == true)
    lock.release()
    let again = try files.lock(path)
    #expect(thrown { _ = try files.lock(path) }?.code == .locked)
    again.release()
  }

  @Test func theLockKeepsAnotherProcessOutAndDiesWithIt() throws {
    let holder = Process()
    holder.executableURL = URL(filePath: "/bin/sh")
    holder.arguments = ["-c", "exec flock -F \"$0\" sleep 60", path]
    try holder.run()
    defer { kill(holder.processIdentifier, SIGKILL) }
    var refused: StorageError?
    for _ in 0..<2000 where refused == nil {
      refused = thrown { try files.lock(path).release() }
      usleep(10_000)
    }
    #expect(refused?.code == .locked)
    kill(holder.processIdentifier, SIGKILL)
    holder.waitUntilExit()
    for _ in 0..<2000 where thrown({ try files.lock(path).release() }) != nil { usleep(10_000) }
    _ = try files.lock(path)
  }

  @Test func descriptorsAreNotInherited() throws {
    let lock = try files.lock(path)
    defer { lock.release() }
    let child = Process()
    let output = Pipe()
    child.executableURL = URL(filePath: "/bin/sh")
    child.arguments = ["-c", "ls -l /proc/self/fd"]
    child.standardOutput = output
    try child.run()
    let listing = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    child.waitUntilExit()
    #expect(!listing.isEmpty && !listing.contains(folder.path))
  }

  @Test func aFullDeviceIsTold() throws {
    guard try files.exists("/dev/full") else { return }
    let full = try files.reopen("/dev/full", length: 0)
    let error = thrown { try full.append([1]) }
    #expect(error?.code == .diskFull && error?.errorNumber == ENOSPC)
    #expect(error?.message.contains("free some space") == true)
  }

  @Test func tellsTheFreeSpace() throws {
    #expect(try files.freeSpace(folder.path) > 0)
    #expect(thrown { _ = try files.freeSpace(path + "/none") } != nil)
  }
}
