/// States of groups in memory that doesn't move while it doesn't grow: loops hold the bare pointer.
final class StateBuffer<State: BitwiseCopyable> {
  @exclusivity(unchecked) private(set) var pointer: UnsafeMutablePointer<State>
  @exclusivity(unchecked) private(set) var count = 0
  private var capacity: Int
  private let initial: State

  init(_ initial: State) {
    self.initial = initial
    capacity = 16
    pointer = .allocate(capacity: 16)
  }

  deinit { pointer.deallocate() }

  var byteCount: Int { capacity * MemoryLayout<State>.stride }

  /// Makes room for `groups` states; new ones are initial.
  func grow(_ groups: Int) {
    guard groups > count else { return }
    if groups > capacity {
      let newCapacity = max(groups, capacity * 2)
      let moved = UnsafeMutablePointer<State>.allocate(capacity: newCapacity)
      moved.update(from: pointer, count: count)
      pointer.deallocate()
      pointer = moved
      capacity = newCapacity
    }
    (pointer + count).initialize(repeating: initial, count: groups - count)
    count = groups
  }

  subscript(group: Int) -> State {
    get { pointer[group] }
    set { pointer[group] = newValue }
  }
}
