@testable import LintelQuery

enum OracleText {
  static func value(_ function: ScalarFunction, _ values: [Value]) -> Value {
    let texts = values.map { value -> [Unicode.Scalar] in
      guard case .bytes(let bytes) = value else { return [] }
      return Array(String(decoding: bytes, as: UTF8.self).unicodeScalars)
    }
    let bytes = values.map { value -> [UInt8] in if case .bytes(let bytes) = value { bytes } else { [] } }
    switch function {
    case .like: return .bool(like(texts[0], pattern(texts[1])))
    case .ilike: return .bool(like(lower(texts[0]), pattern(lower(texts[1]))))
    case .matches: return .bool(OracleRegex(texts[1]).matches(texts[0]))
    case .concat: return .bytes(bytes.flatMap(\.self))
    case .lower: return text(lower(texts[0]))
    case .upper: return text(texts[0].flatMap { $0.properties.uppercaseMapping.unicodeScalars })
    case .length: return .int64(Int64(texts[0].count))
    case .substring: return substring(texts[0], values)
    case .startsWith: return .bool(bytes[0].starts(with: bytes[1]))
    case .endsWith: return .bool(bytes[0].reversed().starts(with: bytes[1].reversed()))
    case .contains: return .bool(contains(bytes[0], bytes[1]))
    case .hasOrigin: return .bool(origins(bytes[0]).contains(bytes[1]))
    default: return .null
    }
  }

  private static func text(_ scalars: [Unicode.Scalar]) -> Value {
    .bytes(scalars.flatMap { Array(String($0).utf8) })
  }

  private static func lower(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
    scalars.flatMap { $0.properties.lowercaseMapping.unicodeScalars }
  }

  private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    part.count <= text.count && (0...text.count - part.count).contains { text[$0...].starts(with: part) }
  }

  private static func substring(_ scalars: [Unicode.Scalar], _ values: [Value]) -> Value {
    guard case .int64(let start) = values[1] else { return .null }
    var end = Int128(scalars.count) + 1
    if values.count > 2, case .int64(let count) = values[2] { end = Int128(start) + Int128(count) }
    return text(
      scalars.enumerated().filter { Int128($0.offset) + 1 >= Int128(start) && Int128($0.offset) + 1 < end }.map(
        \.element))
  }

  private static func origins(_ list: [UInt8]) -> [[UInt8]] {
    list.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(Array.init)
  }

  // MARK: LIKE

  private enum Element: Equatable {
    case anyRun
    case any
    case one(Unicode.Scalar)
  }

  private static func pattern(_ scalars: [Unicode.Scalar]) -> [Element] {
    var elements: [Element] = []
    var rest = scalars[...]
    while let scalar = rest.popFirst() {
      switch scalar {
      case "%": elements.append(.anyRun)
      case "_": elements.append(.any)
      case "\\": elements.append(.one(rest.popFirst() ?? "\\"))
      default: elements.append(.one(scalar))
      }
    }
    return elements
  }

  /// Which prefixes of the pattern match which prefixes of the text, one element after another.
  private static func like(_ text: [Unicode.Scalar], _ pattern: [Element]) -> Bool {
    var matched = [Bool](repeating: false, count: text.count + 1)
    matched[0] = true
    for element in pattern {
      var next = [Bool](repeating: false, count: text.count + 1)
      for end in 0...text.count {
        switch element {
        case .anyRun: next[end] = matched[...end].contains(true)
        case .any: next[end] = end > 0 && matched[end - 1]
        case .one(let scalar): next[end] = end > 0 && matched[end - 1] && text[end - 1] == scalar
        }
      }
      matched = next
    }
    return matched[text.count]
  }
}

/// Regular expressions by sets of positions: where may a match of the tree end that begins at one of these places.
struct OracleRegex {
  private indirect enum Node {
    case set([ClosedRange<Unicode.Scalar>], isNegated: Bool)
    case start
    case end
    case sequence([Node])
    case choice([Node])
    case repeated(Node, least: Int, most: Int?)
  }

  private var rest: ArraySlice<Unicode.Scalar>
  private var root: Node = .sequence([])

  init(_ pattern: [Unicode.Scalar]) {
    rest = pattern[...]
    root = choice()
  }

  func matches(_ text: [Unicode.Scalar]) -> Bool {
    !ends(root, Set(0...text.count), text).isEmpty
  }

  private func ends(_ node: Node, _ starts: Set<Int>, _ text: [Unicode.Scalar]) -> Set<Int> {
    switch node {
    case .set(let ranges, let isNegated):
      return Set(
        starts.filter { place in
          place < text.count && ranges.contains { $0.contains(text[place]) } != isNegated
        }
        .map { $0 + 1 })
    case .start: return starts.filter { $0 == 0 }
    case .end: return starts.filter { $0 == text.count }
    case .sequence(let nodes): return nodes.reduce(starts) { ends($1, $0, text) }
    case .choice(let nodes): return nodes.reduce(into: []) { $0.formUnion(ends($1, starts, text)) }
    case .repeated(let inner, let least, let most):
      var current = starts
      for _ in 0..<least { current = ends(inner, current, text) }
      var all = current
      var rounds = least
      while rounds < most ?? .max {
        current = ends(inner, current, text).subtracting(all)
        if current.isEmpty { break }
        all.formUnion(current)
        rounds += 1
      }
      return all
    }
  }

  // MARK: The subset of the syntax that the random patterns use

  private mutating func choice() -> Node {
    var branches = [sequence()]
    while rest.first == "|" {
      rest.removeFirst()
      branches.append(sequence())
    }
    return branches.count == 1 ? branches[0] : .choice(branches)
  }

  private mutating func sequence() -> Node {
    var items: [Node] = []
    while let scalar = rest.first, scalar != "|", scalar != ")" {
      rest.removeFirst()
      var item = atom(scalar)
      while let sign = rest.first, sign == "*" || sign == "+" || sign == "?" {
        rest.removeFirst()
        item = .repeated(item, least: sign == "+" ? 1 : 0, most: sign == "?" ? 1 : nil)
      }
      items.append(item)
    }
    return .sequence(items)
  }

  private mutating func atom(_ scalar: Unicode.Scalar) -> Node {
    switch scalar {
    case "(":
      let inner = choice()
      rest = rest.dropFirst()
      return inner
    case "[": return bracket()
    case ".": return .set(["\n"..."\n"], isNegated: true)
    case "^": return .start
    case "$": return .end
    case "\\":
      switch rest.popFirst() {
      case "d": return .set(["0"..."9"], isNegated: false)
      case "w": return .set(["0"..."9", "A"..."Z", "_"..."_", "a"..."z"], isNegated: false)
      case let other: return .set([(other ?? "\\")...(other ?? "\\")], isNegated: false)
      }
    default: return .set([scalar...scalar], isNegated: false)
    }
  }

  private mutating func bracket() -> Node {
    let isNegated = rest.first == "^"
    if isNegated { rest.removeFirst() }
    var ranges: [ClosedRange<Unicode.Scalar>] = []
    while let low = rest.popFirst(), low != "]" {
      if rest.first == "-" {
        rest.removeFirst()
        ranges.append(low...(rest.popFirst() ?? low))
      } else {
        ranges.append(low...low)
      }
    }
    return .set(ranges, isNegated: isNegated)
  }
}
