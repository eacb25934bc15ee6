internal import CLintelKernels

/// Templates in the form that the kernels take.
enum TemplateMachines {
  /// Calls `body` with a machine a template.
  /// - Parameter numbers: Where the numbers of each field are, counted over all templates.
  static func with<Result>(
    _ templates: [StringTemplate], numbers: (Int) -> UnsafeMutablePointer<Int64>?,
    _ body: (UnsafeMutableBufferPointer<lintel_template>) -> Result
  ) -> Result {
    // Literals are copied by sixteen bytes, so that each has room behind it.
    var literals: [UInt8] = []
    var pieces: [lintel_piece] = []
    var literalStarts: [Int] = []
    var field = 0
    for piece in templates.lazy.flatMap(\.pieces) {
      pieces.append(lintel_piece(piece))
      literalStarts.append(literals.count)
      if case .literal(let bytes) = piece {
        literals.append(contentsOf: bytes)
        literals.append(contentsOf: repeatElement(0, count: 16))
      } else {
        pieces[pieces.count - 1].numbers = numbers(field)
        field += 1
      }
    }
    return literals.withUnsafeBufferPointer { literals in
      for (index, start) in literalStarts.enumerated() {
        pieces[index].literal = literals.baseAddress.map { $0 + start }
      }
      return pieces.withUnsafeBufferPointer { pieces in
        var start = 0
        var machines = templates.map { template in
          defer { start += template.pieces.count }
          return lintel_template(
            pieces: pieces.baseAddress.map { $0 + start }, count: template.pieces.count, rows: 0)
        }
        return machines.withUnsafeMutableBufferPointer { body($0) }
      }
    }
  }

  /// The strings that aren't of the template.
  static func others(
    _ template: StringTemplate, _ strings: [UnsafeRawBufferPointer]
  ) -> [UnsafeRawBufferPointer] {
    withScratch(of: Int64.self, count: StringTemplate.maximumPieces) { numbers in
      with([template], numbers: { field in numbers.baseAddress.map { $0 + field } }) { machines in
        strings.filter { string in
          guard let machine = machines.baseAddress else { return true }
          let bytes = string.assumingMemoryBound(to: UInt8.self)
          // The empty string may come without an address.
          guard let base = bytes.baseAddress else { return true }
          return lintel_parse_string(machine, base, bytes.count) == 0
        }
      }
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
