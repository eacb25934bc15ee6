internal import Glibc
public import LintelColumns

/// A span as Swift code makes it, for services that embed Lintel and have no OTLP at hand.
///
/// What is `nil` is stored as NULL. Ids are random unless given. Properties are named like the columns that they fill.
public struct TraceSpan: Sendable, Hashable {
  public enum Kind: Int64, Sendable, Hashable, CaseIterable {
    case unspecified, `internal`, server, client, producer, consumer
  }

  public enum Status: Int64, Sendable, Hashable, CaseIterable {
    case unset, ok, error
  }

  /// Nanoseconds since 1970-01-01T00:00:00Z.
  public struct Timestamp: Sendable, Hashable, Comparable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static var now: Timestamp {
      var time = timespec()
      clock_gettime(CLOCK_REALTIME, &time)
      return Timestamp(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
  }

  /// Sixteen bytes, big-endian; not zero.
  public var traceID: UInt128
  /// Eight bytes, big-endian; not zero.
  public var spanID: UInt64
  public var parentSpanID: UInt64?
  public var name: String
  public var kind = Kind.internal
  public var start: Timestamp
  /// Negative durations are stored as 0.
  public var duration: Duration
  public var status = Status.unset
  public var statusMessage = ""
  public var serviceName: String?
  public var orgID: String?
  public var teamID: String?
  public var appID: String?
  public var environment: String?
  /// Stored only as ``UserHasher/hash(_:)`` of it.
  public var userID: String?
  public var sessionID: String?
  public var operation: String?
  public var provider: String?
  public var requestModel: String?
  public var responseModel: String?
  public var finishReason: String?
  public var toolName: String?
  public var agentName: String?
  public var inputTokens: UInt32?
  public var outputTokens: UInt32?
  public var cacheReadTokens: UInt32?
  public var cacheWriteTokens: UInt32?
  public var reasoningTokens: UInt32?
  public var timeToFirstToken: Duration?
  /// Nano-USD.
  public var reportedCost: Int64?
  /// Everything else. Strings, integers, doubles and booleans become typed columns; the rest is kept as it is.
  public var attributes: [String: Variant] = [:]

  public init(
    name: String, start: Timestamp, duration: Duration, traceID: UInt128? = nil, spanID: UInt64? = nil,
    parentSpanID: UInt64? = nil
  ) {
    self.name = name
    self.start = start
    self.duration = duration
    self.traceID = traceID ?? UInt128.random(in: 1 ... .max)
    self.spanID = spanID ?? UInt64.random(in: 1 ... .max)
    self.parentSpanID = parentSpanID
  }
}

extension Duration {
  /// Whole nanoseconds, clamped to what an `Int64` holds.
  var clampedNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    guard !overflow else { return seconds < 0 ? .min : .max }
    let (sum, overflowed) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
    return overflowed ? (seconds < 0 ? .min : .max) : sum
  }
}
