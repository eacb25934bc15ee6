import LintelQuery

/// What Tab offers: names of the language and of the store.
struct Completion: Sendable {
  enum Answer: Equatable {
    case nothing
    /// Replace the last characters by this.
    case replace(count: Int, with: String)
    /// Nothing more is common to these.
    case choose([String])
  }

  var keywords: [String] = SpanQL.keywords
  var functions: [String] = SpanQL.functions
  var tables: [String] = ["spans"]
  var columns: [String] = []
  var attributes: [String] = []

  /// More candidates than this are cut.
  static let maximumShown = 200

  /// - Parameter line: The line up to the cursor.
  func answer(_ line: String) -> Answer {
    let (prefix, candidates) = self.candidates(line)
    let matching = Array(Set(candidates.filter { Self.folded($0).hasPrefix(Self.folded(prefix)) })).sorted()
    guard let first = matching.first else { return .nothing }
    let common = matching.dropFirst().reduce(first) { Self.commonPrefix($0, $1) }
    if matching.count == 1 { return .replace(count: prefix.count, with: Self.ended(first)) }
    if common.count > prefix.count { return .replace(count: prefix.count, with: common) }
    return .choose(matching)
  }

  /// The word before the cursor and what may stand there.
  private func candidates(_ line: String) -> (prefix: String, [String]) {
    if DotCommand.matches(line) { return dotCandidates(line) }
    if let key = Self.attributePrefix(line) { return (key, attributes.map { $0 + "']" }) }
    let prefix = String(line.reversed().prefix { Self.isWordCharacter($0) }.reversed())
    let before = line.dropLast(prefix.count)
    let previous = before.split { !Self.isWordCharacter($0) }.last?.uppercased() ?? ""
    if ["FROM", "DESCRIBE", "EXPORT", "OPTIMIZE"].contains(previous), before.last?.isWhitespace == true {
      return (prefix, tables)
    }
    guard !prefix.isEmpty else { return ("", []) }
    let isLower = prefix.contains { $0.isLowercase }
    let words = isLower ? keywords.map { $0.lowercased() } : keywords
    let attributeLists = ["attributes['", "resource_attributes['", "scope_attributes['"]
    return (prefix, words + functions.map { $0 + "(" } + columns + tables + attributeLists)
  }

  private func dotCandidates(_ line: String) -> (prefix: String, [String]) {
    let words = line.split(separator: " ", omittingEmptySubsequences: false)
    let prefix = String(words.last ?? "")
    guard words.count > 1 else { return (prefix, DotCommand.allCases.map { "." + $0.rawValue }) }
    switch words.first {
    case ".mode": return (prefix, ResultFormat.allCases.map(\.rawValue))
    case ".schema": return (prefix, tables)
    case ".timer": return (prefix, ["on", "off"])
    default: return (prefix, [])
    }
  }

  /// The begun key when the cursor stands in `attributes['...`.
  static func attributePrefix(_ line: String) -> String? {
    guard let quote = line.lastIndex(of: "'") else { return nil }
    let before = line[..<quote]
    guard before.hasSuffix("["), before.dropLast().lowercased().hasSuffix("attributes") else { return nil }
    return String(line[line.index(after: quote)...])
  }

  /// A finished word gets a space, unless it goes on.
  private static func ended(_ word: String) -> String {
    guard let last = word.last, isWordCharacter(last) else { return word }
    return word + " "
  }

  private static func isWordCharacter(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "_")
  }

  private static func folded(_ text: String) -> String { text.lowercased() }

  private static func commonPrefix(_ left: String, _ right: String) -> String {
    String(zip(left, right).prefix { folded(String($0)) == folded(String($1)) }.map(\.0))
  }

  /// Candidates side by side, as many as fit.
  static func inColumns(_ candidates: [String], width: Int) -> String {
    let shown = candidates.prefix(maximumShown)
    let cell = (shown.map { ResultText.cells($0) }.max() ?? 0) + 2
    let perLine = max(1, width / cell)
    let lineCount = (shown.count + perLine - 1) / perLine
    var text = ""
    for line in 0..<lineCount {
      let row = stride(from: line, to: shown.count, by: lineCount).map { index in
        let word = ResultText.visible(shown[index])
        return word + String(repeating: " ", count: max(0, cell - ResultText.cells(word)))
      }
      text += row.joined() + "\n"
    }
    return candidates.count > shown.count ? text + "… and \(candidates.count - shown.count) more\n" : text
  }
}
