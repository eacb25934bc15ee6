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

  @inline(__always)
  func append(_ state: State) {
    if count == capacity {
      capacity *= 2
      pointer = Memory.resize(pointer, to: capacity)
    }
    pointer[count] = state
    count += 1
  }

  subscript(group: Int) -> State {
    get { pointer[group] }
    set { pointer[group] = newValue }
  }
}
