/// What a crash leaves of the changes that had not been synced.
package enum Loss: Hashable, Sendable, CustomStringConvertible {
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
  /// Of the unsynced name changes only the newest is there.
  case olderNames
  /// As `nothing`, but the last write reached the device only in part, a multiple of `unit` bytes; the rest is missing, or
  /// zeros where the length was written back before the bytes.
  case lastWriteTorn(unit: Int, zeroFilled: Bool)
  /// Every file has its length, and zeros where the content was not synced.
  case zeroFilled
  /// Any subset of the unsynced writes, whatever their order, zeros in between, and of the name changes.
  case reordered(seed: UInt64)
  /// Any subset of unsynced name changes, and any sectors, of `unit` bytes, of unsynced content.
  case sectors(unit: Int, seed: UInt64)

  package static func variants(seed: UInt64) -> [Loss] {
    [
      .processKilled, .everything, .nothing, .content, .names, .olderNames,
      .lastWriteTorn(unit: 512, zeroFilled: false), .lastWriteTorn(unit: 512, zeroFilled: true),
      .lastWriteTorn(unit: 4096, zeroFilled: false), .lastWriteTorn(unit: 4096, zeroFilled: true),
      .zeroFilled, .reordered(seed: seed), .sectors(unit: 512, seed: seed), .sectors(unit: 4096, seed: seed),
    ]
  }

  /// Whether a record can be left that is long enough, and wrong: a log that ends so is told as a problem.
  package var tearsRecords: Bool {
    switch self {
    case .reordered, .sectors, .zeroFilled, .lastWriteTorn(_, zeroFilled: true): true
    default: false
    }
  }

  /// One word, without the seed.
  package var label: String {
    switch self {
    case .processKilled: "killed"
    case .everything: "absent"
    case .nothing: "present"
    case .content: "content-absent"
    case .names: "names-absent"
    case .olderNames: "older-names-absent"
    case .lastWriteTorn(let unit, let zeroFilled): "torn-\(unit)\(zeroFilled ? "-zeros" : "")"
    case .zeroFilled: "zero-filled"
    case .reordered: "reordered"
    case .sectors(let unit, _): "sectors-\(unit)"
    }
  }

  private var seed: UInt64? {
    switch self {
    case .reordered(let seed), .sectors(_, let seed): seed
    default: nil
    }
  }

  package var description: String { seed.map { "\(label):\($0)" } ?? label }

  /// Reads a description.
  package init?(_ text: String) {
    let parts = text.split(separator: ":")
    let seed = parts.count > 1 ? UInt64(parts[1]) ?? 0 : 0
    guard let found = Self.variants(seed: seed).first(where: { $0.description == text }) else { return nil }
    self = found
  }
}

extension SimulatedDisk {
  /// The disk that the next start of the machine, or of the process, finds.
  func afterCrash(_ loss: Loss) -> SimulatedDisk {
    if loss == .processKilled { return copied() }
    var dice = Dice(0)
    switch loss {
    case .reordered(let seed), .sectors(_, let seed): dice = Dice(seed)
    default: break
    }
    var names = durable
    for (index, change) in changes.enumerated() where keepsName(index, loss, &dice) { change.apply(to: &names) }
    var disk = SimulatedDisk()
    for (path, node) in names.sorted(by: { $0.key < $1.key }) where hasParents(path, names) {
      var node = node
      if case .file(let inode) = node {
        node = .file(.recovered(content(of: inode, loss, &dice), from: inode))
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

  private func keepsName(_ index: Int, _ loss: Loss, _ dice: inout Dice) -> Bool {
    switch loss {
    case .everything, .names: false
    case .olderNames: index == changes.count - 1
    case .reordered, .sectors: dice.chance(50)
    default: true
    }
  }

  private func content(of inode: SimulatedInode, _ loss: Loss, _ dice: inout Dice) -> [UInt8] {
    switch loss {
    case .everything, .content: return inode.durable
    case .processKilled, .nothing, .names, .olderNames: return inode.visible
    case .lastWriteTorn(let unit, let zeroFilled):
      guard inode === lastWritten, case .append(let last)? = inode.writes.last else { return inode.visible }
      // At a boundary of the device's, about the middle of what was written.
      let start = inode.visible.count - last.count
      let torn = max(start, (start + last.count / 2) / unit * unit)
      let rest = zeroFilled ? inode.visible.count - torn : 0
      return inode.visible[..<torn] + Array(repeating: 0, count: rest)
    case .zeroFilled:
      return inode.afterWrites(inode.writes) { Array(repeating: 0, count: $0.count) }
    case .reordered:
      var kept = inode.writes.map { _ in dice.chance(50) }
      // Nothing stands behind the last write that is there.
      let count = (kept.lastIndex(of: true) ?? -1) + 1
      kept = Array(kept.prefix(count))
      var number = -1
      return inode.afterWrites(inode.writes.prefix(count)) { bytes in
        number += 1
        return kept[number] ? bytes : Array(repeating: 0, count: bytes.count)
      }
    case .sectors(let unit, _):
      return inode.afterWrites(inode.writes.prefix(dice.below(inode.writes.count + 1)), zeroing: unit, &dice)
    }
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

extension SimulatedInode {
  /// The synced content after some of the unsynced writes, of which `body` says what arrived; it is called for each write.
  fileprivate func afterWrites(_ writes: some Sequence<Write>, _ body: ([UInt8]) -> [UInt8]) -> [UInt8] {
    var content = durable
    for write in writes {
      switch write {
      case .cut(let length):
        content.removeLast(max(0, content.count - length))
        _ = body([])
      case .append(let bytes): content += body(bytes)
      }
    }
    return content
  }

  /// The same with a fourth of the sectors that the writes touched full of zeros.
  fileprivate func afterWrites(_ writes: some Sequence<Write>, zeroing unit: Int, _ dice: inout Dice) -> [UInt8] {
    var content = afterWrites(writes) { $0 }
    let start = min(content.count, durable.count)
    var sector = start / unit * unit
    while sector < content.count {
      if dice.chance(25) {
        for index in max(start, sector)..<min(sector + unit, content.count) { content[index] = 0 }
      }
      sector += unit
    }
    return content
  }
}
