/// Why a whole request is refused: answer 400 and don't ask for it again.
public struct OTLPError: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Code: Sendable, Hashable {
    /// The bytes are not an ExportTraceServiceRequest, in protobuf or in JSON.
    case malformed
    /// Messages are nested deeper than ``OTLPLimits/messageDepth``.
    case tooDeep
    /// The request is larger than ``OTLPLimits/requestBytes``.
    case tooLarge
  }

  public let code: Code
  /// What is wrong, and at which byte of the request.
  public let message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public var description: String { message }
}

extension OTLPError {
  init(_ error: WireError) {
    let reason =
      switch error.code {
      case .truncated: "ends in the middle of a field"
      case .overlongVarint: "has a number that takes too many bytes"
      case .lengthPastEnd: "has a length that passes the end of its message"
      case .illegalTag: "has an illegal field number or wire type"
      case .wrongWireType: "has a known field with the wrong wire type"
      case .groupMismatch: "has groups that don't balance"
      case .tooDeep: "is nested too deeply"
      case .tooLarge: "is too large"
      case .invalidText: "has a string that isn't valid UTF-8"
      }
    let code: Code = error.code == .tooDeep ? .tooDeep : error.code == .tooLarge ? .tooLarge : .malformed
    self.init(code, "the request \(reason) (near byte \(error.offset)); nothing of it was stored")
  }
}
