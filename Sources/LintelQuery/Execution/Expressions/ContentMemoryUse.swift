/// Memory that one thread of a query has for content, as the query accounts for it.
final class ContentMemoryUse {
  private let query: QueryContext
  private var held = 0

  /// Bytes of content that a thread puts together at once, where the query may have so many.
  static let mostAtOnce = 16 << 20
  private static let leastAtOnce = 64 << 10

  init(_ query: QueryContext) { self.query = query }

  deinit { release() }

  /// A thread's share of an eighth of the query's memory.
  var sliceBytes: Int {
    min(Self.mostAtOnce, max(Self.leastAtOnce, query.options.memoryLimitBytes / (8 * query.threads)))
  }

  /// What the query may use, as far as values have offsets for it.
  var mostBytes: Int { min(query.options.memoryLimitBytes, Int(UInt32.max)) }

  /// Throws past the query's limit.
  func hold(_ bytes: Int) throws(ExecutionFailure) {
    held += bytes
    try query.reserve(bytes)
  }

  func giveBack(_ bytes: Int) {
    let bytes = min(bytes, held)
    held -= bytes
    _ = query.account(-bytes)
  }

  func release() { if held > 0 { giveBack(held) } }
}
