internal import CLintelKernels

/// Writes strings from templates and numbers that have been read.
struct TemplateWriter {
  private let templates: [StringTemplate]
  private let which: [UInt32]
  /// The numbers of all fields, one field after the other.
  private let numbers: [Int64]
  /// Strings of each template; of exceptions at the end.
  private let counts: [Int]
  private var exceptionLengths: [UInt32] = []
  private var exceptions: [UInt8] = []

  /// Reads the numbers of all fields, and the exceptions.
  init(_ reader: inout ByteReader, _ templates: [StringTemplate], _ which: [UInt32]) throws(ColumnError) {
    self.templates = templates
    self.which = which
    var counts = [Int](repeating: 0, count: templates.count + 1)
    guard Kernels.maximum(which) <= templates.count else {
      throw ColumnError(.malformed, "a template beyond the \(templates.count) there are")
    }
    for number in which { counts[Int(number)] &+= 1 }
    self.counts = counts
    let total = zip(templates, counts).reduce(0) { $0 + $1.0.fieldCount * $1.1 }
    numbers = try filledLanes(total) { (lanes) throws(ColumnError) in
      var start = 0
      for (template, count) in zip(templates, counts) {
        for _ in 0..<template.fieldCount {
          try IntegerDecoder.decode(&reader, into: UnsafeMutableBufferPointer(rebasing: lanes[start..<start + count]))
          start += count
        }
      }
    }
    guard let exceptionCount = counts.last, exceptionCount > 0 else { return }
    let encoding = try BlockEncoding.read(&reader)
    guard encoding != .templates else { throw ColumnError(.malformed, "templates within templates") }
    var bytes: [UInt8] = []
    exceptionLengths = try filledLanes(exceptionCount) { (lengths) throws(ColumnError) in
      bytes = try StringCodec.decodeBody(encoding, &reader, lengths: lengths)
    }
    exceptions = bytes
  }

  /// The lengths of all strings. Throws where a number has more digits than its field.
  func measure(into out: UnsafeMutableBufferPointer<UInt32>) throws(ColumnError) {
    var lengths: [[UInt32]] = []
    var start = 0
    for (template, count) in zip(templates, counts) {
      let end = start + template.fieldCount * count
      lengths.append(try TemplateWriter.lengths(template, numbers[start..<end], count: count))
      start = end
    }
    lengths.append(exceptionLengths)
    if let only = lengths.first, only.count == out.count {
      _ = out.update(fromContentsOf: only)
      return
    }
    var next = [Int](repeating: 0, count: lengths.count)
    for (row, number) in which.enumerated() {
      out[row] = lengths[Int(number)][next[Int(number)]]
      next[Int(number)] &+= 1
    }
  }

  private static func lengths(
    _ template: StringTemplate, _ numbers: ArraySlice<Int64>, count: Int
  ) throws(ColumnError) -> [UInt32] {
    var fixed = 0
    for piece in template.pieces {
      switch piece {
      case .literal(let bytes): fixed += bytes.count
      case .hex(let digits, _), .fixedDecimal(let digits): fixed += digits
      case .decimal: break
      }
    }
    guard fixed <= Int(Int32.max) else { throw ColumnError(.malformed, "a template of \(fixed) bytes") }
    var lengths = [UInt32](repeating: UInt32(truncatingIfNeeded: fixed), count: count)
    for (field, piece) in template.pieces.lazy.filter(\.isField).enumerated() {
      let numbers = numbers.dropFirst(field * count).prefix(count)
      var isSound = true
      switch piece {
      case .decimal:
        isSound = numbers.withUnsafeBufferPointer { numbers in
          numbers.baseAddress.map { lintel_decimal_lengths($0, count, &lengths) == 0 } ?? true
        }
      case .fixedDecimal(let digits):
        var limit: UInt64 = 1
        for _ in 0..<digits { limit &*= 10 }
        isSound = numbers.allSatisfy { UInt64(bitPattern: $0) < limit }
      case .hex, .literal: break
      }
      guard isSound else { throw ColumnError(.malformed, "a number has more digits than its field") }
    }
    return lengths
  }

  /// The bytes of all strings; `lengths` are those of ``measure(into:)``, and `byteCount` is their sum.
  func strings(_ lengths: UnsafeBufferPointer<UInt32>, byteCount: Int) -> [UInt8] {
    // Literals are copied by sixteen bytes, so that each has room behind it.
    var literals: [UInt8] = []
    var literalStarts: [Int] = []
    for case .literal(let bytes) in templates.lazy.flatMap(\.pieces) {
      literalStarts.append(literals.count)
      literals.append(contentsOf: bytes)
      literals.append(contentsOf: repeatElement(0, count: 16))
    }
    return numbers.withUnsafeBufferPointer { numbers in
      literals.withUnsafeBufferPointer { literals in
        var pieces: [lintel_piece] = []
        var starts: [Int] = []
        var field = 0
        var literal = 0
        for (template, count) in zip(templates, counts) {
          starts.append(pieces.count)
          for piece in template.pieces {
            pieces.append(lintel_piece(piece))
            if piece.isField {
              pieces[pieces.count - 1].numbers = numbers.baseAddress.map { $0 + field }
              field += count
            } else {
              pieces[pieces.count - 1].literal = literals.baseAddress.map { $0 + literalStarts[literal] }
              literal += 1
            }
          }
        }
        return pieces.withUnsafeBufferPointer { pieces in
          write(pieces, starts, lengths, byteCount: byteCount)
        }
      }
    }
  }

  private func write(
    _ pieces: UnsafeBufferPointer<lintel_piece>, _ starts: [Int], _ lengths: UnsafeBufferPointer<UInt32>,
    byteCount: Int
  ) -> [UInt8] {
    var machines = zip(templates, starts).map { template, start in
      lintel_template(
        pieces: pieces.baseAddress.map { $0 + start }, count: template.pieces.count, rows: 0)
    }
    return [UInt8](unsafeUninitializedCapacity: byteCount + 16) { out, count in
      guard let target = out.baseAddress else { return }
      let templateCount = UInt32(truncatingIfNeeded: templates.count)
      if counts[0] == which.count, !templates.isEmpty {
        lintel_write_templates(&machines, nil, which.count, nil, nil, 1, target)
      } else {
        lintel_write_templates(
          &machines, which, which.count, exceptions, lengths.baseAddress, templateCount, target)
      }
      count = byteCount
    }
  }
}

extension lintel_piece {
  fileprivate init(_ piece: StringTemplate.Piece) {
    self.init()
    switch piece {
    case .literal(let bytes):
      kind = UInt32(LINTEL_PIECE_LITERAL)
      length = UInt32(truncatingIfNeeded: bytes.count)
    case .hex(let digits, let isUpper):
      kind = UInt32(isUpper ? LINTEL_PIECE_UPPER_HEX : LINTEL_PIECE_LOWER_HEX)
      length = UInt32(truncatingIfNeeded: digits)
    case .decimal: kind = UInt32(LINTEL_PIECE_DECIMAL)
    case .fixedDecimal(let digits):
      kind = UInt32(LINTEL_PIECE_FIXED_DECIMAL)
      length = UInt32(truncatingIfNeeded: digits)
    }
  }
}
