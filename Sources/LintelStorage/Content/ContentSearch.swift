internal import CLintelKernels
internal import LintelColumns
internal import Synchronization

/// Looks for bytes in values of a shard's content: in each piece once, however many rows refer to it, and over the seams.
///
/// A row is gone over with an automaton (Knuth, Morris and Pratt's) that says how many of the bytes looked for have just
/// passed. Where a long piece leaves it depends on the piece's last bytes alone, and is known from the piece's search; so a row
/// takes a step for each of its pieces, and more only where something that may be the beginning is cut in two.
final class ContentSearch: Sendable {
  /// What is known of a piece.
  private struct Finding: Sendable {
    var isHit = false
    /// It can't be read.
    var isLost = false
    /// Its length is less than the automaton remembers: `head` is all of it.
    var isShort = false
    /// Where it leaves the automaton, if it isn't short.
    var end = 0
    /// Its first bytes, one less than are looked for.
    var head: [UInt8] = []
  }

  /// So many of each piece's first bytes are remembered at most, less one; who looks for more reads the values.
  static let maximumBytes = 64

  private let automaton: Automaton
  private let known = Mutex<[UInt64: Finding]>([:])
  private init(_ needle: [UInt8]) { automaton = Automaton(needle) }

  /// Searches of a snapshot, by what is looked for.
  final class Memo: Sendable {
    private let searches = Mutex<[[UInt8]: ContentSearch]>([:])

    /// `nil` for what is better looked for in the values.
    func search(_ needle: [UInt8]) -> ContentSearch? {
      guard 1...ContentSearch.maximumBytes ~= needle.count else { return nil }
      return searches.withLock { searches in
        if let known = searches[needle] { return known }
        let search = ContentSearch(needle)
        searches[needle] = search
        return search
      }
    }
  }

  /// Whether each row's value holds the bytes; null where it has none.
  ///
  /// - Parameters:
  ///   - short: Values that are as they were sent.
  ///   - recipes: The other rows' recipes.
  ///   - damage: Takes note of what can't be read; rows that need it are null.
  func flags(
    short: ColumnVector, recipes: ColumnVector, _ rebuilder: inout ContentRebuilder, _ damage: ContentDamage
  ) throws(StorageError) -> ColumnVector {
    let (places, findings) = try self.findings(for: recipes, &rebuilder, damage)
    let hasLost = findings.contains(where: \.isLost)
    var flags = [Bool](repeating: false, count: recipes.count)
    var validity = Bitmap(count: recipes.count)
    short.forEachValue { (row, value) throws(Never) in
      flags[row] = automaton.isIn(value)
      validity[row] = true
    }
    recipes.forEachValue { (row, recipe) throws(Never) in
      var state = 0
      var isHit = false
      var isLost = false
      let isWhole = ContentRecipe.forEachItem(recipe) { (item) throws(Never) in
        if isHit, !hasLost { return }
        switch item {
        case .literal(let range): isHit = isHit || automaton.run(recipe[range], from: &state)
        case .piece(let id):
          let finding = findings[places[id]]
          isLost = isLost || finding.isLost
          isHit = isHit || pass(finding, &state)
        }
      }
      if !isWhole { damage.note(ContentRebuilder.damagedRecipe) }
      validity[row] = isWhole && !isLost
      flags[row] = isHit && isWhole && !isLost
    }
    return ColumnVector(.bool(flags), validity: validity.isAllSet ? nil : validity)
  }

  /// Lets a piece pass. Returns whether the bytes are in it, or end in it.
  @inline(__always)
  private func pass(_ finding: Finding, _ state: inout Int) -> Bool {
    if finding.isHit { return true }
    if finding.isShort { return automaton.run(finding.head, from: &state) }
    if state > 0, automaton.run(finding.head, from: &state) { return true }
    state = finding.end
    return false
  }

  /// What is known of the pieces that recipes refer to, and where each is in the list; those that aren't known yet are
  /// searched, in the order of their ids.
  private func findings(
    for recipes: ColumnVector, _ rebuilder: inout ContentRebuilder, _ damage: ContentDamage
  ) throws(StorageError) -> (places: PieceTable, findings: [Finding]) {
    var places = PieceTable(PieceTable.ids(of: recipes))
    let ids = places.ids
    var findings = known.withLock { known in ids.map { known[$0] } }
    var new: [(id: UInt64, finding: Finding)] = []
    for index in ids.indices where findings[index] == nil {
      do throws(StorageError) {
        let finding = self.finding(try rebuilder.piece(ids[index]))
        findings[index] = finding
        new.append((ids[index], finding))
      } catch {
        guard ContentRebuilder.isDamage(error) else { throw error }
        damage.note(error)
        findings[index] = Finding(isLost: true)
      }
    }
    places.dropIDs()
    let added = new
    if !added.isEmpty {
      known.withLock { known in for (id, finding) in added { known[id] = finding } }
    }
    return (places, findings.compactMap(\.self))
  }

  private func finding(_ piece: ArraySlice<UInt8>) -> Finding {
    piece.withUnsafeBytes { bytes in
      if automaton.isIn(bytes) { return Finding(isHit: true) }
      let edge = automaton.count - 1
      var finding = Finding(isShort: bytes.count < edge, head: Array(bytes.prefix(edge)))
      if !finding.isShort { _ = automaton.run(bytes.suffix(edge), from: &finding.end) }
      return finding
    }
  }
}

/// Says after each byte how many of the bytes looked for have just passed.
private struct Automaton: Sendable {
  private let needle: [UInt8]
  /// Of each beginning: the longest one that it ends with, itself apart.
  private let borders: [Int]

  init(_ needle: [UInt8]) {
    self.needle = needle
    var borders = [Int](repeating: 0, count: needle.count)
    var length = 0
    for index in needle.indices.dropFirst() {
      while length > 0, needle[length] != needle[index] { length = borders[length - 1] }
      if needle[length] == needle[index] { length += 1 }
      borders[index] = length
    }
    self.borders = borders
  }

  var count: Int { needle.count }

  func isIn(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let base = bytes.baseAddress, bytes.count >= needle.count else { return false }
    return needle.withUnsafeBytes { needle in
      needle.baseAddress.map { lintel_holds(base, bytes.count, $0, needle.count) != 0 } ?? true
    }
  }

  /// Returns whether all have passed; then the state means nothing any more.
  func run(_ bytes: some Sequence<UInt8>, from state: inout Int) -> Bool {
    for byte in bytes {
      while state > 0, needle[state] != byte { state = borders[state - 1] }
      if needle[state] == byte { state += 1 }
      if state == needle.count { return true }
    }
    return false
  }
}

/// Numbers for ids that mostly lie close together.
private struct PieceTable {
  /// Ascending.
  private(set) var ids: [UInt64]
  private let base: UInt64
  private var dense: [Int32] = []
  private var sparse: [UInt64: Int] = [:]

  /// - Parameter ids: Ascending, each once.
  init(_ ids: [UInt64]) {
    self.ids = ids
    base = ids.first ?? 0
    let span = (ids.last ?? 0) - base
    if span < 1 << 16 || span / 64 < UInt64(ids.count) {
      dense = Array(repeating: 0, count: Int(span) + 1)
      for (number, id) in ids.enumerated() { dense[Int(id - base)] = Int32(truncatingIfNeeded: number) }
    } else {
      for (number, id) in ids.enumerated() { sparse[id] = number }
    }
  }

  mutating func dropIDs() { ids = [] }

  /// The number of an id that is in the table.
  @inline(__always)
  subscript(id: UInt64) -> Int {
    let offset = id &- base
    return offset < UInt64(dense.count) ? Int(dense[Int(offset)]) : sparse[id] ?? 0
  }

  /// The ids of all pieces that recipes refer to, ascending, each once.
  static func ids(of recipes: ColumnVector) -> [UInt64] {
    var low = UInt64.max
    var high: UInt64 = 0
    var count = 0
    forEach(recipes) { id in
      low = min(low, id)
      high = max(high, id)
      count += 1
    }
    guard count > 0 else { return [] }
    let span = high - low
    guard span < 1 << 16 || span / 64 < UInt64(count) else {
      var ids: Set<UInt64> = []
      forEach(recipes) { ids.insert($0) }
      return ids.sorted()
    }
    var isThere = [Bool](repeating: false, count: Int(span) + 1)
    forEach(recipes) { isThere[Int($0 - low)] = true }
    var ids: [UInt64] = []
    for (offset, isThere) in isThere.enumerated() where isThere { ids.append(low + UInt64(offset)) }
    return ids
  }

  /// Of damaged recipes what comes before the damage.
  private static func forEach(_ recipes: ColumnVector, _ body: (UInt64) -> Void) {
    recipes.forEachValue { (_, recipe) throws(Never) in
      _ = ContentRecipe.forEachItem(recipe) { (item) throws(Never) in
        if case .piece(let id) = item { body(id) }
      }
    }
  }
}
