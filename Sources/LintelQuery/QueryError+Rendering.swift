extension QueryError {
  /// The error for people: what is wrong and where, the line with a caret under the place, and the hint.
  ///
  ///     error: there is no column requst_model in spans at line 1, column 8
  ///       SELECT requst_model FROM spans
  ///              ^
  ///     did you mean request_model?
  ///
  /// - Parameter text: the query that failed, as it was given to the parser.
  public func rendered(in text: String) -> String {
    guard let offset else { return "error: \(message)" + hintLine }
    let place = TextPlace(offset: offset, in: text)
    return """
      error: \(message) at line \(place.line), column \(place.column)
        \(place.excerpt)
        \(String(repeating: " ", count: place.caret))^
      """ + hintLine
  }

  private var hintLine: String { hint.map { "\n" + $0 } ?? "" }
}

/// A place in a text as people count: lines and columns from 1, columns in characters.
struct TextPlace {
  /// Characters of a line that are shown around the place.
  static let excerptWidth = 100

  let line: Int
  let column: Int
  /// The line, cut at either side where it is long.
  let excerpt: String
  /// Characters of the excerpt before the place.
  let caret: Int

  init(offset: Int, in text: String) {
    let bytes = text.utf8
    let index = bytes.index(bytes.startIndex, offsetBy: max(0, min(offset, bytes.count)))
    let before = bytes[..<index]
    line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map(bytes.index(after:)) ?? bytes.startIndex
    let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
    let left = Self.characters(bytes[start..<index])
    let right = Self.characters(bytes[index..<end])
    column = left.count + 1
    let room = Self.excerptWidth
    var shown = left
    if left.count + right.count > room, left.count > room / 2 { shown = ["…"] + left.suffix(room / 2) }
    let tail = right.count > room - shown.count ? right.prefix(max(1, room - shown.count)) + ["…"] : right[...]
    excerpt = String(shown + tail)
    caret = shown.count
  }

  /// Characters, with control characters as spaces so that the caret stands where it should.
  private static func characters(_ bytes: Substring.UTF8View) -> [Character] {
    String(decoding: bytes, as: UTF8.self).map { character in
      character.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control } ? character : " "
    }
  }
}
