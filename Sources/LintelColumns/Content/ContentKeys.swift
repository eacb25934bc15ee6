/// Which attributes hold what people and models said, so that their values go into the content store.
public struct ContentKeys: Sendable, Hashable {
  private let names: Set<String>
  /// In no order; few.
  private let prefixes: [String]

  /// - Parameter prefixes: Beginnings of keys that go on with a number, such as `llm.input_messages.`.
  public init(names: Set<String>, prefixes: [String] = []) {
    self.names = names
    self.prefixes = prefixes
  }

  /// Whether values of this attribute go into the content store.
  public func contains(_ key: AttributeKey) -> Bool {
    guard key.kind.asContent != nil else { return false }
    return names.contains(key.name) || prefixes.contains { key.name.hasPrefix($0) }
  }
}
