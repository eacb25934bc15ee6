extension RegularExpression {
  /// Finds whether texts contain a match, making the deterministic automaton as it goes.
  ///
  /// States beyond a limit throw the automaton away and start it afresh: memory stays bounded, time linear.
  struct Matcher {
    private static let maximumStates = 2_000
    private static let unknown: Int32 = -1

    private let program: RegularExpression
    private var states: [State] = []
    private var numbers: [[Int32]: Int32] = [:]
    /// 256 entries a state.
    private var transitions: [Int32] = []
    private var initial: Int32 = 0
    private var marks: [Int32]
    private var generation: Int32 = 0
    /// At the end of the empty text both anchors hold.
    private var acceptsEmptyText = false

    private struct State {
      let threads: [Int32]
      let accepts: Bool
      let acceptsAtEnd: Bool
    }

    init(_ program: RegularExpression) {
      self.program = program
      marks = Array(repeating: 0, count: program.instructions.count)
      reset()
    }

    private mutating func reset() {
      states.removeAll()
      numbers.removeAll()
      transitions.removeAll()
      let threads = closure([Int32(program.start)], atStart: true)
      acceptsEmptyText = reachesEnd(threads, isEmptyText: true)
      initial = number(of: threads)
    }

    /// Whether `text` holds a match anywhere.
    mutating func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
      var state = initial
      if states[Int(state)].accepts || (text.isEmpty && acceptsEmptyText) { return true }
      for byte in text {
        let index = Int(state) << 8 | Int(byte)
        var next = transitions[index]
        if next == Self.unknown { next = step(from: state, byte) }
        if next == -2 { return true }
        state = next
      }
      return states[Int(state)].acceptsAtEnd
    }

    /// The state after `byte`, -2 when it accepts whatever follows.
    private mutating func step(from state: Int32, _ byte: UInt8) -> Int32 {
      var targets: [Int32] = []
      for thread in states[Int(state)].threads {
        if case .bytes(let low, let high, let next) = program.instructions[Int(thread)], low <= byte, byte <= high {
          targets.append(Int32(next))
        }
      }
      // A match may begin at every byte.
      targets.append(Int32(program.start))
      let threads = closure(targets, atStart: false)
      if states.count >= Self.maximumStates, numbers[threads] == nil {
        reset()
        let next = number(of: threads)
        return states[Int(next)].accepts ? -2 : next
      }
      var next = number(of: threads)
      if states[Int(next)].accepts { next = -2 }
      transitions[Int(state) << 8 | Int(byte)] = next
      return next
    }

    private mutating func number(of threads: [Int32]) -> Int32 {
      if let known = numbers[threads] { return known }
      let accepts = threads.contains { if case .accept = program.instructions[Int($0)] { true } else { false } }
      let state = State(
        threads: threads, accepts: accepts, acceptsAtEnd: accepts || reachesEnd(threads, isEmptyText: false))
      let number = Int32(states.count)
      states.append(state)
      numbers[threads] = number
      transitions += repeatElement(Self.unknown, count: 256)
      return number
    }

    /// Instructions that consume, accept or wait for the end, reachable without a byte; sorted.
    private mutating func closure(_ starts: [Int32], atStart: Bool) -> [Int32] {
      generation &+= 1
      var pending = starts
      var result: [Int32] = []
      while let index = pending.popLast() {
        guard marks[Int(index)] != generation else { continue }
        marks[Int(index)] = generation
        switch program.instructions[Int(index)] {
        case .bytes, .accept, .endOfText: result.append(index)
        case .jump(let next): pending.append(Int32(next))
        case .split(let first, let second): pending += [Int32(first), Int32(second)]
        case .startOfText(let next): if atStart { pending.append(Int32(next)) }
        }
      }
      return result.sorted()
    }

    /// Whether the end of the text leads these threads to acceptance.
    private mutating func reachesEnd(_ threads: [Int32], isEmptyText: Bool) -> Bool {
      var visited: Set<Int32> = []
      var pending: [Int32] = threads.filter {
        if case .endOfText = program.instructions[Int($0)] { true } else { false }
      }
      while let index = pending.popLast() {
        guard visited.insert(index).inserted else { continue }
        switch program.instructions[Int(index)] {
        case .accept: return true
        case .endOfText(let next), .jump(let next): pending.append(Int32(next))
        case .split(let first, let second): pending += [Int32(first), Int32(second)]
        case .bytes: continue
        case .startOfText(let next): if isEmptyText { pending.append(Int32(next)) }
        }
      }
      return false
    }
  }
}
