import ArgumentParser
import Glibc

/// `lintel-bench load`: spans into a store in this process, or into a running linteld.
struct Load: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Load spans into a store in this process (--data) or into a running linteld (--port).")

  @OptionGroup var options: WorkloadOptions
  @Option(help: "Directory of a store to open in this process.") var data: String?
  @Option(help: "Spans in one appended batch.") var batch = 8192
  @Option(help: "Appends at the same time.") var inFlight = 4
  @Flag(help: "Acknowledge before the log is synced.") var buffered = false
  @Flag(help: "Many small batches: 100,000 of 10 spans, 64 in flight; no final merge.") var smallBatches = false
  @Option(help: "Spans held ready in memory.") var slab = 4_000_000

  @Option(help: "Port of a running linteld's OTLP endpoint.") var port: UInt16?
  @Option(help: "Its address.") var host = "127.0.0.1"
  @Option(help: "Spans in one request.") var bodySpans = 500

  func validate() throws {
    guard (data == nil) != (port == nil) else { throw ValidationError("give --data DIR or --port P") }
  }

  func run() async throws {
    if let port { return try post(to: port) }
    guard let data else { return }
    var load = StoreLoad(
      directory: data, options: options, batchRows: batch, inFlight: inFlight, isBuffered: buffered, slabSpans: slab,
      mergesAll: true)
    if smallBatches {
      load.options.spans = 1_000_000
      (load.batchRows, load.inFlight, load.mergesAll) = (10, 64, false)
    }
    try await load.run()
  }

  private func post(to port: UInt16) throws {
    // The hour before now, so that "the last hour" is full of spans.
    let start = UInt64(time(nil) - 3600) * 1_000_000_000
    var generator = SpanGenerator(seed: options.seed, start: start)
    let connection = try HTTPConnection(host: host, port: port)
    var sent = 0
    let began = Usage.now()
    while sent < options.spans {
      let (body, count) = generator.request(spanCount: min(bodySpans, options.spans - sent))
      try post(body, over: connection)
      sent += count
    }
    let seconds = Usage.now() - began
    print("\(sent) spans acknowledged in \(Int(seconds * 1000)) ms, \(Int(Double(sent) / seconds)) a second")
  }

  private func post(_ body: [UInt8], over connection: HTTPConnection) throws {
    while true {
      let answer = try connection.post("/v1/traces", contentType: "application/x-protobuf", body: body)
      switch answer.status {
      case 200: return
      case 429, 503: usleep(UInt32((answer.retryAfter ?? 0.05) * 1_000_000))
      default: throw HTTPConnection.Failure(description: "the server answered \(answer.status)")
      }
    }
  }
}
