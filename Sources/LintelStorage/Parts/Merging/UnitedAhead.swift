internal import LintelColumns

/// A column that is ready for being merged: where it is read, and the dictionary that the codes of all sources lead to.
struct UnitedColumn: Sendable {
  var places: [SourceColumn]
  /// `nil` where values are merged as they are.
  var values: ValueDictionary?

  init(_ column: MergedColumn, _ sources: MergeSources, trialValues: Int) throws(StorageError) {
    var places: [SourceColumn] = []
    for (source, place) in zip(sources.readers, column.places) {
      places.append(SourceColumn(source, place, column.physical, .keys(sources.keys)))
    }
    for case let stored? in places.map(\.stored) where stored.physical != column.physical {
      throw StorageError(
        .incompatible, "column '\(stored.displayName)' has different types in the parts to be merged; they stay apart",
        path: sources.readers.first?.name)
    }
    var union = try MergedDictionary.union(of: &places, physical: column.physical, trialValues: trialValues)
    self.init(places: places, values: union?.finish())
  }

  init(places: [SourceColumn], values: ValueDictionary?) {
    self.places = places
    self.values = values
  }

  /// Bytes of memory that it holds meanwhile, roughly.
  var byteCount: Int {
    let codes = places.reduce(0) { $0 + ($1.stored?.valueCount ?? 0) * 4 }
    switch values?.values {
    case .bytes(let strings): return codes + strings.bytes.count + strings.count * 4
    case .id128(let ids): return codes + ids.count * 16
    case nil: return 0
    }
  }
}

/// Columns that are made ready before their turn, by threads that would otherwise wait for the plan and the key columns.
final class UnitedAhead: Sendable {
  private struct State {
    /// Not begun yet, the first to be merged last.
    var waiting: [Int]
    var begun: Set<Int> = []
    var ready: [Int: UnitedColumn] = [:]
    var readyBytes = 0
    var isOver = false
  }

  private let state: Monitor<State>

  /// What is kept ready is no more than this and one column.
  private static let maximumBytes = 32 << 20

  /// - Parameter order: In which the columns will be merged.
  init(_ order: [Int]) { state = Monitor(State(waiting: order.reversed())) }

  var readyCount: Int { state.read { $0.ready.count } }

  /// Makes columns ready until that is over; then returns.
  func unite(_ body: (Int) throws(StorageError) -> UnitedColumn) {
    while let number = next() {
      // Whoever merges it tries again, and learns why it failed.
      let column = try? body(number)
      state.change { state in
        state.begun.remove(number)
        state.ready[number] = column
        state.readyBytes += column?.byteCount ?? 0
      }
    }
  }

  /// The next column to make ready, waiting while there is enough; `nil` when no more are wanted.
  private func next() -> Int? {
    state.take(when: { $0.isOver || (!$0.waiting.isEmpty && $0.readyBytes <= Self.maximumBytes) }) { state in
      guard !state.isOver, let number = state.waiting.popLast() else { return nil }
      state.begun.insert(number)
      return number
    }
  }

  /// No more are wanted.
  func end() { state.change { $0.isOver = true } }

  /// A column that was made ready, or is about to be; `nil` for any other.
  func take(_ number: Int) -> UnitedColumn? {
    state.take(when: { !$0.begun.contains(number) }) { $0.ready.removeValue(forKey: number) }
  }
}
