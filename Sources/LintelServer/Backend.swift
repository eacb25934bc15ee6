#if Server
  internal import LintelColumns
  internal import LintelQuery
  internal import LintelStorage
  internal import NIOCore

  /// The two encodings of OTLP over HTTP.
  enum OTLPFormat: Sendable, Hashable {
    case protobuf, json

    var mediaType: String {
      switch self {
      case .protobuf: "application/x-protobuf"
      case .json: "application/json"
      }
    }

    init?(mediaType: String) {
      switch mediaType {
      case "application/x-protobuf": self = .protobuf
      case "application/json": self = .json
      default: return nil
      }
    }
  }

  /// What became of the spans of one request body.
  struct DecodedSpans: Sendable {
    /// The rows to store; `nil` when there are none.
    var batch: Batch?
    /// How many spans were left out, and why.
    var rejected = 0
    var message = ""
  }

  /// The body as a whole can't be read; nothing of it is stored.
  struct MalformedBody: Error {
    var message: String
  }

  /// What the endpoints ask of the store: a ``SpanStore`` in the server, a stand-in in the tests.
  protocol Backend: Sendable {
    /// Blocks; called on the decoding threads.
    func decode(
      _ body: UnsafeRawBufferPointer, _ format: OTLPFormat, organization: String?
    ) throws(MalformedBody) -> DecodedSpans
    /// Returns when the rows are durable.
    func append(_ batch: Batch) async throws(StorageError) -> AppendReceipt
    /// Runs a statement. Ends early when the task is cancelled.
    func query(_ text: String) async throws(QueryError) -> QueryResult
    /// Binds an EXPORT statement, so that what is wrong with it is known before the answer starts.
    func export(_ text: String) async throws(QueryError) -> any SpanExport
    /// Carries out what concerns erasures, holds and retention.
    func lifecycle(_ command: LifecycleCommand) async throws(StorageError) -> QueryResult
    /// The receipt of an erasure; `nil` where there is none yet.
    func receipt(_ erasure: UInt64) async throws(StorageError) -> [UInt8]?
    /// Why the store can't take spans; `nil` when it can.
    func problem() -> String?
    /// Damage that was found and background work that failed, of which the store goes on.
    var problemCount: Int { get }
    /// What the store has to say about itself.
    func gauges() -> [Gauge]
  }

  /// Spans on their way out, as OTLP JSON lines.
  protocol SpanExport: Sendable {
    /// What is known to be missing before anything is read.
    var omissions: [String] { get }
    /// Passes whole lines on until there are no more, or `write` throws. Blocks; called on a thread made for that.
    ///
    /// - Returns: What is missing, or isn't as it was stored, ``omissions`` among it; nothing when the export is complete.
    func run(_ write: (ByteBuffer) throws -> Void) throws -> [String]
    /// Makes `run` end soon, from any thread.
    func cancel()
  }

  /// A value that is what it is when asked.
  struct Gauge: Sendable {
    var name: String
    var help: String
    var value: Int
    /// `tier="hot"`, of several of one name, which follow each other; empty for none.
    var labels = ""
    /// Only ever rises: a counter in Prometheus' words.
    var isCounter: Bool

    init(_ name: String, _ help: String, _ value: Int, labels: String = "", isCounter: Bool = false) {
      self.labels = labels
      self.name = name
      self.help = help
      self.value = value
      self.isCounter = isCounter
    }
  }
#endif
