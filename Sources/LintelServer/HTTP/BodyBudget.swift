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

  /// A fixed number of places: who finds none is turned away.
  final class Places: Sendable {
    let limit: Int
    private let taken = Atomic<Int>(0)

    init(_ limit: Int) { self.limit = limit }

    var used: Int { taken.load(ordering: .relaxed) }

    /// A place, held until the last reference goes; `nil` when all are taken.
    func enter() -> Place? {
      guard taken.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
        leave()
        return nil
      }
      return Place(self)
    }

    fileprivate func leave() { taken.wrappingSubtract(1, ordering: .relaxed) }
  }

  final class Place: Sendable {
    private let places: Places

    fileprivate init(_ places: Places) { self.places = places }

    deinit { places.leave() }
  }
#endif
