#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// States of groups in memory that doesn't move while it doesn't grow: loops hold the bare pointer.
final class StateBuffer<State: BitwiseCopyable> {
  @exclusivity(unchecked) private(set) var pointer: UnsafeMutablePointer<State>
  @exclusivity(unchecked) private(set) var count = 0
  private var capacity: Int
  private let initial: State

  init(_ initial: State) {
    self.initial = initial
    capacity = 16
    pointer = Memory.resize(nil, to: 16)
  }

  deinit { free(pointer) }

  var byteCount: Int { capacity * MemoryLayout<State>.stride }

  /// Makes room for `groups` states; new ones are initial.
  func grow(_ groups: Int) {
    guard groups > count else { return }
    if groups > capacity {
      capacity = max(groups, capacity * 2)
      pointer = Memory.resize(pointer, to: capacity)
    }
    (pointer + count).initialize(repeating: initial, count: groups - count)
    count = groups
  }

  subscript(group: Int) -> State {
    get { pointer[group] }
    set { pointer[group] = newValue }
  }
}

/// Memory of tables that grow large. The system moves it by its pages: growing costs neither a copy nor a pause.
enum Memory {
  /// Room for `count` elements; what was in `old` goes on, the rest holds anything. To be freed with `free`.
  static func resize<Element: BitwiseCopyable>(
    _ old: UnsafeMutablePointer<Element>?, to count: Int
  ) -> UnsafeMutablePointer<Element> {
    precondition(MemoryLayout<Element>.alignment <= 16, "malloc aligns to 16 bytes")
    guard let memory = realloc(old, max(1, count) * MemoryLayout<Element>.stride) else {
      fatalError("out of memory: \(count) elements of \(MemoryLayout<Element>.stride) bytes")
    }
    return memory.assumingMemoryBound(to: Element.self)
  }

  /// Room for `count` elements whose bytes are all zero, and which is touched only where it is used. To be freed with `free`.
  static func zeros<Element: BitwiseCopyable>(_ count: Int) -> UnsafeMutablePointer<Element> {
    precondition(MemoryLayout<Element>.alignment <= 16, "malloc aligns to 16 bytes")
    guard let memory = calloc(max(1, count), MemoryLayout<Element>.stride) else {
      fatalError("out of memory: \(count) elements of \(MemoryLayout<Element>.stride) bytes")
    }
    return memory.assumingMemoryBound(to: Element.self)
  }
}
