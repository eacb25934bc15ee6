/// Thompson's construction over bytes: scalar ranges become alternatives of UTF-8 byte sequences.
struct RegularExpressionCompiler {
  typealias Tree = RegularExpressionTree
  typealias Instruction = RegularExpression.Instruction
  typealias PatternError = RegularExpression.PatternError

  private(set) var instructions: [Instruction] = []
  private let ignoresCase: Bool

  init(ignoresCase: Bool) { self.ignoresCase = ignoresCase }

  /// The automaton's start.
  mutating func compile(_ tree: Tree) throws(PatternError) -> Int {
    let accept = try emit(.accept)
    return try compile(tree, next: accept)
  }

  private mutating func emit(_ instruction: Instruction) throws(PatternError) -> Int {
    guard instructions.count < RegularExpression.maximumInstructions else {
      throw PatternError(message: "the regular expression is too large", offset: 0)
    }
    instructions.append(instruction)
    return instructions.count - 1
  }

  /// Where to start for `tree`, going on at `next`.
  private mutating func compile(_ tree: Tree, next: Int) throws(PatternError) -> Int {
    switch tree {
    case .empty: return next
    case .startOfText: return try emit(.startOfText(next: next))
    case .endOfText: return try emit(.endOfText(next: next))
    case .scalars(let ranges):
      return try compile(ranges: ignoresCase ? ScalarRanges.ignoringCase(ranges) : ranges, next: next)
    case .sequence(let items):
      var target = next
      for item in items.reversed() { target = try compile(item, next: target) }
      return target
    case .alternatives(let branches):
      var starts: [Int] = []
      for branch in branches { starts.append(try compile(branch, next: next)) }
      return try split(starts)
    case .repeated(let item, let low, let high):
      return try compile(repeated: item, low, high, next: next)
    }
  }

  private mutating func compile(
    repeated item: Tree, _ low: Int, _ high: Int?, next: Int
  ) throws(PatternError) -> Int {
    var target = next
    if let high {
      for _ in low..<max(low, high) {
        let body = try compile(item, next: target)
        target = try emit(.split(body, next))
      }
    } else {
      let loop = try emit(.jump(next))
      let body = try compile(item, next: loop)
      instructions[loop] = .split(body, next)
      target = loop
    }
    for _ in 0..<low { target = try compile(item, next: target) }
    return target
  }

  private mutating func split(_ starts: [Int]) throws(PatternError) -> Int {
    guard var target = starts.last else { return try emit(.bytes(1, 0, next: 0)) }
    for start in starts.dropLast().reversed() { target = try emit(.split(start, target)) }
    return target
  }

  private mutating func compile(ranges: [ClosedRange<UInt32>], next: Int) throws(PatternError) -> Int {
    var starts: [Int] = []
    for range in ranges {
      for sequence in Self.utf8(range) {
        var target = next
        for bytes in sequence.reversed() { target = try emit(.bytes(bytes.lowerBound, bytes.upperBound, next: target)) }
        starts.append(target)
      }
    }
    return try split(starts)
  }

  /// Sequences of byte ranges that together are the UTF-8 of the range, surrogates left out.
  static func utf8(_ range: ClosedRange<UInt32>) -> [[ClosedRange<UInt8>]] {
    var pending = [range]
    var result: [[ClosedRange<UInt8>]] = []
    while let range = pending.popLast() {
      let (low, high) = (range.lowerBound, range.upperBound)
      // Cut at the borders of encoded length, and around the surrogates.
      let borders: [UInt32] = [0x7F, 0x7FF, 0xD7FF, 0xDFFF, 0xFFFF]
      if let border = borders.first(where: { low <= $0 && $0 < high }) {
        pending.append(border + 1...high)
        pending.append(low...border)
        continue
      }
      if low >= 0xD800, high <= 0xDFFF { continue }
      if high < 0x80 {
        result.append([UInt8(low)...UInt8(high)])
        continue
      }
      if let parts = splitAtContinuation(low, high) {
        pending += parts.reversed()
        continue
      }
      result.append(zip(encode(low), encode(high)).map { $0...$1 })
    }
    return result
  }

  /// Cuts a range of equal encoded lengths where its continuation bytes don't span their full range.
  private static func splitAtContinuation(_ low: UInt32, _ high: UInt32) -> [ClosedRange<UInt32>]? {
    for shift: UInt32 in [6, 12, 18] {
      let mask: UInt32 = (1 << shift) - 1
      guard low & ~mask != high & ~mask else { continue }
      if low & mask != 0 { return [low...(low | mask), (low | mask) + 1...high] }
      if high & mask != mask { return [low...(high & ~mask) - 1, (high & ~mask)...high] }
    }
    return nil
  }

  private static func encode(_ value: UInt32) -> [UInt8] {
    let tail = { (shift: UInt32) in UInt8(0x80 | (value >> shift & 0x3F)) }
    if value < 0x80 { return [UInt8(value)] }
    if value < 0x800 { return [UInt8(0xC0 | value >> 6), tail(0)] }
    if value < 0x10000 { return [UInt8(0xE0 | value >> 12), tail(6), tail(0)] }
    return [UInt8(0xF0 | value >> 18 & 0x07), tail(12), tail(6), tail(0)]
  }
}
