internal import CLintelKernels

/// Strings as templates and numbers.
///
///     templates := byteCount:u32, templates:u8, template*, integers (the number of each string's template; `templates`
///                  for exceptions), then for each template integers for each of its fields (a number a string), then
///                  exceptions where there are any: encoding:u8 and a body of ``StringCodec``
///
/// See ``StringTemplate`` for what a template is. `byteCount` is that of all strings.
enum TemplateCodec {
  private static let sampleSize = 128

  /// Appends the body, where a sample shows templates and nearly all strings keep to them; otherwise nothing.
  static func encodeBody(_ lengths: [UInt32], _ bytes: UnsafeRawBufferPointer, into out: inout [UInt8]) -> Bool {
    guard lengths.count >= sampleSize / 2, bytes.count <= Int(UInt32.max) else { return false }
    let templates = TemplateFinder.find(sample(lengths, bytes))
    guard !templates.isEmpty, let rows = TemplatedRows(lengths, bytes, templates) else { return false }
    let start = out.count
    out.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
    out.append(UInt8(truncatingIfNeeded: templates.count))
    for template in templates { template.write(into: &out) }
    rows.which.withUnsafeBufferPointer { _ = IntegerEncoder.encode($0, effort: .compact, into: &out) }
    for field in rows.fields.joined() {
      field.withUnsafeBufferPointer { _ = IntegerEncoder.encode($0, effort: .compact, into: &out) }
    }
    if !rows.exceptionLengths.isEmpty {
      let tag = out.count
      out.append(0)
      let encoding = rows.exceptions.withUnsafeBytes {
        StringCodec.encodeBody(rows.exceptionLengths, $0, effort: .light, into: &out)
      }
      out[tag] = encoding.rawValue
    }
    // Readers believe in no higher ratio; nor would a dictionary of so many entries be believed.
    if bytes.count + lengths.count < (out.count - start) * (Compression.maximumRatio - 8) { return true }
    out.removeLast(out.count - start)
    return false
  }

  /// Some strings from all over the block.
  private static func sample(_ lengths: [UInt32], _ bytes: UnsafeRawBufferPointer) -> [UnsafeRawBufferPointer] {
    let step = max(1, lengths.count / sampleSize)
    var sample: [UnsafeRawBufferPointer] = []
    var start = 0
    var next = 0
    for (index, length) in lengths.enumerated() {
      if index == next {
        sample.append(UnsafeRawBufferPointer(rebasing: bytes[start..<start &+ Int(length)]))
        // Every other step is one longer, so that a period of the data isn't shared.
        next += step + sample.count % 2
      }
      start &+= Int(length)
    }
    return sample
  }

  static func decodeBody(
    _ reader: inout ByteReader, lengths: UnsafeMutableBufferPointer<UInt32>
  ) throws(ColumnError) -> [UInt8] {
    let byteCount = try StringCodec.claimedByteCount(&reader, of: "templates")
    let templateCount = Int(try reader.byte())
    guard templateCount <= TemplateFinder.maximumTemplates else {
      throw ColumnError(.malformed, "\(templateCount) templates")
    }
    var templates: [StringTemplate] = []
    for _ in 0..<templateCount { templates.append(try StringTemplate(&reader)) }
    let which: [UInt32] = try filledLanes(lengths.count) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    let writer = try TemplateWriter(&reader, templates, which)
    try writer.measure(into: lengths)
    try StringCodec.check(lengths, byteCount)
    return writer.strings(UnsafeBufferPointer(lengths), byteCount: byteCount)
  }
}

/// The strings of a block taken apart.
private struct TemplatedRows {
  /// Strings taken apart at a time.
  private static let chunk = 4096

  /// Each string's template, the number of templates for exceptions.
  private(set) var which: [Int64] = []
  /// The numbers of each template's fields.
  private(set) var fields: [[[Int64]]]
  private(set) var exceptionLengths: [UInt32] = []
  private(set) var exceptions: [UInt8] = []

  /// `nil` where more than one string in eight has no template.
  init?(_ lengths: [UInt32], _ bytes: UnsafeRawBufferPointer, _ templates: [StringTemplate]) {
    fields = templates.map { Array(repeating: [], count: $0.fieldCount) }
    which.reserveCapacity(lengths.count)
    let fieldCount = fields.reduce(0) { $0 + $1.count }
    // One number more, where a string that doesn't fit leaves what it has.
    let isDone = withScratch(of: Int64.self, count: fieldCount * (Self.chunk + 1)) { numbers in
      let scratch = numbers.baseAddress
      return TemplateMachines.with(templates, numbers: { field in scratch.map { $0 + field * (Self.chunk + 1) } }) {
        machines in
        var start = 0
        var byte = 0
        while start < lengths.count {
          let end = min(start + Self.chunk, lengths.count)
          byte += append(lengths[start..<end], UnsafeRawBufferPointer(rebasing: bytes[byte...]), machines, numbers)
          if exceptionLengths.count > lengths.count / 8 { return false }
          start = end
        }
        return true
      }
    }
    if !isDone { return nil }
  }

  /// Takes some strings apart; how many bytes they have.
  private mutating func append(
    _ lengths: ArraySlice<UInt32>, _ bytes: UnsafeRawBufferPointer,
    _ machines: UnsafeMutableBufferPointer<lintel_template>, _ numbers: UnsafeMutableBufferPointer<Int64>
  ) -> Int {
    let first = which.count
    which.append(contentsOf: repeatElement(0, count: lengths.count))
    which.withUnsafeMutableBufferPointer { which in
      lengths.withUnsafeBufferPointer { lengths in
        // Strings that are all empty may come without an address.
        guard let source = bytes.assumingMemoryBound(to: UInt8.self).baseAddress, let target = which.baseAddress else {
          for row in first..<which.count { which[row] = Int64(machines.count) }
          return
        }
        lintel_parse_strings(
          machines.baseAddress, UInt32(machines.count), source, lengths.baseAddress, lengths.count, target + first)
      }
    }
    var field = 0
    for template in machines.indices {
      for index in fields[template].indices {
        let start = field * (Self.chunk + 1)
        fields[template][index].append(contentsOf: numbers[start..<start + machines[template].rows])
        field += 1
      }
      machines[template].rows = 0
    }
    var byte = 0
    for (row, length) in zip(first..., lengths) {
      if which[row] == Int64(machines.count) {
        exceptionLengths.append(length)
        exceptions.append(contentsOf: bytes[byte..<byte + Int(length)])
      }
      byte += Int(length)
    }
    return byte
  }
}
