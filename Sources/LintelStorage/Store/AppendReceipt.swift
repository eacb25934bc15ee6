/// What became of an appended batch.
public struct AppendReceipt: Sendable, Hashable {
  /// Rows stored.
  public let stored: Int
  /// Rows left out because the very same row was stored within the retry window.
  public let duplicates: Int

  public init(stored: Int, duplicates: Int) {
    self.stored = stored
    self.duplicates = duplicates
  }
}
