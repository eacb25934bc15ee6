internal import LintelColumns

/// Hands the columns of a merge out to threads, and lets their bytes into the part in the same order.
///
/// The thread whose column's turn it is writes into the part as it goes; what the others encode waits in memory, up to a
/// limit that stops them. The turn always belongs to a column that some thread is at, since columns are handed out in
/// order; so there is always one that goes on.
final class ColumnQueue: Sendable {
  private struct State {
    /// Numbers in the part's directory.
    let order: [Int]
    /// Place in the order of the column that is handed out next.
    var next = 0
    /// Place in the order of the column whose bytes go into the part now.
    var place = 0
    /// Bytes of each column that wait for its turn.
    var waitingBytes: [Int: Int] = [:]
    /// Columns that were finished before their turn.
    var finished: [Int: ColumnWriter] = [:]
    var failure: StorageError?

    var turn: Int? { place < order.count ? order[place] : nil }

    var isFull: Bool { waitingBytes.values.reduce(0, +) > ColumnQueue.maximumWaitingBytes }
  }

  private let state: Monitor<State>
  /// Touched only by the thread that has the turn.
  nonisolated(unsafe) private let part: PartWriter

  private static let maximumWaitingBytes = 48 << 20

  /// - Parameter order: Numbers in the part's directory, in the order in which they are merged and written.
  init(_ order: [Int], part: PartWriter) {
    self.part = part
    state = Monitor(State(order: order))
  }

  var failure: StorageError? { state.read { $0.failure } }

  /// The next column to merge; `nil` when there is none, or no use in it.
  func next() -> Int? {
    state.change { state in
      guard state.failure == nil, state.next < state.order.count else { return nil }
      defer { state.next += 1 }
      return state.order[state.next]
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
    var written: (number: Int, writer: ColumnWriter)? = (number, writer)
    while var current = written {
      guard try part.add(&current.writer, number: current.number) else {
        throw StorageError(
          .corrupt, "column '\(current.writer.column.displayName)' has no values, but its sources list some",
          path: part.path)
      }
      written = state.change { state in
        state.place += 1
        guard let turn = state.turn else { return nil }
        state.waitingBytes[turn] = nil
        return state.finished.removeValue(forKey: turn).map { (turn, $0) }
      }
    }
  }
}
