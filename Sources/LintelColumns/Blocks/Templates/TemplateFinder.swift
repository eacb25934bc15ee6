/// Finds the templates of a sample of strings.
enum TemplateFinder {
  static let maximumTemplates = 8
  /// Strings that a template must stand for, and that a look at single positions needs.
  private static let leastMatches = 8

  private static let longestString = 256

  /// Templates that together stand for at least seven in eight of the strings; none where there are no such.
  static func find(_ sample: [UnsafeRawBufferPointer]) -> [StringTemplate] {
    var rest = sample
    var templates: [StringTemplate] = []
    let allowed = sample.count / 8
    var given = 0
    while rest.count > allowed &- given, let first = rest.first {
      guard templates.count < maximumTemplates, let (template, others) = best(for: first, rest) else {
        // A string like no other.
        given += 1
        if given > allowed { return [] }
        rest.removeFirst()
        continue
      }
      templates.append(template)
      rest = others
    }
    return templates
  }

  /// The template of `first` that most of `rest` share, and those that don't share it.
  private static func best(
    for first: UnsafeRawBufferPointer, _ rest: [UnsafeRawBufferPointer]
  ) -> (StringTemplate, others: [UnsafeRawBufferPointer])? {
    var best: (StringTemplate, others: [UnsafeRawBufferPointer])?
    for candidate in [byNumbers(first, rest), byPositions(first, rest)] {
      guard let candidate, candidate.pieces.count <= StringTemplate.maximumPieces, candidate.fieldCount > 0 else {
        continue
      }
      let others = TemplateMachines.others(candidate, rest)
      // Of two that stand for as many, the first also takes numbers of other lengths.
      if rest.count - others.count >= leastMatches, others.count < best?.others.count ?? .max {
        best = (candidate, others)
      }
    }
    return best
  }

  /// Literals with decimal numbers between them: all runs of digits are numbers.
  private static func byNumbers(
    _ first: UnsafeRawBufferPointer, _ rest: [UnsafeRawBufferPointer]
  ) -> StringTemplate? {
    guard first.count <= longestString else { return nil }
    var literals: [[UInt8]] = [[]]
    var runs: [Range<Int>] = []
    for (index, byte) in first.enumerated() {
      if isDigit(byte) {
        if let last = runs.last, last.upperBound == index {
          runs[runs.count - 1] = last.lowerBound..<(index + 1)
        } else {
          runs.append(index..<(index + 1))
          literals.append([])
        }
      } else {
        literals[literals.count - 1].append(byte)
      }
    }
    guard !runs.isEmpty, runs.count * 2 < StringTemplate.maximumPieces else { return nil }
    // Numbers that have leading zeros in some strings have a fixed number of digits.
    func template(_ isFixed: Bool) -> StringTemplate {
      var template = StringTemplate()
      for (index, run) in runs.enumerated() {
        if !literals[index].isEmpty { template.append(.literal(literals[index])) }
        template.append(isFixed ? .fixedDecimal(digits: run.count) : .decimal)
      }
      if let last = literals.last, !last.isEmpty { template.append(.literal(last)) }
      return template
    }
    let (free, fixed) = (template(false), template(true))
    guard fixed.pieces.count <= StringTemplate.maximumPieces else { return free }
    let (freeOthers, fixedOthers) = (TemplateMachines.others(free, rest), TemplateMachines.others(fixed, rest))
    return fixedOthers.count < freeOthers.count ? fixed : free
  }

  /// Looks at each position of the strings that are shaped like the first: as long, with hexadecimal digits in the same
  /// places and the same bytes elsewhere.
  private static func byPositions(
    _ first: UnsafeRawBufferPointer, _ rest: [UnsafeRawBufferPointer]
  ) -> StringTemplate? {
    guard first.count > 0, first.count <= longestString else { return nil }
    let group = rest.filter { hasShape(of: first, $0) }
    guard group.count >= leastMatches else { return nil }
    var template = StringTemplate()
    var position = 0
    while position < first.count {
      let isLiteral = isConstant(group, position)
      var end = position + 1
      while end < first.count, isConstant(group, end) == isLiteral { end += 1 }
      if isLiteral {
        template.append(.literal([UInt8](first[position..<end])))
      } else {
        guard let field = field(group, position..<end) else { return nil }
        template.append(field)
      }
      position = end
    }
    return template
  }

  /// The field that all strings have at these positions.
  private static func field(_ group: [UnsafeRawBufferPointer], _ range: Range<Int>) -> StringTemplate.Piece? {
    var lower = 0
    var upper = 0
    for string in group {
      for byte in string[range] where !isDigit(byte) {
        if byte >= UInt8(ascii: "a") { lower += 1 } else { upper += 1 }
      }
    }
    if lower > 0, upper > 0 { return nil }
    // That so many hexadecimal digits are all below ten by chance is out of the question.
    if lower + upper == 0, group.count * range.count >= 40 { return .fixedDecimal(digits: range.count) }
    return .hex(digits: range.count, isUpper: upper > 0)
  }

  private static func hasShape(of first: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    guard first.count == other.count else { return false }
    for index in 0..<first.count {
      let isHex = Hex.value(first[index]) != nil
      if isHex ? Hex.value(other[index]) == nil : other[index] != first[index] { return false }
    }
    return true
  }

  private static func isConstant(_ group: [UnsafeRawBufferPointer], _ position: Int) -> Bool {
    group.allSatisfy { $0[position] == group[0][position] }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
}
