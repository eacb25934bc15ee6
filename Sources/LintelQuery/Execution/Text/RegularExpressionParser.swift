/// Recursive descent over the pattern's scalars, with a limit on nesting.
struct RegularExpressionParser {
  typealias PatternError = RegularExpression.PatternError
  typealias Tree = RegularExpressionTree

  private let scalars: [Unicode.Scalar]
  private var position = 0
  private(set) var ignoresCase = false

  init(_ pattern: [UInt8]) {
    scalars = Array(String(decoding: pattern, as: UTF8.self).unicodeScalars)
  }

  mutating func parse() throws(PatternError) -> Tree {
    if scalars.starts(with: "(?i)".unicodeScalars) {
      ignoresCase = true
      position = 4
    }
    let tree = try alternatives(depth: 0)
    guard position == scalars.count else { throw failure("unmatched )") }
    return tree
  }

  private func failure(_ message: String) -> PatternError {
    let offset = scalars.prefix(position).reduce(0) { $0 + UTF8.width($1) }
    return PatternError(message: message, offset: offset)
  }

  private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard next == scalar else { return false }
    position += 1
    return true
  }

  private mutating func alternatives(depth: Int) throws(PatternError) -> Tree {
    guard depth <= RegularExpression.maximumNesting else { throw failure("groups are nested too deeply") }
    var branches = [try sequence(depth: depth)]
    while take("|") { branches.append(try sequence(depth: depth)) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func sequence(depth: Int) throws(PatternError) -> Tree {
    var items: [Tree] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      let atom = try atom(depth: depth)
      items.append(try repeated(atom))
    }
    return items.count == 1 ? items[0] : items.isEmpty ? .empty : .sequence(items)
  }

  private mutating func repeated(_ atom: Tree) throws(PatternError) -> Tree {
    var tree = atom
    while let scalar = next {
      switch scalar {
      case "*": tree = .repeated(tree, min: 0, max: nil)
      case "+": tree = .repeated(tree, min: 1, max: nil)
      case "?": tree = .repeated(tree, min: 0, max: 1)
      case "{":
        guard let bounds = try bounds() else { return tree }
        tree = .repeated(tree, min: bounds.min, max: bounds.max)
        _ = take("?")
        continue
      default: return tree
      }
      position += 1
      _ = take("?")
      guard next != "*", next != "+" else { throw failure("nothing to repeat") }
    }
    return tree
  }

  /// `{m}`, `{m,}` or `{m,n}`; anything else after a brace is the brace itself (`nil`, taken by `atom`).
  private mutating func bounds() throws(PatternError) -> (min: Int, max: Int?)? {
    let start = position
    position += 1
    guard let low = number() else {
      position = start
      return nil
    }
    var high: Int? = low
    if take(",") { high = next == "}" ? nil : number() ?? -1 }
    guard take("}"), high != -1 else {
      position = start
      return nil
    }
    guard low <= RegularExpression.maximumRepeat, high ?? 0 <= RegularExpression.maximumRepeat else {
      throw failure("repeat counts are limited to \(RegularExpression.maximumRepeat)")
    }
    guard low <= high ?? .max else { throw failure("the repeat counts are in the wrong order") }
    return (low, high)
  }

  private mutating func number() -> Int? {
    var value: Int?
    while let scalar = next, ("0"..."9").contains(scalar), value ?? 0 < 1_000_000 {
      value = (value ?? 0) * 10 + Int(scalar.value - 48)
      position += 1
    }
    return value
  }

  private mutating func atom(depth: Int) throws(PatternError) -> Tree {
    guard let scalar = next else { return .empty }
    position += 1
    switch scalar {
    case "(":
      if take("?") { guard take(":") else { throw failure("only (?: may follow a ( with ?") } }
      let tree = try alternatives(depth: depth + 1)
      guard take(")") else { throw failure("a ( is not closed") }
      return tree
    case "[": return .scalars(try bracket())
    case ".": return .scalars(ScalarRanges.complement([10...10]))
    case "^": return .startOfText
    case "$": return .endOfText
    case "*", "+", "?":
      position -= 1
      throw failure("nothing to repeat")
    case "\\": return .scalars(try escape())
    default: return .scalars([scalar.value...scalar.value])
    }
  }

  private mutating func escape() throws(PatternError) -> [ClosedRange<UInt32>] {
    guard let scalar = next else { throw failure("the pattern ends with a backslash") }
    position += 1
    switch scalar {
    case "d": return ScalarRanges.digits
    case "D": return ScalarRanges.complement(ScalarRanges.digits)
    case "w": return ScalarRanges.word
    case "W": return ScalarRanges.complement(ScalarRanges.word)
    case "s": return ScalarRanges.space
    case "S": return ScalarRanges.complement(ScalarRanges.space)
    case "n": return [10...10]
    case "t": return [9...9]
    case "r": return [13...13]
    case "f": return [12...12]
    case "v": return [11...11]
    case "0": return [0...0]
    case "x":
      guard position + 2 <= scalars.count, let value = hex(scalars[position]), let low = hex(scalars[position + 1])
      else {
        throw failure("two hex digits must follow \\x")
      }
      position += 2
      return [value << 4 | low...value << 4 | low]
    default:
      let isWord = ScalarRanges.word.contains { $0.contains(scalar.value) }
      guard !isWord || scalar == "_" else { throw failure("unknown escape \\\(scalar)") }
      return [scalar.value...scalar.value]
    }
  }

  private func hex(_ scalar: Unicode.Scalar) -> UInt32? {
    scalar.isASCII ? Character(scalar).hexDigitValue.map(UInt32.init) : nil
  }

  private mutating func bracket() throws(PatternError) -> [ClosedRange<UInt32>] {
    let isNegated = take("^")
    var ranges: [ClosedRange<UInt32>] = []
    var isFirst = true
    while true {
      guard let scalar = next else { throw failure("a [ is not closed") }
      position += 1
      if scalar == "]", !isFirst { break }
      isFirst = false
      var low = [scalar.value...scalar.value]
      if scalar == "\\" { low = try escape() }
      guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]", low.count == 1,
        low[0].lowerBound == low[0].upperBound
      else {
        ranges += low
        continue
      }
      position += 1
      let end = scalars[position]
      position += 1
      var high = [end.value...end.value]
      if end == "\\" { high = try escape() }
      guard high.count == 1, high[0].lowerBound == high[0].upperBound, low[0].lowerBound <= high[0].lowerBound else {
        throw failure("a range of a class is in the wrong order")
      }
      ranges.append(low[0].lowerBound...high[0].lowerBound)
    }
    let merged = ScalarRanges.normalized(ranges)
    return isNegated ? ScalarRanges.complement(merged) : merged
  }
}

/// Sets of Unicode scalars as sorted, disjoint ranges.
enum ScalarRanges {
  static let digits: [ClosedRange<UInt32>] = [48...57]
  static let word: [ClosedRange<UInt32>] = [48...57, 65...90, 95...95, 97...122]
  static let space: [ClosedRange<UInt32>] = [9...13, 32...32]

  static func normalized(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = result.last, range.lowerBound <= last.upperBound + 1 {
        result[result.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        result.append(range)
      }
    }
    return result
  }

  static func complement(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    var start: UInt32 = 0
    for range in ranges {
      if range.lowerBound > start { result.append(start...range.lowerBound - 1) }
      start = range.upperBound + 1
    }
    if start <= 0x10FFFF { result.append(start...0x10FFFF) }
    return result
  }

  /// With the other case of every ASCII letter in the set.
  static func ignoringCase(_ ranges: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var result = ranges
    for letter in UInt32(65)...90 {
      let isIn = { (value: UInt32) in ranges.contains { $0.contains(value) } }
      if isIn(letter) { result.append(letter + 32...letter + 32) }
      if isIn(letter + 32) { result.append(letter...letter) }
    }
    return normalized(result)
  }
}
