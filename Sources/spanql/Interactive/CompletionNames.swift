import LintelColumns
import LintelQuery
import Synchronization

/// The store's names for completion, fetched in the background so that Tab never waits.
final class CompletionNames: Sendable {
  /// Attribute keys and tables may be new after this.
  private static let freshness = Duration.seconds(30)

  private struct State {
    var completion = Completion()
    var fetchedAt: ContinuousClock.Instant?
    var isFetching = false
  }

  private let source: any QuerySource
  private let state = Mutex(State())

  init(source: any QuerySource) { self.source = source }

  /// What is known now.
  var current: Completion {
    refresh()
    return state.withLock { $0.completion }
  }

  /// Starts fetching, unless what is known is fresh.
  func refresh() {
    let isDue = state.withLock { state in
      if state.isFetching { return false }
      if let fetchedAt = state.fetchedAt, ContinuousClock.now - fetchedAt < Self.freshness { return false }
      state.isFetching = true
      return true
    }
    guard isDue else { return }
    Task {
      let tables = await names("SHOW TABLES")
      let columns = await names("SHOW COLUMNS FROM spans")
      let attributes = await names("SHOW ATTRIBUTES FROM spans")
      state.withLock { state in
        if !tables.isEmpty { state.completion.tables = tables }
        state.completion.columns = columns
        state.completion.attributes = attributes
        state.fetchedAt = ContinuousClock.now
        state.isFetching = false
      }
    }
  }

  /// The texts of the column `name` of an answer, or of its first column.
  private func names(_ statement: String) async -> [String] {
    guard let result = try? await source.query(statement, CancellationToken()) else { return [] }
    guard let column = result.columns.first(where: { $0.name == "name" }) ?? result.columns.first else { return [] }
    let only = QueryResult(columns: [column], rowCount: result.rowCount)
    let lines = String(decoding: ResultFormatter(.tsv).bytes(only), as: UTF8.self).split(separator: "\n")
    return Set(lines.dropFirst().map(String.init)).sorted()
  }
}
