internal import LintelColumns
internal import Synchronization

/// Which pieces a shard knows, and which of them needn't be stored again.
///
/// A piece gets its id when it is cut, and counts as stored when a log record that holds it is durable. Whoever writes the
/// log asks which of a batch's pieces are missing there, so that rows never refer to what isn't on the disk before them.
/// A sweep begins with ``forget()``: from then on rows refer only to what is stored anew, and what was stored before and no
/// row refers to can go.
final class ContentPool: Sendable {
  private struct Entry {
    var id: UInt64
    /// The generation in which it was last known to be stored; `nil` where it isn't.
    var stored: UInt64?
  }

  private struct State {
    /// Digests by age: when the young ones are too many, they become the old ones, and those are forgotten.
    var young: [UInt128: Entry] = [:]
    var old: [UInt128: Entry] = [:]
    var nextID: UInt64
    var generation: UInt64 = 0
    let capacity: Int

    mutating func find(_ digest: UInt128) -> Entry? {
      if let entry = young[digest] { return entry }
      guard let entry = old.removeValue(forKey: digest) else { return nil }
      set(digest, entry)
      return entry
    }

    mutating func set(_ digest: UInt128, _ entry: Entry) {
      if young.count >= capacity {
        old = young
        young = [:]
      }
      young[digest] = entry
    }

    /// A damaged file may claim any id: what is above the limit gives none away.
    mutating func raise(above id: UInt64) { nextID = max(nextID, min(id, ContentRecipe.idLimit - 1) + 1) }
  }

  /// Digests of an age that are remembered, at about 50 bytes each. A piece that is forgotten is stored once more.
  static let capacity = 1 << 19

  private let state: Mutex<State>

  /// - Parameter nextID: Above every id that is in use.
  init(nextID: UInt64, capacity: Int = ContentPool.capacity) {
    state = Mutex(State(nextID: min(max(1, nextID), ContentRecipe.idLimit), capacity: max(1, capacity)))
  }

  /// Above every id that has been given.
  var nextID: UInt64 { state.withLock { $0.nextID } }

  /// How often it has been forgotten what is stored.
  var generation: UInt64 { state.withLock { $0.generation } }

  /// The id of the piece with this digest, a new one if it has none; `nil` when all ids have been given.
  func id(_ digest: UInt128) -> UInt64? {
    state.withLock { state in
      if let entry = state.find(digest) { return entry.id }
      let id = state.nextID
      guard id < ContentRecipe.idLimit else { return nil }
      state.nextID = id + 1
      state.set(digest, Entry(id: id, stored: nil))
      return id
    }
  }

  /// The id of the piece with this digest, as far as it is remembered, stored or not.
  func known(_ digest: UInt128) -> UInt64? { state.withLock { ($0.young[digest] ?? $0.old[digest])?.id } }

  /// Those of the pieces that aren't stored.
  func missing(_ pieces: [ContentPiece]) -> [ContentPiece] {
    state.withLock { state in
      pieces.filter { piece in
        guard let entry = state.find(piece.digest) else { return true }
        return entry.stored != state.generation || entry.id != piece.id
      }
    }
  }

  /// Takes note that pieces are in the log durably, or in a segment; unless that is to be forgotten.
  /// - Parameter generation: Of what they were found in.
  func remember(_ pieces: some Collection<(id: UInt64, digest: UInt128)>, generation: UInt64) {
    var rest = pieces[...]
    // Whoever cuts asks for ids meanwhile.
    while !rest.isEmpty {
      state.withLock { state in
        for (id, digest) in rest.prefix(Self.atOnce) {
          state.raise(above: id)
          if generation == state.generation { state.set(digest, Entry(id: id, stored: generation)) }
        }
      }
      rest = rest.dropFirst(Self.atOnce)
    }
  }

  private static let atOnce = 4096

  /// Takes note of ids that rows refer to: none of them is given to another piece, whether or not its own is there.
  func reserve(_ ids: some Sequence<UInt64>) {
    guard let greatest = ids.max() else { return }
    state.withLock { $0.raise(above: greatest) }
  }

  /// From now on nothing counts as stored. Called with the turn to write the log, when the memtables have been set aside.
  /// - Returns: The generation that has begun.
  func forget() -> UInt64 {
    state.withLock { state in
      // The ids stay: a piece that is sent again keeps its own.
      state.generation += 1
      return state.generation
    }
  }
}

/// Pieces that are in the log and in no segment yet. Grows while snapshots look at it: they ask only for what their rows
/// refer to.
final class ContentMemory: Sendable {
  private struct State {
    var pieces: [UInt64: ContentPiece] = [:]
    var byteCount = 0
  }

  /// Of the pool when this was begun: what has been forgotten since may be swept.
  let generation: UInt64
  private let state = Mutex(State())

  init(generation: UInt64) { self.generation = generation }

  /// Bytes that a piece takes beside its own.
  static let overhead = 80

  var isEmpty: Bool { state.withLock { $0.pieces.isEmpty } }
  var byteCount: Int { state.withLock { $0.byteCount } }

  /// - Parameter pieces: With bytes of their own: nothing else is to be held with them.
  func insert(_ pieces: [ContentPiece]) {
    state.withLock { state in
      for piece in pieces where state.pieces[piece.id] == nil {
        state.pieces[piece.id] = piece
        state.byteCount += piece.bytes.count + Self.overhead
      }
    }
  }

  func bytes(_ id: UInt64) -> ArraySlice<UInt8>? { state.withLock { $0.pieces[id]?.bytes } }

  func digest(_ id: UInt64) -> UInt128? { state.withLock { $0.pieces[id]?.digest } }

  /// The ids of pieces with this digest; goes through all of them.
  func ids(of digest: UInt128) -> [UInt64] {
    state.withLock { state in state.pieces.values.filter { $0.digest == digest }.map(\.id) }
  }

  /// All pieces, ascending by id.
  var pieces: [ContentPiece] {
    state.withLock { $0.pieces.values.sorted { $0.id < $1.id } }
  }
}
