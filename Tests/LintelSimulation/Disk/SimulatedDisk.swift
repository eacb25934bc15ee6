/// A file of the simulated disk: what programs see of it, and what the device has for sure.
final class SimulatedInode {
  enum Write {
    case append([UInt8])
    case cut(Int)
  }

  var visible: [UInt8] = []
  var durable: [UInt8] = []
  /// What has changed since the last sync, in order.
  var writes: [Write] = []
  /// Ranges whose sync failed: programs still see them, no later sync writes them (as Linux has it).
  var lostRanges: [Range<Int>] = []
  var isPrivate = false

  func perform(_ write: Write) {
    writes.append(write)
    switch write {
    case .append(let bytes): visible += bytes
    case .cut(let length): visible.removeLast(visible.count - length)
    }
  }

  func sync() {
    durable = visible
    for range in lostRanges {
      for index in range where index < durable.count { durable[index] = 0 }
    }
    writes = []
  }

  func failSync() {
    if visible.count > durable.count { lostRanges.append(durable.count..<visible.count) }
    writes = []
  }

  func copy() -> SimulatedInode {
    let copy = SimulatedInode()
    (copy.visible, copy.durable, copy.writes) = (visible, durable, writes)
    (copy.lostRanges, copy.isPrivate) = (lostRanges, isPrivate)
    return copy
  }

  /// A file after a power cut, as the device has it from now on.
  static func recovered(_ content: [UInt8], from inode: SimulatedInode) -> SimulatedInode {
    let copy = SimulatedInode()
    (copy.visible, copy.durable, copy.isPrivate) = (content, content, inode.isPrivate)
    return copy
  }
}

enum SimulatedNode {
  case file(SimulatedInode)
  case directory
}

/// A change of a directory that has not been synced yet.
struct SimulatedNameChange {
  let directory: String
  /// Names taken away and names given, in one step.
  var removed: String?
  var added: (path: String, node: SimulatedNode)?

  func apply(to names: inout [String: SimulatedNode]) {
    if let removed { names[removed] = nil }
    if let added { names[added.path] = added.node }
  }
}

/// Files and names, each as programs see them and as the device has them.
struct SimulatedDisk {
  var visible: [String: SimulatedNode] = ["/": .directory]
  var durable: [String: SimulatedNode] = ["/": .directory]
  var changes: [SimulatedNameChange] = []
  /// The file that was appended to last: the one that a torn write tears.
  var lastWritten: SimulatedInode?

  mutating func perform(_ change: SimulatedNameChange) {
    change.apply(to: &visible)
    changes.append(change)
  }

  mutating func syncDirectory(_ directory: String) {
    for change in changes where change.directory == directory { change.apply(to: &durable) }
    changes.removeAll { $0.directory == directory }
  }

  static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
  }
}
