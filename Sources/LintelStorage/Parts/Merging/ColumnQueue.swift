internal import LintelColumns

/// Hands the columns of a merge out to threads, and lets their bytes into the part in the order of the columns.
///
/// The thread whose column's turn it is writes into the part as it goes; what the others encode waits in memory, up to a
/// limit that stops them. The turn always belongs to a column that some thread is at, since columns are handed out in
/// order; so there is always one that goes on.
final class ColumnQueue: Sendable {
  private struct State {
    var next: Int
    let end: Int
    /// The column whose bytes go into the part now.
    var turn: Int
    /// Bytes of each column that wait for its turn.
    var waitingBytes: [Int: Int] = [:]
    /// Columns that were finished before their turn.
    var finished: [Int: ColumnWriter] = [:]
    var failure: StorageError?

    var isFull: Bool { waitingBytes.values.reduce(0, +) > ColumnQueue.maximumWaitingBytes }
  }

  private let state: Monitor<State>
  /// Touched only by the thread that has the turn.
  nonisolated(unsafe) private let part: PartWriter

  private static let maximumWaitingBytes = 48 << 20

  /// - Parameter columns: Numbers in the part's directory.
  init(_ columns: Range<Int>, part: PartWriter) {
    self.part = part
    state = Monitor(State(next: columns.lowerBound, end: columns.upperBound, turn: columns.lowerBound))
  }

  var failure: StorageError? { state.read { $0.failure } }

  /// The next column to merge; `nil` when there is none, or no use in it.
  func next() -> Int? {
    state.change { state in
      guard state.failure == nil, state.next < state.end else { return nil }
      defer { state.next += 1 }
      return state.next
    }
  }

  /// Ends the merge.
  func fail(_ error: StorageError) { state.change { $0.failure = $0.failure ?? error } }

  /// Called after every block of a column. Blocks while too much waits in memory.
  /// - Returns: False when the merge has failed meanwhile.
  func pass(_ writer: inout ColumnWriter, _ number: Int) throws(StorageError) -> Bool {
    guard writer.buffer.count > PartWriter.bufferBytes else { return true }
    let bytes = writer.buffer.count
    let (isInTurn, mustWait, hasFailed) = state.change { state in
      let isInTurn = state.turn == number
      state.waitingBytes[number] = isInTurn ? nil : bytes
      return (isInTurn, !isInTurn && state.isFull, state.failure != nil)
    }
    if hasFailed { return false }
    if isInTurn {
      try part.take(&writer)
    } else if mustWait {
      state.wait { $0.turn == number || !$0.isFull || $0.failure != nil }
    }
    return true
  }

  /// Takes a column that is complete, and whatever waits behind it.
  func finish(_ writer: ColumnWriter, _ number: Int) throws(StorageError) {
    let isInTurn = state.change { state in
      if state.turn == number { return true }
      state.finished[number] = writer
      state.waitingBytes[number] = writer.buffer.count
      return false
    }
    guard isInTurn else { return }
    var column: ColumnWriter? = writer
    var turn = number
    while var current = column {
      guard try part.add(&current) == turn else {
        throw StorageError(
          .corrupt, "column '\(current.column.displayName)' has no values, but its sources list some", path: part.path)
      }
      turn += 1
      let reached = turn
      column = state.change { state in
        state.turn = reached
        state.waitingBytes[reached] = nil
        return state.finished.removeValue(forKey: reached)
      }
    }
  }
}
