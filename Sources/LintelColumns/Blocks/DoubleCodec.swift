/// Blocks of doubles. Every bit pattern comes back as it was.
///
///     scaled   := exponent:u8, integers         value = Double(integer) / 10^exponent, exact on bits for every value
///     constant, runs, bitpack, delta, patched, binned, plain := as ``IntegerEncoder`` writes the bit patterns
enum DoubleCodec {
  struct Result {
    var encoding: BlockEncoding
    var bounds: BlockStatistics.Bounds
  }

  /// Greatest power of ten tried; all of them are exact as doubles.
  static let maximumExponent = 18

  /// `10^k`.
  static let powers: [Double] = {
    var powers = [1.0]
    for _ in 0..<maximumExponent { powers.append((powers.last ?? 1) * 10) }
    return powers
  }()

  static func encodeBody(
    _ values: UnsafeBufferPointer<Double>, effort: EncodingEffort, into out: inout [UInt8]
  ) -> Result {
    let bounds = bounds(values)
    if let encoding = encodeScaled(values, effort, into: &out) { return Result(encoding: encoding, bounds: bounds) }
    let encoding = values.withMemoryRebound(to: Int64.self) {
      IntegerEncoder.encodeBody($0, effort: effort, into: &out).encoding
    }
    return Result(encoding: encoding, bounds: bounds)
  }

  static func decodeBody(
    _ encoding: BlockEncoding, _ reader: inout ByteReader, into out: UnsafeMutableBufferPointer<Double>
  ) throws(ColumnError) {
    guard encoding == .scaled else {
      return try out.withMemoryRebound(to: Int64.self) { (lanes) throws(ColumnError) in
        try IntegerDecoder.decodeBody(encoding, &reader, into: lanes)
      }
    }
    let exponent = Int(try reader.byte())
    guard exponent <= maximumExponent else { throw ColumnError(.malformed, "doubles scaled by 10^\(exponent)") }
    let divisor = powers[exponent]
    try out.withMemoryRebound(to: Int64.self) { (lanes) throws(ColumnError) in
      try IntegerDecoder.decode(&reader, into: lanes)
    }
    for index in 0..<out.count {
      out[index] = Double(Int64(bitPattern: out[index].bitPattern)) / divisor
    }
  }

  private static func bounds(_ values: UnsafeBufferPointer<Double>) -> BlockStatistics.Bounds {
    var low = Double.infinity
    var high = -Double.infinity
    var nanCount = 0
    for value in values {
      low = value < low ? value : low
      high = value > high ? value : high
      nanCount &+= Int(unsafeBitCast(value != value, to: UInt8.self))
    }
    // Nothing but NaN leaves the bounds crossed, and there is nothing to bound.
    if values.isEmpty || nanCount == values.count { return .none }
    return .float64(min: low, max: high, hasNaN: nanCount > 0)
  }

  private static func encodeScaled(
    _ values: UnsafeBufferPointer<Double>, _ effort: EncodingEffort, into out: inout [UInt8]
  ) -> BlockEncoding? {
    guard values.count > 1, var exponent = sampledExponent(values) else { return nil }
    let start = out.count
    return withScratch(of: Int64.self, count: values.count) { integers -> BlockEncoding? in
      while let failed = scale(values, exponent, integers) {
        guard let larger = leastExponent(failed, from: exponent + 1) else { return nil }
        exponent = larger
      }
      out.append(UInt8(exponent))
      IntegerEncoder.encode(UnsafeBufferPointer(integers), effort: effort, into: &out)
      // Bit patterns may do better: in constant blocks, or where integers take all 64 bits.
      if out.count - start < values.count * 7, out.count - start > 10 { return .scaled }
      out.removeLast(out.count - start)
      return nil
    }
  }

  /// The exponent that some values from all over the block need; `nil` when one of them has none.
  private static func sampledExponent(_ values: UnsafeBufferPointer<Double>) -> Int? {
    var exponent = 0
    for index in stride(from: 0, to: values.count, by: max(1, values.count / 32)) {
      if isExact(values[index], exponent) { continue }
      guard let larger = leastExponent(values[index], from: exponent + 1) else { return nil }
      exponent = larger
    }
    return exponent
  }

  private static func leastExponent(_ value: Double, from first: Int) -> Int? {
    guard first <= maximumExponent else { return nil }
    return (first...maximumExponent).first { isExact(value, $0) }
  }

  private static func isExact(_ value: Double, _ exponent: Int) -> Bool {
    let scaled = scale(value, powers[exponent])
    return (Double(scaled) / powers[exponent]).bitPattern == value.bitPattern
  }

  /// The integer nearest `value * power`; anything where there is none (the way back then shows it).
  @inline(__always)
  private static func scale(_ value: Double, _ power: Double) -> Int64 {
    let product = value * power
    // Adding and taking away 1.5 * 2^52 rounds to an integer below 2^51; from 2^52 on doubles are integers anyway.
    let magic = 6_755_399_441_055_744.0
    let rounded = product.magnitude < 2_251_799_813_685_248 ? (product + magic) - magic : product
    let isSafe = rounded.magnitude < 9_223_372_036_854_774_784
    return Int64(isSafe ? rounded : 0)
  }

  /// Fills `integers`; the first value that doesn't come back, if any.
  private static func scale(
    _ values: UnsafeBufferPointer<Double>, _ exponent: Int, _ integers: UnsafeMutableBufferPointer<Int64>
  ) -> Double? {
    let power = powers[exponent]
    var start = 0
    while start < values.count {
      let end = min(start &+ 256, values.count)
      var wrong: UInt64 = 0
      for index in start..<end {
        let integer = scale(values[index], power)
        integers[index] = integer
        wrong |= (Double(integer) / power).bitPattern ^ values[index].bitPattern
      }
      if wrong != 0 { return values[start..<end].first { !isExact($0, exponent) } }
      start = end
    }
    return nil
  }
}
