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
    let (positions, groupCount) = positions(first, rest)
    guard groupCount >= leastMatches else { return nil }
    var template = StringTemplate()
    var start = 0
    while start < first.count {
      let isConstant = positions[start] & Position.varies == 0
      var end = start
      var seen: UInt8 = 0
      while end < first.count, (positions[end] & Position.varies == 0) == isConstant {
        seen |= positions[end]
        end += 1
      }
      if isConstant {
        template.append(.literal([UInt8](first[start..<end])))
      } else {
        guard seen & Position.letters != Position.letters else { return nil }
        // That so many hexadecimal digits are all below ten by chance is out of the question.
        let isDecimal = seen & Position.letters == 0 && groupCount * (end - start) >= 40
        template.append(
          isDecimal
            ? .fixedDecimal(digits: end - start)
            : .hex(digits: end - start, isUpper: seen & Position.upper != 0))
      }
      start = end
    }
    return template
  }

  /// What the strings of a group have at a position.
  private enum Position {
    static let varies: UInt8 = 1
    static let lower: UInt8 = 2
    static let upper: UInt8 = 4
    static let letters = lower | upper
  }

  /// What there is at each position of the strings shaped like the first, and how many those are.
  private static func positions(
    _ first: UnsafeRawBufferPointer, _ rest: [UnsafeRawBufferPointer]
  ) -> ([UInt8], groupCount: Int) {
    var positions = [UInt8](repeating: 0, count: first.count)
    var count = 0
    positions.withUnsafeMutableBufferPointer { positions in
      for string in rest where hasShape(of: first, string) {
        count += 1
        for index in 0..<first.count {
          let byte = string[index]
          var seen: UInt8 = byte == first[index] ? 0 : Position.varies
          if byte > UInt8(ascii: "9") { seen |= byte >= UInt8(ascii: "a") ? Position.lower : Position.upper }
          positions[index] |= seen
        }
      }
    }
    return (positions, count)
  }

  private static func hasShape(of first: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    guard first.count == other.count else { return false }
    for index in 0..<first.count where first[index] != other[index] {
      if Hex.value(first[index]) == nil || Hex.value(other[index]) == nil { return false }
    }
    return true
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") <= 9 }
}
