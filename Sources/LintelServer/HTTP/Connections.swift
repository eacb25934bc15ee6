#if Server
  internal import NIOCore
  internal import Synchronization

  /// The open connections of a port, a limited number.
  ///
  /// When there are that many, whoever comes anew takes the place of the one that has gone longest without a request: idle
  /// connections, however many somebody opens, keep nobody out. Where all of them have requests under way, the new one is
  /// turned away.
  final class Connections: Sendable {
    /// One open connection, as the others see it.
    final class Entry: Sendable {
      let channel: any Channel
      /// When its last request ended, counted in such events; 0 while there is one under way.
      fileprivate let idleSince: Atomic<Int>

      fileprivate init(_ channel: any Channel, _ now: Int) {
        self.channel = channel
        idleSince = Atomic(now)
      }
    }

    private struct State {
      var open: [ObjectIdentifier: Entry] = [:]
    }

    private let limit: Int
    private let state = Mutex(State())
    private let clock = Atomic(1)
    private let stopping = Atomic(false)

    init(limit: Int) { self.limit = limit }

    var count: Int { state.withLock { $0.open.count } }

    var all: [any Channel] { state.withLock { $0.open.values.map(\.channel) } }

    /// Whether each answer is the last on its connection.
    var isStopping: Bool { stopping.load(ordering: .relaxed) }

    func stop() { stopping.store(true, ordering: .relaxed) }

    /// `nil` when there is no place.
    func add(_ channel: any Channel) -> Entry? {
      let entry = Entry(channel, tick())
      let id = ObjectIdentifier(entry)
      let (isAdded, evicted) = state.withLock { state -> (Bool, Entry?) in
        var evicted: Entry?
        if state.open.count >= limit {
          evicted = Self.longestIdle(state)
          guard let evicted else { return (false, nil) }
          state.open[ObjectIdentifier(evicted)] = nil
        }
        state.open[id] = entry
        return (true, evicted)
      }
      if let evicted {
        evicted.channel.eventLoop.execute {
          // A request that has just come in is finished; there is one connection too many until then.
          if evicted.idleSince.load(ordering: .relaxed) > 0 { evicted.channel.close(promise: nil) }
        }
      }
      guard isAdded else { return nil }
      channel.closeFuture.whenComplete { [self] _ in state.withLock { _ = $0.open.removeValue(forKey: id) } }
      return entry
    }

    func began(_ entry: Entry) { entry.idleSince.store(0, ordering: .relaxed) }

    func ended(_ entry: Entry) { entry.idleSince.store(tick(), ordering: .relaxed) }

    private func tick() -> Int { clock.wrappingAdd(1, ordering: .relaxed).newValue }

    private static func longestIdle(_ state: borrowing State) -> Entry? {
      var found: Entry?
      var earliest = Int.max
      for entry in state.open.values {
        let since = entry.idleSince.load(ordering: .relaxed)
        if since > 0, since < earliest {
          earliest = since
          found = entry
        }
      }
      return found
    }
  }
#endif
