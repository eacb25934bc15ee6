#if Server
  internal import Glibc
  public import LintelIngest

  /// Where the server listens and what it allows. The defaults suit one machine with a few gigabytes of memory.
  public struct ServerConfiguration: Sendable, Hashable {
    /// Where OTLP over HTTP is taken: `POST /v1/traces`.
    public var otlpHTTP = ListenAddress(host: "127.0.0.1", port: 4318)
    /// Where queries, health and metrics are answered.
    public var api = ListenAddress(host: "127.0.0.1", port: 4320)
    public var limits = ServerLimits()
    /// Who may do what; `nil`: everybody everything, which is for ports that only this machine reaches.
    public var tokens: AccessTokens?
    /// Both ports speak TLS where this is set.
    public var tls: TLSFiles?
    /// What happens to a request with a string that isn't UTF-8.
    public var invalidText = OTLPLimits.InvalidText.rejectRequest
    /// Threads that move bytes between sockets and memory.
    public var eventLoopThreads = 2
    /// Threads that decompress and decode requests.
    public var decodeThreads = 2

    public init() {}
  }

  /// A host name or address, and a TCP port; port 0 lets the system choose a free one.
  public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    public var host: String
    public var port: Int

    public init(host: String, port: Int) {
      self.host = host
      self.port = port
    }

    /// Reads `HOST:PORT`, `[IPV6]:PORT` or `:PORT` (every interface). `nil` when the text is neither.
    public init?(_ text: String) {
      guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
        (0...65535).contains(port)
      else { return nil }
      var host = String(text[..<colon])
      if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
      self.init(host: host.isEmpty ? "0.0.0.0" : host, port: port)
    }

    /// Whether only this machine reaches it.
    public var isLoopback: Bool {
      if host.lowercased() == "localhost" { return true }
      var four = in_addr()
      if inet_pton(AF_INET, host, &four) == 1 { return UInt32(bigEndian: four.s_addr) >> 24 == 127 }
      var six = in6_addr()
      guard inet_pton(AF_INET6, host, &six) == 1 else { return false }
      return withUnsafeBytes(of: six) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
  }

  /// A limit on everything that a client controls. Sizes in bytes, times in seconds.
  public struct ServerLimits: Sendable, Hashable {
    /// Largest request body as sent: beyond it, 413.
    public var bodyBytes = 64 << 20
    /// Largest request body after decompression: beyond it, 413.
    public var expandedBodyBytes = 64 << 20
    /// All request bodies being received, decompressed, decoded or stored at one time: beyond it, 429.
    public var inFlightBytes = 160 << 20
    /// Exports being decoded or stored at one time: beyond it, 429.
    public var concurrentExports = 256
    /// Queries running at one time: more wait for their turn.
    public var concurrentQueries = 16
    /// How long a query waits for its turn: beyond it, 503.
    public var queryWaitSeconds = 10.0
    /// Longest query text: beyond it, 413.
    public var queryTextBytes = 1 << 20
    /// Open connections on each port. One more takes the place of the one that has gone longest without a request; where
    /// all have requests under way, it is closed.
    public var connections = 4096
    /// A body must arrive within this time plus one second for each ``bodyBytesPerSecond`` received: else 408.
    public var bodySeconds = 30.0
    public var bodyBytesPerSecond = 128 << 10
    /// A connection without a request is closed after this time.
    public var idleSeconds = 75.0
    /// Largest answer to a query; beyond it, 422. Exports are streamed and have no limit.
    public var answerBytes = 256 << 20
    /// A connection whose peer doesn't take an answer within this time, plus one second for each ``bodyBytesPerSecond`` of
    /// it, is closed; so is one that takes none of a streamed answer for this time.
    public var writeStallSeconds = 60.0
    /// A query that doesn't ask for less is stopped after this time: 504.
    public var querySeconds = 120.0
    /// How long an append waits for an overloaded store before the client is told to come back: 503.
    public var overloadWaitSeconds = 1.0
    /// How long requests under way may take when the server shuts down.
    public var shutdownSeconds = 6.0

    public init() {}

    /// What is wrong with these limits; `nil` when they make sense together.
    public var problem: String? {
      for (name, value) in [
        ("bodyBytes", bodyBytes), ("expandedBodyBytes", expandedBodyBytes), ("queryTextBytes", queryTextBytes),
        ("answerBytes", answerBytes),
        ("concurrentExports", concurrentExports), ("concurrentQueries", concurrentQueries),
        ("connections", connections), ("bodyBytesPerSecond", bodyBytesPerSecond),
      ] where value < 1 || value > Self.largest {
        return "\(name) is \(value): it must be from 1 to \(Self.largest)"
      }
      for (name, value) in [
        ("bodySeconds", bodySeconds), ("idleSeconds", idleSeconds), ("writeStallSeconds", writeStallSeconds),
        ("querySeconds", querySeconds), ("queryWaitSeconds", queryWaitSeconds),
        ("overloadWaitSeconds", overloadWaitSeconds),
        ("shutdownSeconds", shutdownSeconds),
      ] where !(value >= 0 && value <= 86_400) {
        return "\(name) is \(value): it must be from 0 to 86400 seconds"
      }
      // A compressed body and what it expands to are held together for a moment.
      guard inFlightBytes >= bodyBytes + expandedBodyBytes else {
        return "inFlightBytes is \(inFlightBytes): the largest request needs \(bodyBytes + expandedBodyBytes)"
      }
      return nil
    }

    /// zlib counts in 32 bits, so no single limit reaches 2 GiB.
    static let largest = 1 << 30
  }
#endif
