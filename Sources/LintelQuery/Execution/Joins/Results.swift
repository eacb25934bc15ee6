import Synchronization

/// Results that threads put in their places.
final class Results<Element: Sendable>: Sendable {
  private let places: Mutex<[Element?]>

  init(count: Int) { places = Mutex(Array(repeating: nil, count: count)) }

  func put(_ element: sending Element, at place: Int) { places.withLock { $0[place] = element } }

  /// Those that were put, in the order of their places.
  var all: [Element] { places.withLock { $0.compactMap(\.self) } }
}
