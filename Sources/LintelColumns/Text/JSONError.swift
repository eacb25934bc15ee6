/// What is wrong with a JSON body, and where.
public struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
  public let message: String
  /// Offset of the byte that cannot be.
  public let offset: Int

  package init(message: String, offset: Int) {
    self.message = message
    self.offset = offset
  }

  public var description: String { "\(message) at byte \(offset)" }
}
