internal import LintelColumns
internal import Synchronization

/// A batch on its way, and whom to tell what came of it.
struct PendingAppend: Sendable {
  let batch: Batch
  let completion: @Sendable (Result<AppendReceipt, StorageError>) -> Void
}

/// Appends that wait to be checked and encoded.
///
/// Small batches that wait at the same time become one: to digest, write and keep a column of ten rows takes nearly as long
/// as one of a thousand, and there are some sixty columns. Nobody is waited for; while some are encoded, others gather.
final class Intake: Sendable {
  private struct Queue {
    var waiting: [PendingAppend] = []
    var takers = 0
  }

  /// Batches of fewer rows are put together ..
  static let smallRows = 1024
  /// .. into groups of at most so many rows.
  static let groupRows = 8192

  private let queue = Mutex(Queue())
  /// Groups that are worked on at the same time, at most.
  private let takerLimit: Int

  init(takerLimit: Int) { self.takerLimit = takerLimit }

  var waitingCount: Int { queue.withLock { $0.waiting.count } }

  /// Queues an append. Returns whether there is to be one more who takes groups.
  func add(_ append: PendingAppend) -> Bool {
    queue.withLock { queue in
      queue.waiting.append(append)
      guard queue.takers < takerLimit else { return false }
      queue.takers += 1
      return true
    }
  }

  /// The appends that waited longest and go together; none, and the taker is done, when nothing waits.
  func take() -> [PendingAppend] {
    queue.withLock { queue in
      let count = Self.groupCount(queue.waiting)
      guard count > 0 else {
        queue.takers -= 1
        return []
      }
      defer { queue.waiting.removeFirst(count) }
      return Array(queue.waiting[..<count])
    }
  }

  /// Everything that waits, when nobody will take it.
  func takeAll() -> [PendingAppend] {
    queue.withLock { queue in
      queue.takers -= 1
      defer { queue.waiting = [] }
      return queue.waiting
    }
  }

  private static func groupCount(_ waiting: [PendingAppend]) -> Int {
    guard let first = waiting.first?.batch else { return 0 }
    var rows = 0
    let count = waiting.prefix { append in
      rows += append.batch.rowCount
      return append.batch.rowCount < smallRows && rows <= groupRows && append.batch.schema === first.schema
    }.count
    return max(1, count)
  }
}

/// Which rows of what was to be written were not stored before.
enum NewRows: Sendable {
  case all
  /// Ascending; then those whose subject was erased, which aren't stored at all.
  case some([UInt32], erased: [UInt32] = [])

  /// - Parameters:
  ///   - rows: Numbered among those that were taken in.
  ///   - left: The rows of the whole that were; `nil` for all.
  init(_ rows: [UInt32], among left: [UInt32]?, of whole: CommitItem) {
    guard let left else {
      self = .some(rows)
      return
    }
    let isLeft = Set(left)
    let erased = (0..<UInt32(truncatingIfNeeded: whole.batch.rowCount)).filter { !isLeft.contains($0) }
    self = .some(rows.map { left[Int($0)] }, erased: erased)
  }
}

/// Batches that are stored as one, by one shard or by several. Each is answered when all shards have.
final class AppendGroup: Sendable {
  private struct State {
    var waitingFor: Int
    var stored: [Int]
    var erased: [Int]
    var failures: [StorageError?]
  }

  private let members: [PendingAppend]
  private let state: Mutex<State>

  init(_ members: [PendingAppend], pieces: Int) {
    self.members = members
    state = Mutex(
      State(
        waitingFor: pieces, stored: Array(repeating: 0, count: members.count),
        erased: Array(repeating: 0, count: members.count),
        failures: Array(repeating: nil, count: members.count)))
  }

  /// Takes what a shard has answered.
  /// - Parameter rows: The rows of the group that it was given; `nil` for all.
  func finish(_ result: Result<NewRows, StorageError>, rows: [UInt32]?) {
    let answers = state.withLock { state -> [Result<AppendReceipt, StorageError>] in
      switch result {
      case .success(.all): count(rows) { state.stored[$0] += $1 }
      case .success(.some(let new, let erased)):
        count(rows.map { rows in new.map { rows[Int($0)] } } ?? new) { state.stored[$0] += $1 }
        count(rows.map { rows in erased.map { rows[Int($0)] } } ?? erased) { state.erased[$0] += $1 }
      case .failure(let error): count(rows) { member, _ in state.failures[member] = error }
      }
      state.waitingFor -= 1
      guard state.waitingFor == 0 else { return [] }
      return members.indices.map { member in
        if let failure = state.failures[member] { return .failure(failure) }
        let (stored, erased) = (state.stored[member], state.erased[member])
        let duplicates = members[member].batch.rowCount - stored - erased
        return .success(AppendReceipt(stored: stored, duplicates: duplicates, erased: erased))
      }
    }
    for (member, answer) in zip(members, answers) { member.completion(answer) }
  }

  /// Calls `body` with each member that has some of the rows, and how many.
  private func count(_ rows: [UInt32]?, _ body: (Int, Int) -> Void) {
    guard let rows else {
      for (member, append) in members.enumerated() { body(member, append.batch.rowCount) }
      return
    }
    var next = 0
    var end = 0
    for (member, append) in members.enumerated() {
      let start = next
      end += append.batch.rowCount
      while next < rows.count, Int(rows[next]) < end { next += 1 }
      if next > start { body(member, next - start) }
    }
  }
}
