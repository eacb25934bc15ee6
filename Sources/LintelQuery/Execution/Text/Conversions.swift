/// Scalar conversions from text and doubles.
enum Conversions {
  static func double(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    Double(String(decoding: text, as: UTF8.self))
  }

  static func bool(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
    switch String(decoding: text, as: UTF8.self) {
    case "true": true
    case "false": false
    default: nil
    }
  }

  /// Toward zero; `nil` for NaN and what doesn't fit.
  @inline(__always)
  static func integer(_ number: Double) -> Int64? {
    guard number >= -0x1p63, number < 0x1p63 else { return nil }
    return Int64(number)
  }
}
