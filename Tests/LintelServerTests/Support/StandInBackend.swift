#if Server
  import LintelColumns
  import LintelQuery
  import LintelStorage
  import NIOCore
  import Synchronization

  @testable import LintelServer

  /// A backend that remembers what it was given and does what the test says.
  final class StandInBackend: Backend {
    struct Received: Equatable {
      var body: [UInt8]
      var format: OTLPFormat
      var organization: String?
    }

    struct Behaviour: Sendable {
      /// What each append does; rows are those of the batch.
      var append: @Sendable (_ rows: Int) async throws(StorageError) -> Int = { rows in rows }
      var query: @Sendable (_ text: String) async throws(QueryError) -> QueryResult = { _ in StandInBackend.answer }
      /// Chunks of an export.
      var export: @Sendable () -> [ByteBuffer] = { [ByteBuffer(string: "{}\n")] }
      var lifecycle: @Sendable (_ command: LifecycleCommand) async throws(StorageError) -> QueryResult = { _ in
        StandInBackend.answer
      }
      var problem: String?
      var problemCount = 0
    }

    let behaviour: Behaviour
    private let log = Mutex<[Received]>([])

    init(_ behaviour: Behaviour = Behaviour()) { self.behaviour = behaviour }

    var received: [Received] { log.withLock { $0 } }

    /// `BAD`: a malformed body. `PARTIAL`: one span of three taken. Empty: no spans. Else one span.
    func decode(
      _ body: UnsafeRawBufferPointer, _ format: OTLPFormat, organization: String?
    ) throws(MalformedBody) -> DecodedSpans {
      log.withLock { $0.append(Received(body: Array(body), format: format, organization: organization)) }
      if body.elementsEqual("BAD".utf8) { throw MalformedBody(message: "field 3 is \"bad\"") }
      if body.isEmpty { return DecodedSpans() }
      let isPartial = body.elementsEqual("PARTIAL".utf8)
      return DecodedSpans(batch: Self.batch, rejected: isPartial ? 2 : 0, message: isPartial ? "no trace id" : "")
    }

    func append(_ batch: Batch) async throws(StorageError) -> AppendReceipt {
      AppendReceipt(stored: try await behaviour.append(batch.rowCount), duplicates: 0)
    }

    func lifecycle(_ command: LifecycleCommand) async throws(StorageError) -> QueryResult {
      try await behaviour.lifecycle(command)
    }

    func receipt(_ erasure: UInt64) async throws(StorageError) -> [UInt8]? {
      erasure == 1 ? Array("{}\n{}\n".utf8) : nil
    }

    func query(_ text: String) async throws(QueryError) -> QueryResult { try await behaviour.query(text) }

    func export(_ text: String) async throws(QueryError) -> any SpanExport {
      guard text.hasPrefix("EXPORT") else { throw QueryError(.syntax, "expected EXPORT", offset: 0) }
      return StandInExport(chunks: behaviour.export())
    }

    func problem() -> String? { behaviour.problem }

    var problemCount: Int { behaviour.problemCount }

    func gauges() -> [Gauge] { [Gauge("lintel_parts", "Parts.", 7)] }

    static let answer = QueryResult(
      columns: [.init(name: "n", type: .int64, values: ColumnVector(.int64([42])))], rowCount: 1)

    static let batch = Batch(
      schema: TableSchema(
        name: "t", columns: [ColumnDefinition("a", .int64)], hasAttributes: false, sortKey: ["a"], shardKey: "a",
        timeColumn: "a", clusterColumn: "a"),
      rowCount: 1, columns: [ColumnVector(.int64([1]))])
  }

  private struct StandInExport: SpanExport {
    let chunks: [ByteBuffer]

    var omissions: [String] { [] }

    func run(_ write: (ByteBuffer) throws -> Void) throws -> [String] {
      for chunk in chunks { try write(chunk) }
      return []
    }

    func cancel() {}
  }
#endif
