import LintelColumns

/// Text functions over vectors of byte strings.
enum Text {
  static func test(_ function: ScalarFunction, _ text: Vector, _ other: Vector) -> Vector {
    let flags = text.withBytes { a in
      other.withBytes { b in
        makeLanes(text.count) { lane in
          let (whole, piece) = (a[lane], b[lane])
          guard piece.count <= whole.count else { return false }
          switch function {
          case .startsWith: return equalBytes(UnsafeBufferPointer(rebasing: whole.prefix(piece.count)), piece)
          case .endsWith: return equalBytes(UnsafeBufferPointer(rebasing: whole.suffix(piece.count)), piece)
          default: return findBytes(Array(piece), whole) != nil
          }
        }
      }
    }
    return Vector(.bool(flags), validity: bothValid(text.validity, other.validity))
  }

  /// A string for each lane, appended to by `add` for each operand; null where one of the operands is.
  private static func join(
    _ operands: [Vector], _ interrupt: Interrupt, begin: (inout [UInt8]) -> Void,
    add: (UnsafeBufferPointer<UInt8>, inout [UInt8]) -> Void
  ) throws(ExecutionFailure) -> Vector {
    let count = operands.first?.count ?? 0
    let texts = operands.map(OperandText.init)
    var builder = BytesBuilder(capacity: count)
    var buffer: [UInt8] = []
    var total = 0
    // A lane of a thousand operands is long.
    var left = Interrupt.interval
    for lane in 0..<count {
      left -= texts.count
      if left < 0 {
        try interrupt.check()
        left = Interrupt.interval
      }
      guard operands.allSatisfy({ $0.isValid(lane) }) else {
        builder.appendNull()
        continue
      }
      buffer.removeAll(keepingCapacity: true)
      begin(&buffer)
      for text in texts { text.withBytes(of: lane) { add($0, &buffer) } }
      total += buffer.count
      guard total <= maximumBytes else {
        throw .query(
          QueryError(.limitExceeded, "the texts that a function makes of one block take over \(maximumBytes) bytes"))
      }
      left -= buffer.count / 16
      builder.append(buffer)
    }
    return builder.finish()
  }

  /// Of the texts of one vector.
  private static let maximumBytes = 1 << 30

  /// An operand's strings by lane, whether they are coded or not.
  private struct OperandText {
    private var strings = ByteStrings()
    private var codes: [UInt32]?

    init(_ vector: Vector) {
      switch vector.lanes {
      case .bytes(let values): strings = values
      case .codes(let lanes, let dictionary):
        if case .bytes(let values) = dictionary.values { (strings, codes) = (values, lanes) }
      default: break
      }
    }

    /// A valid lane has an entry.
    func withBytes(of lane: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
      let entry = codes.map { Int($0[lane]) } ?? lane
      if entry < strings.count { strings.withView { body($0[entry]) } }
    }
  }

  static func concat(_ operands: [Vector], _ interrupt: Interrupt) throws(ExecutionFailure) -> Vector {
    try join(operands, interrupt) { _ in
    } add: { text, buffer in
      buffer.append(contentsOf: text)
    }
  }

  /// The variant array of the operands' strings.
  static func array(_ operands: [Vector], _ interrupt: Interrupt) throws(ExecutionFailure) -> Vector {
    try join(operands, interrupt) { buffer in
      buffer.append(7)
      EncodedVariant.appendVarint(UInt64(operands.count), to: &buffer)
    } add: { text, buffer in
      EncodedVariant.appendBytes(text, tag: 5, to: &buffer)
    }
  }

  static func changeCase(_ text: Vector, upper: Bool) -> Vector {
    var builder = BytesBuilder(capacity: text.count)
    var buffer: [UInt8] = []
    text.withBytes { view in
      for lane in 0..<text.count {
        guard text.isValid(lane) else {
          builder.appendNull()
          continue
        }
        changeCase(view[lane], upper: upper, into: &buffer)
        builder.append(buffer)
      }
    }
    return builder.finish()
  }

  /// Every scalar by its full case mapping.
  static func changeCase(_ text: UnsafeBufferPointer<UInt8>, upper: Bool, into out: inout [UInt8]) {
    out.removeAll(keepingCapacity: true)
    if text.allSatisfy({ $0 < 0x80 }) {
      let first = upper ? UInt8(ascii: "a") : UInt8(ascii: "A")
      out.append(contentsOf: text.lazy.map { $0 >= first && $0 < first + 26 ? $0 ^ 0x20 : $0 })
      return
    }
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      let mapped = upper ? scalar.properties.uppercaseMapping : scalar.properties.lowercaseMapping
      out.append(contentsOf: mapped.utf8)
    }
  }

  static func length(_ text: Vector, isText: Bool) -> Vector {
    let lengths = text.withBytes { view in
      makeLanes(text.count) { lane in
        let bytes = view[lane]
        guard isText else { return Int64(bytes.count) }
        var scalars: Int64 = 0
        for byte in bytes where byte & 0xC0 != 0x80 { scalars &+= 1 }
        return scalars
      }
    }
    return Vector(.int64(lengths), validity: text.validity)
  }

  static func substring(_ operands: [Vector], isText: Bool) -> Vector {
    let text = operands[0]
    guard case .int64(let starts) = operands[1].lanes else { return .nulls(.bytes, count: text.count) }
    var counts: [Int64]?
    var validity = bothValid(text.validity, operands[1].validity)
    if operands.count > 2 {
      guard case .int64(let values) = operands[2].lanes else { return .nulls(.bytes, count: text.count) }
      counts = values
      validity = bothValid(validity, operands[2].validity)
    }
    var builder = BytesBuilder(capacity: text.count)
    text.withBytes { view in
      for lane in 0..<text.count {
        guard validity?[lane] ?? true else {
          builder.appendNull()
          continue
        }
        builder.append(substring(view[lane], start: starts[lane], count: counts?[lane], isText: isText))
      }
    }
    return builder.finish()
  }

  /// Positions `start ..< start + count` from 1; those outside the text are skipped.
  private static func substring(
    _ text: UnsafeBufferPointer<UInt8>, start: Int64, count: Int64?, isText: Bool
  ) -> UnsafeBufferPointer<UInt8> {
    var end = Int64.max
    if let count { end = count <= 0 ? start : start.addingReportingOverflow(count).overflow ? .max : start + count }
    var position: Int64 = 0
    var first = text.count
    var last = text.count
    for (index, byte) in text.enumerated() where !isText || byte & 0xC0 != 0x80 {
      position += 1
      if position >= max(start, 1), first == text.count { first = index }
      if position >= end {
        last = index
        break
      }
    }
    if first > last { first = last }
    return UnsafeBufferPointer(rebasing: text[first..<last])
  }
}
