#if Server
  internal import Dispatch
  internal import Glibc
  internal import Synchronization

  /// SIGTERM and SIGINT: the first asks for an orderly end, the second ends the process.
  final class StopSignals: Sendable {
    private let names: AsyncStream<String>
    /// Kept alive; touched by nobody after the initialiser.
    nonisolated(unsafe) private let sources: [any DispatchSourceSignal]

    init() {
      let (names, continuation) = AsyncStream.makeStream(of: String.self)
      self.names = names
      let queue = DispatchQueue(label: "signals")
      let seen = Flag()
      sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")].map { number, name in
        // The source sees the signal only when it has no action of its own.
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
          if seen.raise() { _exit(128 + number) }
          continuation.yield(name)
        }
        source.resume()
        return source
      }
    }

    /// Waits for the first of them and names it.
    func first() async -> String {
      for await name in names { return name }
      return "end"
    }

    /// Runs `body` at each SIGHUP, one after the other, as long as what is returned lives.
    static func onHangup(_ body: @escaping @Sendable () -> Void) -> any Sendable {
      signal(SIGHUP, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: DispatchQueue(label: "hangup"))
      source.setEventHandler(handler: body)
      source.resume()
      return Held(source)
    }

    private final class Held: Sendable {
      nonisolated(unsafe) private let source: any DispatchSourceSignal

      init(_ source: any DispatchSourceSignal) { self.source = source }

      deinit { source.cancel() }
    }

    private final class Flag: Sendable {
      private let isUp = Atomic(false)

      /// Whether it was up already.
      func raise() -> Bool { isUp.exchange(true, ordering: .relaxed) }
    }
  }
#endif
