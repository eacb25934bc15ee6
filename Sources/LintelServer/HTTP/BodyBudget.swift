#if Server
  internal import Synchronization

  /// The memory that all requests under way may take together. Taking never waits: who gets none is refused, so that
  /// half-received bodies can't block each other.
  final class BodyBudget: Sendable {
    let limit: Int
    private let taken = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    var used: Int { taken.load(ordering: .relaxed) }

    func hasRoom(for bytes: Int) -> Bool { bytes <= limit - used }

    fileprivate func take(_ bytes: Int) -> Bool {
      guard taken.wrappingAdd(bytes, ordering: .relaxed).newValue <= limit else {
        taken.wrappingSubtract(bytes, ordering: .relaxed)
        return false
      }
      return true
    }

    fileprivate func giveBack(_ bytes: Int) { taken.wrappingSubtract(bytes, ordering: .relaxed) }
  }

  /// One request's share of a ``BodyBudget``, given back when the last reference goes.
  ///
  /// What is charged for the body stands for the batch made of it too: the body is freed before the batch is stored, the
  /// share only after.
  final class BodyReservation: Sendable {
    private let budget: BodyBudget
    private let held = Atomic<Int>(0)

    init(_ budget: BodyBudget) { self.budget = budget }

    /// Asks for more; `false` when the budget is used up.
    func grow(by bytes: Int) -> Bool {
      guard budget.take(bytes) else { return false }
      held.wrappingAdd(bytes, ordering: .relaxed)
      return true
    }

    deinit { budget.giveBack(held.load(ordering: .relaxed)) }
  }

  /// A fixed number of places: who finds none is turned away, or waits for a turn.
  final class Places: Sendable {
    let limit: Int
    private let state = Mutex(State())

    private struct State {
      var taken = 0
      var nextTicket = 0
      /// Those who wait, the first come first.
      var waiting: [(ticket: Int, continuation: CheckedContinuation<Place?, Never>)] = []
      /// Tickets given up before their owner had begun to wait.
      var gone: Set<Int> = []
    }

    init(_ limit: Int) { self.limit = limit }

    var used: Int { state.withLock { $0.taken } }

    /// A place, held until the last reference goes; `nil` when all are taken.
    func enter() -> Place? {
      let isFree = state.withLock { state in
        guard state.taken < limit else { return false }
        state.taken += 1
        return true
      }
      return isFree ? Place(self) : nil
    }

    /// A place as soon as one is free; `nil` when none is in time, or when the task is cancelled.
    func enter(within seconds: Double) async -> Place? {
      if let place = enter() { return place }
      guard seconds > 0 else { return nil }
      let ticket = state.withLock { state in
        state.nextTicket += 1
        return state.nextTicket
      }
      let clock = Task { [weak self] in
        try await Task.sleep(for: .seconds(seconds))
        self?.giveUp(ticket)
      }
      defer { clock.cancel() }
      let place = await withTaskCancellationHandler {
        await withCheckedContinuation { wait($0, ticket) }
      } onCancel: {
        giveUp(ticket)
      }
      // Whoever gave up afterwards left a mark.
      state.withLock { _ = $0.gone.remove(ticket) }
      return place
    }

    private func wait(_ continuation: CheckedContinuation<Place?, Never>, _ ticket: Int) {
      let outcome = state.withLock { state -> Bool? in
        if state.gone.contains(ticket) { return false }
        if state.taken < limit {
          state.taken += 1
          return true
        }
        state.waiting.append((ticket, continuation))
        return nil
      }
      if let outcome { continuation.resume(returning: outcome ? Place(self) : nil) }
    }

    private func giveUp(_ ticket: Int) {
      let continuation = state.withLock { state in
        guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
          state.gone.insert(ticket)
          return nil as CheckedContinuation<Place?, Never>?
        }
        return state.waiting.remove(at: index).continuation
      }
      continuation?.resume(returning: nil)
    }

    /// Hands the place on to who has waited longest.
    fileprivate func leave() {
      let next = state.withLock { state -> CheckedContinuation<Place?, Never>? in
        guard !state.waiting.isEmpty else {
          state.taken -= 1
          return nil
        }
        return state.waiting.removeFirst().continuation
      }
      next?.resume(returning: Place(self))
    }
  }

  final class Place: Sendable {
    private let places: Places

    fileprivate init(_ places: Places) { self.places = places }

    deinit { places.leave() }
  }
#endif
