import LintelColumns
import Testing

@testable import LintelQuery

@Suite("LIKE") struct LikeTests {
  private func like(_ text: String, _ pattern: String) -> Bool {
    let compiled = LikePattern(Array(pattern.utf8))
    return Array(text.utf8).withUnsafeBufferPointer { compiled.matches($0) }
  }

  /// The plain twin: recursion over scalars.
  private func plain(_ text: ArraySlice<Unicode.Scalar>, _ pattern: ArraySlice<Unicode.Scalar>) -> Bool {
    guard let head = pattern.first else { return text.isEmpty }
    let rest = pattern.dropFirst()
    switch head {
    case "%": return plain(text, rest) || (!text.isEmpty && plain(text.dropFirst(), pattern))
    case "_": return !text.isEmpty && plain(text.dropFirst(), rest)
    case "\\":
      guard let literal = rest.first else { return text.first == "\\" && text.count == 1 }
      return text.first == literal && plain(text.dropFirst(), rest.dropFirst())
    default: return text.first == head && plain(text.dropFirst(), rest)
    }
  }

  @Test(arguments: 1...6) func agreesWithRecursion(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    let letters: [Unicode.Scalar] = ["a", "b", "é", "😀"]
    let signs: [Unicode.Scalar] = ["a", "b", "é", "😀", "%", "%", "_", "\\"]
    for _ in 0..<1000 {
      let text = (0..<Int.random(in: 0...8, using: &random)).map { _ in letters.randomElement(using: &random) ?? "a" }
      let pattern = (0..<Int.random(in: 0...7, using: &random)).map { _ in signs.randomElement(using: &random) ?? "a" }
      let (string, sign) = (String(String.UnicodeScalarView(text)), String(String.UnicodeScalarView(pattern)))
      #expect(like(string, sign) == plain(text[...], pattern[...]), "'\(string)' LIKE '\(sign)', seed \(seed)")
    }
  }

  @Test func longTextsTakeLittleTime() {
    let text = String(repeating: "a", count: 20_000)
    #expect(!like(text, String(repeating: "%a", count: 50) + "%b"))
  }
}

@Suite("Regular expressions") struct RegularExpressionTests {
  private func matches(_ text: String, _ pattern: String) throws -> Bool {
    var matcher = RegularExpression.Matcher(try RegularExpression(Array(pattern.utf8)))
    return Array(text.utf8).withUnsafeBufferPointer { matcher.matches($0) }
  }

  @Test(arguments: [
    ("abc", "b", true), ("abc", "^b", false), ("abc", "^abc$", true), ("abc", "c$", true), ("", "^$", true),
    ("", "", true), ("x", "", true), ("aaa", "^a{3}$", true), ("aaaa", "^a{3}$", false), ("aaaa", "^a{2,}$", true),
    ("aaaa", "^a{1,3}$", false), ("foo42", "\\d+$", true), ("foo", "\\d", false), ("a-b", "[a\\-]+-b", true),
    ("a.b", "a\\.b", true), ("axb", "a\\.b", false), ("é", "^.$", true), ("😀", "^[😀-😂]$", true), ("é", "^[^a]$", true),
    ("a\nb", "a.b", false), ("cat dog", "(cat|dog) (cat|dog)", true), ("cat cow", "(cat|dog) (?:cat|dog)$", false),
    ("HeLLo", "(?i)hello", true), ("hello", "HELLO", false), ("ab", "a|b|", true), ("]", "[]]", true),
    ("x{2", "x{2", true), ("color colour", "colou?r$", true), ("aXbXc", "a.*?c", true), ("tab\t", "\\t", true),
    ("A", "\\x41", true), ("_", "\\W", false), (" ", "\\s", true), ("ab12", "^\\w+$", true), ("b", "^(a|)b$", true),
    ("ab", "a$b", false), ("ab", "a^b", false), ("x", "(^x|y)$", true),
    ("~\u{7FF}\u{800}", "[\u{7FE}-\u{801}]{2}", true),
  ])
  func known(_ text: String, _ pattern: String, _ expected: Bool) throws {
    #expect(try matches(text, pattern) == expected, "'\(text)' ~ '\(pattern)'")
  }

  @Test(arguments: ["(", ")", "a)", "[", "[a", "*", "a**", "a{3,2}", "a{2000}", "\\", "\\q", "(?=a)", "[b-a]", "\\x4"])
  func malformed(_ pattern: String) {
    #expect(throws: RegularExpression.PatternError.self) { try RegularExpression(Array(pattern.utf8)) }
  }

  @Test func hugeAutomataAreRefused() {
    #expect(throws: RegularExpression.PatternError.self) {
      try RegularExpression(Array("((a{100}){100}){100}".utf8))
    }
    #expect(throws: RegularExpression.PatternError.self) {
      try RegularExpression(Array(String(repeating: "(", count: 100_000).utf8))
    }
  }

  @Test func patternsThatBlowUpBacktrackersDont() throws {
    #expect(try !matches(String(repeating: "a", count: 5_000), "^(a+)+$b"))
    #expect(try !matches(String(repeating: "a", count: 5_000), "(a|a)*(a|aa)+(a?){20}b"))
  }

  /// The plain twin: sets of end positions over a tree of scalars.
  private func ends(_ tree: RegularExpressionTree, _ text: [Unicode.Scalar], _ start: Int) -> Set<Int> {
    switch tree {
    case .empty: return [start]
    case .startOfText: return start == 0 ? [0] : []
    case .endOfText: return start == text.count ? [start] : []
    case .scalars(let ranges):
      guard start < text.count, ranges.contains(where: { $0.contains(text[start].value) }) else { return [] }
      return [start + 1]
    case .sequence(let items):
      return items.reduce([start]) { starts, item in
        starts.reduce(into: []) { $0.formUnion(ends(item, text, $1)) }
      }
    case .alternatives(let branches): return branches.reduce(into: []) { $0.formUnion(ends($1, text, start)) }
    case .repeated(let item, let low, let high):
      var current: Set<Int> = [start]
      var all: Set<Int> = low == 0 ? [start] : []
      for round in 1...max(1, min(high ?? 30, 30)) where high != 0 {
        current = current.reduce(into: []) { $0.formUnion(ends(item, text, $1)) }
        if round >= low { all.formUnion(current) }
      }
      return all
    }
  }

  @Test(arguments: 1...6) func agreesWithSetsOfPositions(_ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let pieces = [
      "a", "b", "é", ".", "[ab]", "[^a]", "(a|b)", "(é|)", "^", "$", "a*", "b+", "(ab)?", "b{2}", "[^é]{1,2}", "|",
    ]
    for _ in 0..<400 {
      let pattern = (0..<Int.random(in: 1...5, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "a" }
        .joined()
      var parser = RegularExpressionParser(Array(pattern.utf8))
      let tree = try parser.parse()
      for _ in 0..<10 {
        let scalars = (0..<Int.random(in: 0...6, using: &random)).map { _ in
          (["a", "b", "é", "\n"] as [Unicode.Scalar]).randomElement(using: &random) ?? "a"
        }
        let text = String(String.UnicodeScalarView(scalars))
        let expected = (0...scalars.count).contains { !ends(tree, scalars, $0).isEmpty }
        #expect(try matches(text, pattern) == expected, "'\(text)' ~ '\(pattern)', seed \(seed)")
      }
    }
  }
}

@Suite("Encoded variants") struct EncodedVariantTests {
  @Test func elementsOfMaps() throws {
    let map = Variant.map([
      .init("a", .int(1)), .init("b", .array([.string("x"), .map([.init("a", .bool(true))])])), .init("a", .int(2)),
    ])
    var encoded: [UInt8] = []
    map.encode(into: &encoded)
    encoded.withUnsafeBufferPointer { bytes in
      let key: (String) -> Variant? = { name in
        Array(name.utf8).withUnsafeBufferPointer { name in
          EncodedVariant.element(bytes, key: name).flatMap { try? Variant(decoding: Array($0)) }
        }
      }
      #expect(key("a") == .int(2))
      #expect(key("b") == .array([.string("x"), .map([.init("a", .bool(true))])]))
      #expect(key("c") == nil)
    }
  }

  /// Any bytes: no trap, no endless loop.
  @Test(arguments: 1...50) func garbageIsHarmless(_ seed: UInt64) {
    var random = SeededGenerator(seed)
    for _ in 0..<200 {
      let bytes = (0..<Int.random(in: 0...20, using: &random)).map { _ in
        UInt8.random(in: 0...(Bool.random(using: &random) ? 9 : 255), using: &random)
      }
      bytes.withUnsafeBufferPointer { bytes in
        _ = EncodedVariant.scalar(bytes)
        _ = EncodedVariant.element(bytes, key: UnsafeBufferPointer(rebasing: bytes.prefix(1)))
        _ = EncodedVariant.element(bytes, at: 1)
        var key: [UInt8] = []
        SortOrder.appendVariantKey(bytes, to: &key)
      }
    }
  }
}
