import Glibc
import Synchronization

/// Sends OTLP bodies made ahead to a running linteld, over several connections at once.
struct ServerLoad {
  var host: String
  var port: UInt16
  var connections: Int
  var bodySpans: Int
  var slabSpans: Int

  /// The next body to send.
  private final class Progress: Sendable {
    let next = Atomic(0)
    let retries = Atomic(0)
  }

  func run(_ options: WorkloadOptions) async throws {
    var workload = options.lastHour()
    var clock = Stopwatch()
    var left = options.spans
    var bytes = 0
    var retries = 0
    while left > 0 {
      let slab = await Bodies.make(
        &workload, spans: min(left, slabSpans), bodySpans: bodySpans, threads: options.threads)
      left -= slab.spans
      bytes += slab.bytes
      clock.start()
      retries += try await send(slab)
      clock.stop()
    }
    let rate = Int(Double(options.spans) / clock.wall)
    print(
      "\(options.spans.grouped) spans acknowledged in \(clock.wall.fixed(2)) s, \(rate.grouped) a second; "
        + "\((Double(bytes) / clock.wall / 1e6).fixed(0)) MB/s over \(connections) connections, told to wait "
        + "\(retries) times")
  }

  /// Returns how often the server asked to wait.
  private func send(_ slab: Bodies) async throws -> Int {
    let progress = Progress()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<connections {
        group.addTask {
          let connection = try HTTPConnection(host: host, port: port)
          while true {
            let index = progress.next.add(1, ordering: .relaxed).oldValue
            guard index < slab.bodies.count else { return }
            while try !Self.post(slab.bodies[index].bytes, over: connection) {
              progress.retries.add(1, ordering: .relaxed)
            }
          }
        }
      }
      try await group.waitForAll()
    }
    return progress.retries.load(ordering: .relaxed)
  }

  /// False when the server was too busy: then it has been given a little time.
  private static func post(_ body: [UInt8], over connection: HTTPConnection) throws -> Bool {
    let answer = try connection.post(
      "/v1/traces", contentType: "application/x-protobuf", body: body)
    switch answer.status {
    case 200: return true
    case 429, 503:
      usleep(UInt32(min(answer.retryAfter ?? 0.05, 1) * 1_000_000))
      return false
    default: throw HTTPConnection.Failure(description: "the server answered \(answer.status)")
    }
  }
}
