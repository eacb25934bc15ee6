internal import LintelColumns
internal import Synchronization

/// Decoded blocks, keys and dictionaries of all parts of a store, the least recently used dropped first.
///
/// A scan over a column that is larger than the cache would drop everything and find nothing the next time. So blocks of
/// large columns pass through a fourth of the memory, just long enough to be used several times by one query; the rest is
/// for what lasts.
///
/// Entries are never invalid: parts don't change, and a part's id isn't used twice while the store is open.
final class BlockCache: Sendable {
  struct Key: Hashable, Sendable {
    var part: UInt64
    var column: UInt32
    /// `.max` stands for the column's dictionary, the number before it for its filters.
    var block: UInt32
    /// For keys made of the column, which; `nil` for its values.
    var keys: BlockReference.Kind?

    static func dictionary(part: UInt64, column: Int) -> Key {
      Key(part: part, column: UInt32(truncatingIfNeeded: column), block: .max)
    }

    static func filters(part: UInt64, column: Int) -> Key {
      Key(part: part, column: UInt32(truncatingIfNeeded: column), block: .max - 1)
    }
  }

  enum Entry: Sendable {
    case vector(ColumnVector)
    case packed(PackedVector)
    case dictionary(ValueDictionary)
    case filters(BlockFilters)
    case keys(RowKeys)
  }

  fileprivate struct Node {
    var key: Key
    var entry: Entry
    var cost: Int
    var newer: Int
    var older: Int
  }

  /// A doubly linked list in an array; -1 ends it.
  fileprivate struct State {
    var nodes: [Node] = []
    var free: [Int] = []
    var places: [Key: Int] = [:]
    var newest = -1
    var oldest = -1
    var cost = 0
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }
  }

  /// Packs vectors of integers and codes.
  func insert(_ vector: ColumnVector, for key: Key, isLasting: Bool = true) {
    insert(PackedVector(vector).map(Entry.packed) ?? .vector(vector), for: key, isLasting: isLasting)
  }

  func vector(_ key: Key) -> ColumnVector? {
    switch self[key] {
    case .vector(let vector): vector
    case .packed(let packed): packed.unpacked()
    default: nil
    }
  }

  private let lasting: Mutex<State>
  private let passing: Mutex<State>
  /// Bytes.
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    lasting = Mutex(State(capacity: capacity / 4 * 3))
    passing = Mutex(State(capacity: capacity / 4))
  }

  var cost: Int { lasting.withLock { $0.cost } + passing.withLock { $0.cost } }

  subscript(key: Key) -> Entry? {
    lasting.withLock { $0.use(key) } ?? passing.withLock { $0.use(key) }
  }

  /// - Parameter isLasting: Whether the entry belongs to something that fits into the cache as a whole.
  func insert(_ entry: Entry, for key: Key, isLasting: Bool = true) {
    // Dropped entries die after the lock is given back: freeing a large array takes a while.
    let dropped =
      isLasting
      ? lasting.withLock { $0.insert(entry, for: key) } : passing.withLock { $0.insert(entry, for: key) }
    _ = consume dropped
  }
}

extension BlockCache {
  /// Drops everything of a part that is no more.
  func forget(part: UInt64) {
    let dropped = [lasting.withLock { $0.forget(part: part) }, passing.withLock { $0.forget(part: part) }]
    _ = consume dropped
  }
}

extension BlockCache.State {
  fileprivate mutating func forget(part: UInt64) -> [BlockCache.Entry] {
    places.filter { $0.key.part == part }.values.map { remove($0) }
  }

  fileprivate mutating func use(_ key: BlockCache.Key) -> BlockCache.Entry? {
    guard let place = places[key] else { return nil }
    unlink(place)
    linkNewest(place)
    return nodes[place].entry
  }

  /// Answers what had to go.
  fileprivate mutating func insert(_ entry: BlockCache.Entry, for key: BlockCache.Key) -> [BlockCache.Entry] {
    let cost = entry.cost
    guard cost <= capacity / 3 * 2 else { return [] }
    var dropped: [BlockCache.Entry] = []
    if let place = places[key] { dropped.append(remove(place)) }
    add(key, entry, cost: cost)
    while self.cost > capacity, oldest >= 0 { dropped.append(remove(oldest)) }
    return dropped
  }

  fileprivate mutating func add(_ key: BlockCache.Key, _ entry: BlockCache.Entry, cost: Int) {
    let node = BlockCache.Node(key: key, entry: entry, cost: cost, newer: -1, older: -1)
    let place: Int
    if let reused = free.popLast() {
      place = reused
      nodes[place] = node
    } else {
      place = nodes.count
      nodes.append(node)
    }
    places[key] = place
    self.cost += cost
    linkNewest(place)
  }

  fileprivate mutating func remove(_ place: Int) -> BlockCache.Entry {
    unlink(place)
    let node = nodes[place]
    places[node.key] = nil
    cost -= node.cost
    nodes[place].entry = .vector(ColumnVector(.bool([])))
    free.append(place)
    return node.entry
  }

  fileprivate mutating func unlink(_ place: Int) {
    let (newer, older) = (nodes[place].newer, nodes[place].older)
    if newer >= 0 { nodes[newer].older = older } else { newest = older }
    if older >= 0 { nodes[older].newer = newer } else { oldest = newer }
  }

  fileprivate mutating func linkNewest(_ place: Int) {
    nodes[place].newer = -1
    nodes[place].older = newest
    if newest >= 0 { nodes[newest].newer = place } else { oldest = place }
    newest = place
  }
}

extension BlockCache.Entry {
  /// Bytes of memory, roughly; a dictionary counts once, not with each of its blocks.
  fileprivate var cost: Int {
    let overhead = 160
    switch self {
    case .dictionary(let dictionary):
      switch dictionary.values {
      case .bytes(let strings): return overhead + strings.bytes.count + 4 * strings.offsets.count
      case .id128(let ids): return overhead + 16 * ids.count
      }
    case .filters(let filters):
      return overhead + filters.byteCount
    case .keys(let keys):
      return overhead + 2 * keys.keys.count
    case .packed(let vector):
      return overhead + vector.byteCount
    case .vector(let vector):
      let validity = vector.validity.map { 8 * $0.words.count } ?? 0
      switch vector.storage {
      case .int64(let lanes): return overhead + validity + 8 * lanes.count
      case .float64(let lanes): return overhead + validity + 8 * lanes.count
      case .bool(let lanes): return overhead + validity + lanes.count
      case .bytes(let strings): return overhead + validity + strings.bytes.count + 4 * strings.offsets.count
      case .id128(let lanes): return overhead + validity + 16 * lanes.count
      case .codes(let codes, _): return overhead + validity + 4 * codes.count
      }
    }
  }
}
