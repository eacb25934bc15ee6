package import LintelStorage
import Synchronization

/// A file system in memory that counts its calls, and can crash at or fail any one of them.
package final class SimulatedFileSystem: FileSystem {
  package struct Call: Sendable, CustomStringConvertible {
    package let number: Int
    package let name: String
    package let path: String
    /// Whether the call changes anything, so that a crash there differs from a crash at the call before.
    package let isChange: Bool
    /// Whether a full device can fail it.
    package let needsSpace: Bool
    /// Of a sync: the place in the engine that asked for it.
    package let site: UInt

    package var description: String { "call \(number): \(name) \(path)" }
  }

  package enum Fault: Sendable {
    case none
    /// The machine stops while the call with this number is under way: its effect is there, unsynced.
    case crash(at: Int)
    /// The call fails with this error number; with `lasting`, so does every later one that can.
    case fail(at: Int, errno: Int32, lasting: Bool)
    /// The device has no room for the one call; at the other, a later one, the machine stops.
    case fullThenCrash(full: Int, crash: Int)
    /// Reads and writes are interrupted by signals and done in part, as often as the seed has it.
    case interrupt(seed: UInt64)
    /// The read with this number returns other bytes.
    case misread(at: Int, Misread)
  }

  struct State: ~Copyable {
    var disk = SimulatedDisk()
    var fault = Fault.none
    var calls: [Call] = []
    var isDown = false
    var locks: Set<String> = []
    var dice = Dice(0)
    /// A device that lies: such syncs of files and directories report success and do nothing.
    var ignoresSync: @Sendable (_ path: String, _ site: UInt) -> Bool = { _, _ in false }
    var beforeCall: (@Sendable (Call) -> Void)?
    var freeSpace: @Sendable (_ path: String) -> Int = { _ in 1 << 40 }
  }

  package static let noSpace: Int32 = 28
  package static let inputOutput: Int32 = 5

  let state: Mutex<State>

  package init(fault: Fault = .none) {
    state = Mutex(State(fault: fault))
  }

  private init(disk: consuming sending SimulatedDisk, fault: Fault) {
    state = Mutex(State(disk: disk, fault: fault))
  }

  /// Every call so far.
  package var calls: [Call] { state.withLock { $0.calls } }
  package var callCount: Int { state.withLock { $0.calls.count } }
  package var isDown: Bool { state.withLock { $0.isDown } }

  /// Whether a call from this one on was failed by the device, whatever it asked for; a full disk fails only some.
  package func hasFailed(since call: Int) -> Bool {
    state.withLock { state in
      guard case .fail(let at, let errno, let lasting) = state.fault, errno != Self.noSpace else { return false }
      return at < state.calls.count && (lasting || at >= call)
    }
  }

  /// Stops the machine now.
  package func crash() { state.withLock { $0.isDown = true } }

  /// From now on, counting from the calls made so far.
  package func setFault(_ fault: Fault) { state.withLock { $0.fault = fault } }

  /// Makes the syncs that `body` names do nothing; a directory's path ends in a slash.
  package func ignoreSyncs(_ body: @escaping @Sendable (_ path: String, _ site: UInt) -> Bool) {
    state.withLock { $0.ignoresSync = body }
  }

  /// Has `body` called before each change that is made; it may use the file system itself.
  package func observeChanges(_ body: (@Sendable (Call) -> Void)?) { state.withLock { $0.beforeCall = body } }

  /// The file system that is found after a crash. This one is down from now on.
  package func afterCrash(_ loss: Loss, fault: Fault = .none) -> SimulatedFileSystem {
    state.withLock { state in
      state.isDown = true
      nonisolated(unsafe) let disk = state.disk.afterCrash(loss)
      return SimulatedFileSystem(disk: disk, fault: fault)
    }
  }
}

extension SimulatedFileSystem {
  /// Runs one call: counts it, and lets it fail or the machine crash if it is its turn.
  func call<T: Sendable>(
    _ name: String, _ path: String, isChange: Bool = false, needsSpace: Bool = false, site: UInt = 0,
    onFailure: (inout State) -> Void = { _ in }, _ body: (inout State) throws(StorageError) -> T
  ) throws(StorageError) -> T {
    if isChange, let observer = state.withLock({ $0.isDown ? nil : $0.beforeCall }) {
      // Once at a time: what it does isn't observed.
      observeChanges(nil)
      observer(Call(number: callCount, name: name, path: path, isChange: true, needsSpace: needsSpace, site: site))
      observeChanges(observer)
    }
    return try state.withLock { (state) throws(StorageError) in
      let down = StorageError(.io, "cannot \(name): the simulated machine is down", path: path, errorNumber: 5)
      guard !state.isDown else { throw down }
      let number = state.calls.count
      state.calls.append(
        Call(number: number, name: name, path: path, isChange: isChange, needsSpace: needsSpace, site: site))
      switch state.fault {
      case .none, .interrupt, .misread: break
      case .crash(let at), .fullThenCrash(_, let at):
        if number == at {
          // A sync that is cut short has done nothing for sure; any other change is under way.
          if isChange, name != "sync", name != "syncDirectory" { _ = try? body(&state) }
          state.isDown = true
          throw down
        }
        if case .fullThenCrash(number, _) = state.fault, needsSpace {
          onFailure(&state)
          throw StorageError(
            .diskFull, "cannot \(name): simulated error \(Self.noSpace)", path: path, errorNumber: Self.noSpace)
        }
      case .fail(let at, let errno, let lasting):
        if number == at || (lasting && number > at), errno != Self.noSpace || needsSpace {
          onFailure(&state)
          throw StorageError(
            errno == Self.noSpace ? .diskFull : .io, "cannot \(name): simulated error \(errno)", path: path,
            errorNumber: errno)
        }
      }
      return try body(&state)
    }
  }

  static func missing(_ path: String) -> StorageError {
    StorageError(.io, "no such file", path: path, errorNumber: 2)
  }

  static func inode(_ path: String, _ state: borrowing State) throws(StorageError) -> SimulatedInode {
    guard case .file(let inode)? = state.disk.visible[path] else { throw missing(path) }
    return inode
  }
}

extension SimulatedFileSystem {
  package func create(_ path: String, isPrivate: Bool) throws(StorageError) -> any WritableFile {
    try call("create", path, isChange: true, needsSpace: true) { (state) throws(StorageError) in
      let parent = SimulatedDisk.parent(path)
      guard state.disk.visible[parent] != nil else { throw Self.missing(parent) }
      guard state.disk.visible[path] == nil else {
        throw StorageError(.io, "exists already", path: path, errorNumber: 17)
      }
      let inode = SimulatedInode()
      inode.isPrivate = isPrivate
      state.disk.perform(SimulatedNameChange(directory: parent, added: (path, .file(inode))))
      return SimulatedWritableFile(self, inode, path)
    }
  }

  package func open(_ path: String) throws(StorageError) -> any ReadableFile {
    try call("open", path) { (state) throws(StorageError) in
      SimulatedReadableFile(self, try Self.inode(path, state), path)
    }
  }

  package func reopen(_ path: String, length: Int) throws(StorageError) -> any WritableFile {
    try call("reopen", path, isChange: true) { (state) throws(StorageError) in
      let inode = try Self.inode(path, state)
      guard 0...inode.visible.count ~= length else {
        throw StorageError(.corrupt, "has \(inode.visible.count) bytes, not \(length)", path: path)
      }
      if length < inode.visible.count { inode.perform(.cut(length)) }
      return SimulatedWritableFile(self, inode, path)
    }
  }

  package func rename(_ from: String, to: String) throws(StorageError) {
    try call("rename", to, isChange: true, needsSpace: true) { (state) throws(StorageError) in
      let parent = SimulatedDisk.parent(to)
      precondition(parent == SimulatedDisk.parent(from), "the simulation renames within a directory")
      guard let node = state.disk.visible[from] else { throw Self.missing(from) }
      state.disk.perform(SimulatedNameChange(directory: parent, removed: from, added: (to, node)))
    }
  }

  package func remove(_ path: String) throws(StorageError) {
    try call("remove", path, isChange: true) { (state) throws(StorageError) in
      _ = try Self.inode(path, state)
      state.disk.perform(SimulatedNameChange(directory: SimulatedDisk.parent(path), removed: path))
    }
  }

  package func link(_ from: String, to: String) throws(StorageError) -> Bool {
    try call("link", to, isChange: true, needsSpace: true) { (state) throws(StorageError) in
      let inode = try Self.inode(from, state)
      let parent = SimulatedDisk.parent(to)
      guard state.disk.visible[parent] != nil else { throw Self.missing(parent) }
      guard state.disk.visible[to] == nil else { throw StorageError(.io, "exists already", path: to, errorNumber: 17) }
      state.disk.perform(SimulatedNameChange(directory: parent, added: (to, .file(inode))))
      return true
    }
  }

  package func removeDirectory(_ path: String) throws(StorageError) {
    try call("removeDirectory", path, isChange: true) { (state) throws(StorageError) in
      guard case .directory? = state.disk.visible[path] else { throw Self.missing(path) }
      guard !state.disk.visible.keys.contains(where: { SimulatedDisk.parent($0) == path && $0 != "/" }) else {
        throw StorageError(.io, "the directory is not empty", path: path, errorNumber: 39)
      }
      state.disk.perform(SimulatedNameChange(directory: SimulatedDisk.parent(path), removed: path))
    }
  }

  package func isDirectory(_ path: String) throws(StorageError) -> Bool {
    try call("isDirectory", path) { (state) throws(StorageError) in
      if case .directory? = state.disk.visible[path] { true } else { false }
    }
  }

  package func list(_ directory: String) throws(StorageError) -> [String] {
    try call("list", directory) { (state) throws(StorageError) in
      // Sorted, so that a run is the same each time.
      state.disk.visible.keys.filter { $0 != "/" && SimulatedDisk.parent($0) == directory }.sorted().map { path in
        String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
      }
    }
  }

  package func exists(_ path: String) throws(StorageError) -> Bool {
    try call("exists", path) { (state) throws(StorageError) in state.disk.visible[path] != nil }
  }

  package func isPrivate(_ path: String) throws(StorageError) -> Bool {
    try call("isPrivate", path) { (state) throws(StorageError) in try Self.inode(path, state).isPrivate }
  }

  package func createDirectory(_ path: String) throws(StorageError) {
    try call("createDirectory", path, isChange: true, needsSpace: true) { (state) throws(StorageError) in
      var missing: [String] = []
      var directory = path
      while state.disk.visible[directory] == nil {
        missing.append(directory)
        directory = SimulatedDisk.parent(directory)
      }
      for path in missing.reversed() {
        state.disk.perform(
          SimulatedNameChange(directory: SimulatedDisk.parent(path), added: (path, .directory)))
      }
    }
  }

  package func syncDirectory(_ path: String) throws(StorageError) {
    let site = CallSite.caller()
    try call("syncDirectory", path, isChange: true, needsSpace: true, site: site) { (state) throws(StorageError) in
      guard case .directory? = state.disk.visible[path] else { throw Self.missing(path) }
      if !state.ignoresSync(path + "/", site) { state.disk.syncDirectory(path) }
    }
  }

  package func lock(_ path: String) throws(StorageError) -> any FileLock {
    try call("lock", path) { (state) throws(StorageError) in
      guard state.locks.insert(path).inserted else {
        throw StorageError(.locked, "locked already", path: path)
      }
      return SimulatedLock(self, path)
    }
  }

  package func freeSpace(_ path: String) throws(StorageError) -> Int {
    try call("freeSpace", path) { (state) throws(StorageError) in state.freeSpace(path) }
  }
}

/// For tests that look behind the protocol.
extension SimulatedFileSystem {
  package var paths: [String] { state.withLock { $0.disk.visible.keys.sorted() } }

  package func contents(_ path: String) -> [UInt8]? { state.withLock { try? Self.inode(path, $0).visible } }

  /// What the engine has set aside because it couldn't be read.
  package var keptDamage: [String: [UInt8]] {
    var kept: [String: [UInt8]] = [:]
    for path in paths where path.hasSuffix(".tail") || path.hasSuffix(".damaged") { kept[path] = contents(path) }
    return kept
  }

  /// Damages a file behind everyone's back.
  package func corrupt(_ path: String, _ body: (inout [UInt8]) -> Void) {
    state.withLock { state in
      guard let inode = try? Self.inode(path, state) else { return }
      body(&inode.visible)
      inode.durable = inode.visible
      inode.writes = []
    }
  }

  /// What is free of a device, by a path on it.
  package func setFreeSpace(_ bytes: @escaping @Sendable (String) -> Int) { state.withLock { $0.freeSpace = bytes } }

  package func makePublic(_ path: String) { state.withLock { try? Self.inode(path, $0).isPrivate = false } }
}
