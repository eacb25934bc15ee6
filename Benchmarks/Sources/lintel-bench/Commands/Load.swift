import ArgumentParser

/// `lintel-bench load`: spans into a store in this process, into a running linteld, or only through the decoder.
struct Load: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Load spans: into a store in this process, into a running linteld, or only through the OTLP decoder."
  )

  @OptionGroup var options: WorkloadOptions
  @Option(help: "Spans held ready in memory.") var slab = 4_000_000

  @Option(help: "Directory of a store to open in this process.") var data: String?
  @Option(help: "Spans in one appended batch.") var batch = 8192
  @Option(help: "Appends at the same time.") var inFlight = 4
  @Flag(help: "Acknowledge before the log is synced.") var buffered = false
  @Flag(help: "100,000 batches of 10 spans, 64 in flight; no final merge.") var smallBatches = false

  @Option(help: "Port of a running linteld's OTLP endpoint.") var port: UInt16?
  @Option(help: "Its address.") var host = "127.0.0.1"
  @Option(help: "Connections to it.") var connections = 2
  @Flag(help: "Decode OTLP bodies from memory, on one core; nothing is stored.") var otlpDecode =
    false
  @Option(help: "Spans in one OTLP body.") var bodySpans = 500
  @Option(help: "Runs of which the best is shown (--otlp-decode).") var runs = 3

  func validate() throws {
    guard [data != nil, port != nil, otlpDecode].count(where: { $0 }) == 1 else {
      throw ValidationError("give one of --data DIR, --port P, --otlp-decode")
    }
    guard options.spans > 0, batch > 0, bodySpans > 0, slab > 0, inFlight > 0, connections > 0
    else {
      throw ValidationError("numbers must be above 0")
    }
  }

  func run() async throws {
    if let port {
      let load = ServerLoad(
        host: host, port: port, connections: connections, bodySpans: bodySpans,
        slabSpans: min(slab, 1_000_000))
      try await load.run(options)
    } else if let data {
      try await storeLoad(data).run()
    } else {
      try await DecodeLoad(bodySpans: bodySpans, runs: runs).run(options)
    }
  }

  private func storeLoad(_ directory: String) -> StoreLoad {
    var load = StoreLoad(
      directory: directory, options: options, batchRows: batch, inFlight: inFlight,
      isBuffered: buffered,
      slabSpans: slab, mergesAll: true)
    if smallBatches {
      load.options.spans = 1_000_000
      (load.batchRows, load.inFlight, load.mergesAll) = (10, 64, false)
    }
    return load
  }
}
