internal import LintelColumns
internal import Synchronization

/// Decoded blocks, keys and dictionaries of all parts of a store, the least recently used dropped first.
///
/// A scan over a column that is larger than the cache would drop everything and find nothing the next time. So what isn't
/// worth much memory passes through a fourth of it at most, just long enough to be used several times by one query; what
/// lasts has three fourths for sure, and the rest as well where nothing newer passes.
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
    /// Ids that the block of another column has as well.
    case linked(LinkedVector)
    case dictionary(ValueDictionary)
    case filters(BlockFilters)
    case keys(PackedRowKeys)
  }

  fileprivate struct Node {
    var key: Key
    var entry: Entry
    var cost: Int
    var isLasting: Bool
    /// The number of the last use.
    var used: UInt64
    var newer: Int
    var older: Int
  }

  /// A doubly linked list of nodes; -1 ends it.
  fileprivate struct List {
    var newest = -1
    var oldest = -1
    var cost = 0
  }

  fileprivate struct State {
    var nodes: [Node] = []
    var free: [Int] = []
    var places: [Key: Int] = [:]
    var lasting = List()
    var passing = List()
    var uses: UInt64 = 0
    let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    var cost: Int { lasting.cost + passing.cost }
    /// Bytes for what passes.
    var passage: Int { capacity / 4 }
  }

  /// Packs vectors of integers and codes. Blocks of a column last if all of them would take a third of the cache at most.
  /// - Parameter columnRows: Rows of the whole column.
  func insert(_ vector: ColumnVector, for key: Key, columnRows: Int) {
    let entry = PackedVector(vector).map(Entry.packed) ?? .vector(vector)
    insert(entry, for: key, columnRows: columnRows, blockRows: vector.count)
  }

  func insert(_ vector: LinkedVector, for key: Key, columnRows: Int) {
    insert(.linked(vector), for: key, columnRows: columnRows, blockRows: vector.count)
  }

  private func insert(_ entry: Entry, for key: Key, columnRows: Int, blockRows: Int) {
    let whole = Double(entry.cost) / Double(max(1, blockRows)) * Double(columnRows)
    insert(entry, for: key, isLasting: whole <= Double(capacity / 3))
  }

  func vector(_ key: Key) -> ColumnVector? {
    switch self[key] {
    case .vector(let vector): vector
    case .packed(let packed): packed.unpacked()
    default: nil
    }
  }

  private let state: Mutex<State>
  /// Bytes.
  let capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    state = Mutex(State(capacity: capacity))
  }

  /// Bytes that the entries take, roughly.
  var cost: Int { state.withLock { $0.cost } }

  subscript(key: Key) -> Entry? { state.withLock { $0.use(key) } }

  /// - Parameter isLasting: Whether the entry is worth keeping as long as there is room, or just passes through.
  func insert(_ entry: Entry, for key: Key, isLasting: Bool = true) {
    // Dropped entries die after the lock is given back: freeing a large array takes a while.
    let dropped = state.withLock { $0.insert(entry, for: key, isLasting: isLasting) }
    _ = consume dropped
  }

  /// Drops everything of a part that is no more.
  func forget(part: UInt64) {
    let dropped = state.withLock { $0.forget(part: part) }
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
  fileprivate mutating func insert(
    _ entry: BlockCache.Entry, for key: BlockCache.Key, isLasting: Bool
  ) -> [BlockCache.Entry] {
    let cost = entry.cost
    guard cost <= (isLasting ? capacity - passage : passage) / 3 * 2 else { return [] }
    var dropped: [BlockCache.Entry] = []
    if let place = places[key] { dropped.append(remove(place)) }
    add(key, entry, cost: cost, isLasting: isLasting)
    while let place = superfluous { dropped.append(remove(place)) }
    return dropped
  }

  /// The node that is to go next; `nil` when all fit.
  private var superfluous: Int? {
    if passing.cost > passage { return passing.oldest }
    guard cost > capacity else { return nil }
    // More than its three fourths is taken by what lasts, since what passes keeps to its fourth.
    guard passing.oldest >= 0, nodes[passing.oldest].used < nodes[lasting.oldest].used else { return lasting.oldest }
    return passing.oldest
  }

  private mutating func add(_ key: BlockCache.Key, _ entry: BlockCache.Entry, cost: Int, isLasting: Bool) {
    let node = BlockCache.Node(
      key: key, entry: entry, cost: cost, isLasting: isLasting, used: 0, newer: -1, older: -1)
    let place: Int
    if let reused = free.popLast() {
      place = reused
      nodes[place] = node
    } else {
      place = nodes.count
      nodes.append(node)
    }
    places[key] = place
    linkNewest(place)
  }

  private mutating func remove(_ place: Int) -> BlockCache.Entry {
    unlink(place)
    let entry = nodes[place].entry
    places[nodes[place].key] = nil
    nodes[place].entry = .vector(ColumnVector(.bool([])))
    free.append(place)
    return entry
  }

  private mutating func unlink(_ place: Int) {
    if nodes[place].isLasting { lasting.unlink(place, in: &nodes) } else { passing.unlink(place, in: &nodes) }
  }

  private mutating func linkNewest(_ place: Int) {
    uses += 1
    nodes[place].used = uses
    if nodes[place].isLasting { lasting.linkNewest(place, in: &nodes) } else { passing.linkNewest(place, in: &nodes) }
  }
}

extension BlockCache.List {
  fileprivate mutating func unlink(_ place: Int, in nodes: inout [BlockCache.Node]) {
    let (newer, older) = (nodes[place].newer, nodes[place].older)
    if newer >= 0 { nodes[newer].older = older } else { newest = older }
    if older >= 0 { nodes[older].newer = newer } else { oldest = newer }
    cost -= nodes[place].cost
  }

  fileprivate mutating func linkNewest(_ place: Int, in nodes: inout [BlockCache.Node]) {
    nodes[place].newer = -1
    nodes[place].older = newest
    if newest >= 0 { nodes[newest].newer = place } else { oldest = place }
    newest = place
    cost += nodes[place].cost
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
      return overhead + keys.byteCount
    case .packed(let vector):
      return overhead + vector.byteCount
    case .linked(let vector):
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
