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
    var isStored: Bool
  }

  private struct State {
    /// Digests by age: when the young ones are too many, they become the old ones, and those are forgotten.
    var young: [UInt128: Entry] = [:]
    var old: [UInt128: Entry] = [:]
    var nextID: UInt64
    var generation: UInt64 = 0

    mutating func find(_ digest: UInt128) -> Entry? {
      if let entry = young[digest] { return entry }
      guard let entry = old.removeValue(forKey: digest) else { return nil }
      set(digest, entry)
      return entry
    }

    mutating func set(_ digest: UInt128, _ entry: Entry) {
      if young.count >= ContentPool.capacity {
        old = young
        young = [:]
      }
      young[digest] = entry
    }
  }

  /// Digests of an age that are remembered, at about 50 bytes each. A piece that is forgotten is stored once more.
  static let capacity = 1 << 19

  private let state: Mutex<State>

  /// - Parameter nextID: Above every id that is in use.
  init(nextID: UInt64) { state = Mutex(State(nextID: max(1, nextID))) }

  var nextID: UInt64 { state.withLock { $0.nextID } }

  /// How often it has been forgotten what is stored.
  var generation: UInt64 { state.withLock { $0.generation } }

  /// The id of the piece with this digest, a new one if it has none.
  func id(_ digest: UInt128) -> UInt64 {
    state.withLock { state in
      if let entry = state.find(digest) { return entry.id }
      let id = state.nextID
      state.nextID += 1
      state.set(digest, Entry(id: id, isStored: false))
      return id
    }
  }

  /// Those of the pieces that aren't stored.
  func missing(_ pieces: [ContentPiece]) -> [ContentPiece] {
    state.withLock { state in
      pieces.filter { piece in
        guard let entry = state.find(piece.digest) else { return true }
        return !(entry.isStored && entry.id == piece.id)
      }
    }
  }

  /// Takes note that pieces are in the log durably, or in a segment; unless that is to be forgotten.
  /// - Parameter generation: Of what they were found in.
  func remember(_ pieces: some Sequence<(id: UInt64, digest: UInt128)>, generation: UInt64) {
    state.withLock { state in
      guard generation == state.generation else { return }
      for (id, digest) in pieces {
        state.nextID = max(state.nextID, id &+ 1)
        state.set(digest, Entry(id: id, isStored: true))
      }
    }
  }

  /// From now on nothing counts as stored. Called with the turn to write the log, when the memtables have been set aside.
  func forget() {
    state.withLock { state in
      state.generation += 1
      // The ids stay: a piece that is sent again keeps its own.
      for digest in state.young.keys { state.young[digest]?.isStored = false }
      for digest in state.old.keys { state.old[digest]?.isStored = false }
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

  /// All pieces, ascending by id.
  var pieces: [ContentPiece] {
    state.withLock { $0.pieces.values.sorted { $0.id < $1.id } }
  }
}
