public import LintelColumns

/// Turns an OTLP JSON export request into the protobuf bytes that say the same, so that decoding, conventions and
/// validation exist once.
///
/// Strict: the body must be one UTF-8 JSON object, values must have the type their field wants. Unknown fields are
/// ignored; `null` means absent; of a repeated key the last counts. 64-bit integers come as strings or numbers.
public enum OTLPJSON {
  /// - Returns: An `ExportTraceServiceRequest` in protobuf.
  /// - Throws: ``JSONError`` for a body that is to be refused as a whole. What concerns one span only (an id that isn't hex,
  ///   half a surrogate pair in a text) is passed on in a form that makes the decoder refuse that span.
  public static func protobuf(_ body: UnsafeRawBufferPointer) throws(JSONError) -> [UInt8] {
    if let bad = UTF8Check.firstInvalid(body) { throw JSONError(message: "the body isn't UTF-8", offset: bad) }
    var transcoder = Transcoder(body)
    return try transcoder.run()
  }
}

private struct Transcoder {
  private var scanner: JSONScanner
  private var out: [UInt8] = []
  private var key: [UInt8] = []
  private var text: [UInt8] = []
  private var depth = 0

  init(_ body: UnsafeRawBufferPointer) {
    scanner = JSONScanner(body)
    out.reserveCapacity(body.count)
  }

  mutating func run() throws(JSONError) -> [UInt8] {
    try message(.named(.request))
    scanner.skipWhiteSpace()
    guard scanner.isAtEnd else { throw scanner.error("text follows the end of the request") }
    return out
  }

  /// One JSON object as the fields of a protobuf message (without tag and length).
  private mutating func message(_ descriptor: OTLPMessage) throws(JSONError) {
    // A map in a map is three messages deeper; the rest of a request nests by fewer than ten.
    guard depth < 3 * Variant.maximumDepth + 10 else { throw scanner.error("nested too deeply") }
    depth += 1
    defer { depth -= 1 }
    try scanner.expect(UInt8(ascii: "{"))
    if try scanner.take(UInt8(ascii: "}")) { return }
    // Where each field's bytes lie in `out`, for the case that its key comes again.
    var written: [(number: UInt64, range: Range<Int>)] = []
    repeat {
      key.removeAll(keepingCapacity: true)
      try scanner.string(into: &key)
      try scanner.expect(UInt8(ascii: ":"))
      guard let field = descriptor.fields.first(where: { $0.name.utf8.elementsEqual(key) }) else {
        try scanner.skipValue()
        continue
      }
      if let repeated = written.firstIndex(where: { $0.number == field.number }) {
        erase(written.remove(at: repeated).range, &written)
      }
      if try scanner.peek() == UInt8(ascii: "n") {
        try scanner.literal("null")
        continue
      }
      let start = out.count
      try value(of: field)
      written.append((field.number, start..<out.count))
      guard !descriptor.isOneOf || written.count == 1 else { throw scanner.error("a value has two kinds") }
    } while try scanner.take(UInt8(ascii: ","))
    try scanner.expect(UInt8(ascii: "}"))
  }

  private mutating func erase(_ range: Range<Int>, _ written: inout [(number: UInt64, range: Range<Int>)]) {
    out.removeSubrange(range)
    for position in written.indices where written[position].range.lowerBound >= range.upperBound {
      let old = written[position].range
      written[position].range = old.lowerBound - range.count..<old.upperBound - range.count
    }
  }

  private mutating func value(of field: OTLPMessage.Field) throws(JSONError) {
    switch field.form {
    case .message(let name): try nested(field.number, .named(name))
    case .messages(let name): try array(field.number, .named(name))
    case .string, .stringValue: try string(field.number)
    case .strings:
      try scanner.expect(UInt8(ascii: "["))
      if try scanner.take(UInt8(ascii: "]")) { return }
      repeat { try string(field.number) } while try scanner.take(UInt8(ascii: ","))
      try scanner.expect(UInt8(ascii: "]"))
    case .id: bytes(field.number, try id())
    case .bytesValue:
      text.removeAll(keepingCapacity: true)
      try scanner.string(into: &text)
      guard let decoded = Base64.decoded(text) else { throw scanner.error("a bytesValue isn't base64") }
      bytes(field.number, decoded)
    case .fixed64: fixed(field.number, wireType: 1, try integer(in: 0...Int128(UInt64.max)), count: 8)
    case .fixed32: fixed(field.number, wireType: 5, try integer(in: 0...Int128(UInt32.max)), count: 4)
    case .uint32: varint(field.number, try integer(in: 0...Int128(UInt32.max)))
    case .intValue: varint(field.number, try integer(in: Int128(Int64.min)...Int128(Int64.max)))
    case .doubleValue: fixed(field.number, wireType: 1, Int128(try double().bitPattern), count: 8)
    case .boolValue:
      let isTrue = try scanner.peek() == UInt8(ascii: "t")
      try isTrue ? scanner.literal("true") : scanner.literal("false")
      varint(field.number, isTrue ? 1 : 0)
    case .enumeration(let names): try enumeration(field.number, names)
    }
  }

  // MARK: Messages

  private mutating func nested(_ number: UInt64, _ descriptor: OTLPMessage) throws(JSONError) {
    // The length isn't known yet: room for a five-byte varint, padded as the wire format permits.
    appendVarint(number << 3 | 2)
    let at = out.count
    out.append(contentsOf: [0x80, 0x80, 0x80, 0x80, 0])
    try message(descriptor)
    let length = out.count - at - 5
    guard length < 1 << 35 else { throw scanner.error("a message is too long") }
    for position in 0..<5 {
      out[at + position] = UInt8(truncatingIfNeeded: length >> (7 * position) & 0x7F) | (position < 4 ? 0x80 : 0)
    }
  }

  private mutating func array(_ number: UInt64, _ descriptor: OTLPMessage) throws(JSONError) {
    try scanner.expect(UInt8(ascii: "["))
    if try scanner.take(UInt8(ascii: "]")) { return }
    repeat { try nested(number, descriptor) } while try scanner.take(UInt8(ascii: ","))
    try scanner.expect(UInt8(ascii: "]"))
  }

  // MARK: Scalars

  private mutating func string(_ number: UInt64) throws(JSONError) {
    text.removeAll(keepingCapacity: true)
    try scanner.string(into: &text)
    bytes(number, text)
  }

  private mutating func enumeration(_ number: UInt64, _ names: [String]) throws(JSONError) {
    if try scanner.peek() == UInt8(ascii: "\"") {
      text.removeAll(keepingCapacity: true)
      try scanner.string(into: &text)
      guard let position = names.firstIndex(where: { $0.utf8.elementsEqual(text) }) else {
        throw scanner.error("an enumeration has no such name")
      }
      varint(number, Int128(position))
    } else {
      varint(number, try integer(in: Int128(Int32.min)...Int128(Int32.max)))
    }
  }

  /// The bytes of a hex id; a single zero byte, which is no id of any kind, stands for what isn't one.
  private mutating func id() throws(JSONError) -> [UInt8] {
    guard try scanner.peek() == UInt8(ascii: "\"") else {
      try scanner.skipValue()
      return [0]
    }
    text.removeAll(keepingCapacity: true)
    try scanner.string(into: &text)
    guard text.count.isMultiple(of: 2) else { return [0] }
    var decoded: [UInt8] = []
    for position in stride(from: 0, to: text.count, by: 2) {
      guard let high = Hex.value(text[position]), let low = Hex.value(text[position + 1]) else { return [0] }
      decoded.append(high << 4 | low)
    }
    return decoded
  }

  /// An integer given as a number or as a string of one. Forms such as `1e18` or `5.0` count if they are whole.
  private mutating func integer(in range: ClosedRange<Int128>) throws(JSONError) -> Int128 {
    let whole: Int128?
    if try scanner.peek() == UInt8(ascii: "\"") {
      text.removeAll(keepingCapacity: true)
      try scanner.string(into: &text)
      whole = text.withUnsafeBytes { characters in
        var inner = JSONScanner(characters)
        guard let digits = try? inner.number(), digits.count == characters.count else { return nil }
        return wholeNumber(digits)
      }
    } else {
      whole = wholeNumber(try scanner.number())
    }
    guard let whole, range.contains(whole) else { throw scanner.error("not a whole number in the field's range") }
    return whole
  }

  private mutating func double() throws(JSONError) -> Double {
    var characters: [UInt8] = []
    if try scanner.peek() == UInt8(ascii: "\"") {
      try scanner.string(into: &characters)
      switch String(decoding: characters, as: UTF8.self) {
      case "NaN": return .nan
      case "Infinity": return .infinity
      case "-Infinity": return -.infinity
      default:
        let isNumber = characters.withUnsafeBytes { bytes in
          var inner = JSONScanner(bytes)
          return (try? inner.number())?.count == bytes.count
        }
        guard isNumber else { throw scanner.error("a doubleValue isn't a number") }
      }
    } else {
      characters = Array(try scanner.number())
    }
    guard let value = Double(String(decoding: characters, as: UTF8.self)), value.isFinite else {
      throw scanner.error("a doubleValue is out of range")
    }
    return value
  }

  // MARK: Wire format

  private mutating func appendVarint(_ value: UInt64) {
    var value = value
    while value > 0x7F {
      out.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    out.append(UInt8(truncatingIfNeeded: value))
  }

  private mutating func varint(_ number: UInt64, _ value: Int128) {
    appendVarint(number << 3)
    appendVarint(UInt64(truncatingIfNeeded: value))
  }

  private mutating func fixed(_ number: UInt64, wireType: UInt64, _ value: Int128, count: Int) {
    appendVarint(number << 3 | wireType)
    for position in 0..<count { out.append(UInt8(truncatingIfNeeded: value >> Int128(8 * position))) }
  }

  private mutating func bytes(_ number: UInt64, _ content: [UInt8]) {
    appendVarint(number << 3 | 2)
    appendVarint(UInt64(content.count))
    out.append(contentsOf: content)
  }
}

/// The value of a JSON number if it is whole and its magnitude below 10^30; exact, without a detour over doubles.
func wholeNumber(_ characters: UnsafeRawBufferPointer) -> Int128? {
  var digits: [UInt8] = []
  var scale = 0
  var exponent = 0
  var isNegative = false
  var position = 0
  var afterPoint = false
  scan: while position < characters.count {
    let byte = characters[position]
    position += 1
    switch byte {
    case UInt8(ascii: "-"): isNegative = true
    case UInt8(ascii: "."): afterPoint = true
    case UInt8(ascii: "e"), UInt8(ascii: "E"):
      guard let power = Int(String(decoding: characters[position...], as: UTF8.self)), abs(power) < 1 << 40 else {
        return nil
      }
      exponent = power
      break scan
    default:
      if !(digits.isEmpty && byte == UInt8(ascii: "0")) { digits.append(byte - UInt8(ascii: "0")) }
      if afterPoint { scale += 1 }
    }
  }
  while digits.last == 0 {
    digits.removeLast()
    scale -= 1
  }
  guard !digits.isEmpty else { return 0 }
  let zeros = exponent - scale
  guard zeros >= 0, digits.count + zeros <= 30 else { return nil }
  var value: Int128 = 0
  for digit in digits { value = value * 10 + Int128(digit) }
  for _ in 0..<zeros { value *= 10 }
  return isNegative ? -value : value
}
