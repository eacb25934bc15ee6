/// States of groups, or other numbers one behind the other, in memory that doesn't move while it doesn't grow: loops hold
/// the bare pointer.
final class StateBuffer<State: BitwiseCopyable> {
  @exclusivity(unchecked) private(set) var pointer: UnsafeMutablePointer<State>
  @exclusivity(unchecked) private(set) var count = 0
  private var capacity = 16
  private let initial: State

  init(_ initial: State) {
    self.initial = initial
    pointer = Memory.resize(nil, from: 0, to: 16)
  }

  deinit { Memory.free(pointer, capacity) }

  var byteCount: Int { capacity * MemoryLayout<State>.stride }

  /// Makes room for `groups` states; new ones are initial.
  func grow(_ groups: Int) {
    guard groups > count else { return }
    reserve(groups)
    (pointer + count).initialize(repeating: initial, count: groups - count)
    count = groups
  }

  /// Makes room for so many without any being there yet.
  func reserve(_ wanted: Int) {
    guard wanted > capacity else { return }
    let room = max(wanted, capacity * 2)
    pointer = Memory.resize(pointer, from: capacity, to: room)
    capacity = room
  }

  @inline(__always)
  func append(_ state: State) {
    if count == capacity { reserve(count + 1) }
    pointer[count] = state
    count += 1
  }

  func append(contentsOf states: UnsafeBufferPointer<State>) {
    guard let first = states.baseAddress else { return }
    reserve(count + states.count)
    (pointer + count).initialize(from: first, count: states.count)
    count += states.count
  }

  /// Forgets all states, and keeps their room.
  func removeAll() { count = 0 }

  subscript(group: Int) -> State {
    get { pointer[group] }
    set { pointer[group] = newValue }
  }
}
