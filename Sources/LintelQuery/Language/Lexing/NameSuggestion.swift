/// Finds the name that someone probably meant.
enum NameSuggestion {
  /// The candidate with the fewest edits from `name`, if few enough; the first by name among equals.
  static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
    let wanted = Array(Keywords.folded(name).unicodeScalars.prefix(maximumLength))
    guard !wanted.isEmpty else { return nil }
    let limit = max(1, wanted.count / 3)
    var best: (distance: Int, name: String)?
    for candidate in candidates {
      let folded = Array(Keywords.folded(candidate).unicodeScalars.prefix(maximumLength))
      guard abs(folded.count - wanted.count) <= limit else { continue }
      let distance = self.distance(wanted, folded)
      guard distance <= limit else { continue }
      if let best, (best.distance, best.name) <= (distance, candidate) { continue }
      best = (distance, candidate)
    }
    return best?.name
  }

  /// "did you mean x?", where there is a near name.
  static func hint(for name: String, among candidates: some Sequence<String>) -> String? {
    nearest(to: name, among: candidates).map { "did you mean \($0)?" }
  }

  private static let maximumLength = 64

  /// Edits (insert, delete, replace, swap of neighbours) between two words.
  static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast = [Int](repeating: 0, count: right.count + 1)
    var last = Array(0...right.count)
    for i in 0..<left.count {
      var row = [i + 1]
      for j in 0..<right.count {
        var least = min(row[j] + 1, last[j + 1] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { least = min(least, beforeLast[j - 1] + 1) }
        row.append(least)
      }
      beforeLast = last
      last = row
    }
    return last[right.count]
  }
}
