#if Server
  /// Why the server could not be started.
  public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Code: Sendable, Hashable {
      /// The port is in use, or the address isn't one of this machine.
      case cannotListen
      /// The configuration contradicts itself.
      case invalidConfiguration
    }

    public let code: Code
    /// What happened and what to do.
    public let message: String

    public init(_ code: Code, _ message: String) {
      self.code = code
      self.message = message
    }

    public var description: String { message }
  }
#endif
