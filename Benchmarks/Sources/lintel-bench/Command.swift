import ArgumentParser
import Glibc

@main
struct Command: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lintel-bench", abstract: "Makes spans and measures Lintel with them.", subcommands: [Load.self])
}

/// `lintel-bench load`: sends generated spans to a running linteld over OTLP/HTTP.
struct Load: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Send generated spans to a running linteld.")

  @Option(help: "Spans to send.") var spans = 1_000_000
  @Option(help: "Spans in one request.") var bodySpans = 500
  @Option(help: "The same seed makes the same spans.") var seed: UInt64 = 1
  @Option(help: "Address of the OTLP endpoint.") var host = "127.0.0.1"
  @Option(help: "Port of the OTLP endpoint.") var port: UInt16 = 4318

  func run() throws {
    // The hour before now, so that "the last hour" is full of spans.
    let start = UInt64(time(nil) - 3600) * 1_000_000_000
    var generator = SpanGenerator(seed: seed, start: start)
    let connection = try HTTPConnection(host: host, port: port)
    var sent = 0
    let began = monotonicSeconds()
    while sent < spans {
      let (body, count) = generator.request(spanCount: min(bodySpans, spans - sent))
      try post(body, over: connection)
      sent += count
    }
    let seconds = monotonicSeconds() - began
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

func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}
