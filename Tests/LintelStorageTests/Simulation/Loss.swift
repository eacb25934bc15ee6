/// What a crash leaves of the changes that had not been synced.
enum Loss: Hashable, CustomStringConvertible {
  /// The process died, the machine runs on: all is still there, and still not synced.
  case processKilled
  /// Nothing that wasn't synced.
  case everything
  /// All of it happened to be written back.
  case nothing
  /// The names are there, the unsynced content isn't.
  case content
  /// The content is there, the unsynced creations, renames and removals aren't.
  case names
  /// As `nothing`, but the last write reached the device only in part, a multiple of `unit` bytes; the rest is missing, or
  /// zeros where the length was written back before the bytes.
  case lastWriteTorn(unit: Int, zeroFilled: Bool)
  /// Any subset of unsynced name changes and any sectors of unsynced content.
  case random(seed: UInt64)

  static func variants(seed: UInt64) -> [Loss] {
    [
      .processKilled, .everything, .nothing, .content, .names,
      .lastWriteTorn(unit: 512, zeroFilled: false), .lastWriteTorn(unit: 512, zeroFilled: true),
      .lastWriteTorn(unit: 4096, zeroFilled: false), .lastWriteTorn(unit: 4096, zeroFilled: true),
      .random(seed: seed), .random(seed: seed &+ 1),
    ]
  }

  var description: String {
    switch self {
    case .processKilled: "process killed"
    case .everything: "everything unsynced lost"
    case .nothing: "nothing lost"
    case .content: "unsynced content lost"
    case .names: "unsynced names lost"
    case .lastWriteTorn(let unit, let zeroFilled): "last write torn at \(unit)\(zeroFilled ? ", zero-filled" : "")"
    case .random(let seed): "random loss \(seed)"
    }
  }
}

extension SimulatedDisk {
  /// The disk that the next start of the machine, or of the process, finds.
  func afterCrash(_ loss: Loss) -> SimulatedDisk {
    if loss == .processKilled { return copied() }
    var generator = SeededGenerator(seed: 0)
    if case .random(let seed) = loss { generator = SeededGenerator(seed: seed) }
    var names = durable
    for change in changes where keepsName(loss, &generator) { change.apply(to: &names) }
    var disk = SimulatedDisk()
    for (path, node) in names.sorted(by: { $0.key < $1.key }) where hasParents(path, names) {
      var node = node
      if case .file(let inode) = node {
        node = .file(.recovered(content(of: inode, loss, &generator), from: inode))
      }
      disk.visible[path] = node
      disk.durable[path] = node
    }
    return disk
  }

  private func hasParents(_ path: String, _ names: [String: SimulatedNode]) -> Bool {
    var path = path
    while path != "/" {
      path = Self.parent(path)
      guard case .directory? = names[path] else { return false }
    }
    return true
  }

  private func keepsName(_ loss: Loss, _ generator: inout SeededGenerator) -> Bool {
    switch loss {
    case .everything, .names: false
    case .random: Bool.random(using: &generator)
    default: true
    }
  }

  private func content(of inode: SimulatedInode, _ loss: Loss, _ generator: inout SeededGenerator) -> [UInt8] {
    switch loss {
    case .everything, .content: return inode.durable
    case .processKilled, .nothing, .names: return inode.visible
    case .lastWriteTorn(let unit, let zeroFilled):
      guard inode === lastWritten, case .append(let last)? = inode.writes.last else { return inode.visible }
      // At a boundary of the device's, about the middle of what was written.
      let start = inode.visible.count - last.count
      let torn = max(start, (start + last.count / 2) / unit * unit)
      let rest = zeroFilled ? inode.visible.count - torn : 0
      return inode.visible[..<torn] + Array(repeating: 0, count: rest)
    case .random:
      return randomContent(of: inode, &generator)
    }
  }

  private func randomContent(of inode: SimulatedInode, _ generator: inout SeededGenerator) -> [UInt8] {
    var content = inode.durable
    for write in inode.writes.prefix(Int.random(in: 0...inode.writes.count, using: &generator)) {
      switch write {
      case .cut(let length): content.removeLast(max(0, content.count - length))
      case .append(let bytes):
        let start = content.count
        content += bytes
        var sector = start / 512 * 512
        while sector < content.count {
          if Int.random(in: 0..<4, using: &generator) == 0 {
            for index in max(start, sector)..<min(sector + 512, content.count) { content[index] = 0 }
          }
          sector += 512
        }
      }
    }
    return content
  }

  private func copied() -> SimulatedDisk {
    var copies: [ObjectIdentifier: SimulatedInode] = [:]
    func copy(_ inode: SimulatedInode) -> SimulatedInode {
      if let copy = copies[ObjectIdentifier(inode)] { return copy }
      let copy = inode.copy()
      copies[ObjectIdentifier(inode)] = copy
      return copy
    }
    func copy(_ node: SimulatedNode) -> SimulatedNode {
      if case .file(let inode) = node { return .file(copy(inode)) }
      return node
    }
    var disk = self
    disk.visible = visible.mapValues(copy)
    disk.durable = durable.mapValues(copy)
    disk.changes = changes.map { change in
      var change = change
      change.added = change.added.map { ($0.path, copy($0.node)) }
      return change
    }
    disk.lastWritten = lastWritten.map(copy)
    return disk
  }
}
