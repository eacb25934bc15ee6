import Glibc

/// A LIKE pattern: `%` any bytes, `_` one Unicode scalar, backslash takes the next byte as it is.
///
/// Compiled into literal runs between the `%`s; matching is iterative and needs no more than
/// (length of the text) x (length of the pattern) steps.
struct LikePattern {
  private enum Element: Equatable {
    case byte(UInt8)
    case anyScalar
  }

  /// Runs between `%`s; a pattern without `%` is a single run.
  private var runs: [[Element]] = []
  /// The same where a run has no `_`, for memmem.
  private var literals: [[UInt8]?] = []
  private var startsAnywhere = false
  private var endsAnywhere = false
  private var hasPercent = false

  init(_ pattern: some Collection<UInt8>) {
    var run: [Element] = []
    var isEscaped = false
    var isFirst = true
    for byte in pattern {
      if isEscaped {
        run.append(.byte(byte))
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "%") {
        if isFirst { startsAnywhere = true }
        hasPercent = true
        endsAnywhere = true
        if !run.isEmpty || isFirst { close(&run, keepEmpty: false) }
        isFirst = false
        continue
      } else if byte == UInt8(ascii: "_") {
        run.append(.anyScalar)
      } else {
        run.append(.byte(byte))
      }
      isFirst = false
      endsAnywhere = false
    }
    if isEscaped {
      run.append(.byte(UInt8(ascii: "\\")))
      endsAnywhere = false
    }
    close(&run, keepEmpty: !hasPercent)
  }

  private mutating func close(_ run: inout [Element], keepEmpty: Bool) {
    guard !run.isEmpty || keepEmpty else { return }
    var bytes: [UInt8]? = []
    for element in run {
      if case .byte(let byte) = element { bytes?.append(byte) } else { bytes = nil }
    }
    runs.append(run)
    literals.append(bytes)
    run = []
  }

  /// The bytes that are looked for anywhere, where the pattern says no more than that.
  var onlyLiteral: [UInt8]? {
    startsAnywhere && endsAnywhere && runs.count == 1 ? literals[0] : nil
  }

  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard hasPercent else { return runs.first.map { match($0, text, 0) == text.count } ?? text.isEmpty }
    var position = 0
    var first = 0
    var last = runs.count
    if !startsAnywhere, last > 0 {
      guard let end = match(runs[0], text, 0) else { return false }
      position = end
      first = 1
    }
    if !endsAnywhere, last > first { last -= 1 }
    for index in first..<last {
      guard let end = find(index, text, from: position) else { return false }
      position = end
    }
    return endsAnywhere || last == runs.count || matchesEnd(runs[last], text, from: position)
  }

  /// Where the run ends when it matches at `start`.
  private func match(_ run: [Element], _ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    var position = start
    for element in run {
      guard position < text.count else { return nil }
      switch element {
      case .byte(let byte):
        guard text[position] == byte else { return nil }
        position += 1
      case .anyScalar:
        position += 1
        while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
      }
    }
    return position
  }

  /// The end of the first match of run `index` at or after `start`.
  private func find(_ index: Int, _ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    if let literal = literals[index] { return find(literal, text, from: start) }
    var position = start
    while position <= text.count {
      if let end = match(runs[index], text, position) { return end }
      position += 1
      while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
    }
    return nil
  }

  private func find(_ literal: [UInt8], _ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard let base = text.baseAddress, text.count - start >= literal.count else { return literal.isEmpty ? start : nil }
    return findBytes(literal, UnsafeBufferPointer(start: base + start, count: text.count - start))
      .map { start + $0 + literal.count }
  }

  /// Whether the text from `start` on ends with the run. Runs have a fixed number of scalars, so walk back that many.
  private func matchesEnd(_ run: [Element], _ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Bool {
    var position = text.count
    for element in run.reversed() {
      guard position > start else { return false }
      switch element {
      case .byte(let byte):
        guard text[position - 1] == byte else { return false }
        position -= 1
      case .anyScalar:
        position -= 1
        while position > start, text[position] & 0xC0 == 0x80 { position -= 1 }
        if text[position] & 0xC0 == 0x80 { return false }
      }
    }
    return position >= start
  }
}

/// Where `needle` first occurs in `text`.
func findBytes(_ needle: [UInt8], _ text: UnsafeBufferPointer<UInt8>) -> Int? {
  guard let first = needle.first else { return 0 }
  guard let base = text.baseAddress, text.count >= needle.count else { return nil }
  return needle.withUnsafeBytes { needle -> Int? in
    guard let pattern = needle.baseAddress else { return 0 }
    let last = text.count - needle.count
    var position = 0
    while position <= last, let hit = memchr(base + position, Int32(first), last - position + 1) {
      position = UnsafeRawPointer(hit) - UnsafeRawPointer(base)
      if memcmp(hit, pattern, needle.count) == 0 { return position }
      position += 1
    }
    return nil
  }
}
