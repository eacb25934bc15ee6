/// What the storage layer reports. `code` is for programs, `message` says what happened and what to do.
public struct StorageError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The operating system refused or failed a call.
    case io
    /// No space left on the device. Retry once there is.
    case diskFull
    /// Stored bytes are not what was written. `message` names file, column and block.
    case corrupt
    /// The directory was written by a newer Lintel, or is not a Lintel store.
    case incompatible
    /// Another process has the store open for writing.
    case locked
    /// The memory budget is used up; retry after a moment.
    case overloaded
    /// The store was opened read-only.
    case readOnly
    /// An earlier write failed; the store takes no more until it is opened again.
    case failedStop
    /// The store has been closed.
    case closed
    /// The caller's data doesn't fit the schema or a limit.
    case invalid
  }

  public let code: Code
  public let message: String
  /// The file concerned, relative to the data directory where possible.
  public let path: String?
  /// `errno`, where the operating system gave one.
  public let errorNumber: Int32?

  public init(_ code: Code, _ message: String, path: String? = nil, errorNumber: Int32? = nil) {
    self.code = code
    self.message = message
    self.path = path
    self.errorNumber = errorNumber
  }

  public var description: String { path.map { "\($0): \(message)" } ?? message }
}
