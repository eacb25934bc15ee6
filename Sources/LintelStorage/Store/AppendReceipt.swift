/// What became of an appended batch.
public struct AppendReceipt: Sendable, Hashable {
  /// Rows stored.
  public let stored: Int
  /// Rows left out because the very same row was stored within the retry window.
  public let duplicates: Int
  /// Rows left out because their subject was erased.
  public let erased: Int

  public init(stored: Int, duplicates: Int, erased: Int = 0) {
    self.stored = stored
    self.duplicates = duplicates
    self.erased = erased
  }
}
