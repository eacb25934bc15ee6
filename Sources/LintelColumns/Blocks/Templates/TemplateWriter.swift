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
    var starts: [Int] = []
    var start = 0
    for (template, count) in zip(templates, counts) {
      for _ in 0..<template.fieldCount {
        starts.append(start)
        start += count
      }
    }
    return numbers.withUnsafeBufferPointer { numbers in
      // The kernel that writes strings only reads the numbers.
      let base = UnsafeMutablePointer(mutating: numbers.baseAddress)
      return TemplateMachines.with(templates, numbers: { field in base.map { $0 + starts[field] } }) { machines in
        [UInt8](unsafeUninitializedCapacity: byteCount + 16) { out, count in
          if let target = out.baseAddress { write(machines, lengths, target) }
          count = byteCount
        }
      }
    }
  }

  private func write(
    _ machines: UnsafeMutableBufferPointer<lintel_template>, _ lengths: UnsafeBufferPointer<UInt32>,
    _ target: UnsafeMutablePointer<UInt8>
  ) {
    if machines.count > 0, counts[0] == which.count {
      lintel_write_templates(machines.baseAddress, nil, which.count, nil, nil, 1, target)
    } else {
      lintel_write_templates(
        machines.baseAddress, which, which.count, exceptions, lengths.baseAddress, UInt32(machines.count), target)
    }
  }
}
