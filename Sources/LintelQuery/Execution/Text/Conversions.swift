import LintelColumns

/// Scalar conversions between values and text; shared by kernels and by nothing slow-path only.
enum Conversions {
  /// A whole decimal integer with an optional sign.
  static func integer(_ text: UnsafeBufferPointer<UInt8>) -> Int64? {
    Int64(String(decoding: text, as: UTF8.self))
  }

  static func double(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    Double(String(decoding: text, as: UTF8.self))
  }

  static func bool(_ text: UnsafeBufferPointer<UInt8>) -> Bool? {
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "true": true
    case "false": false
    default: nil
    }
  }

  /// Toward zero; `nil` for NaN and what doesn't fit.
  static func integer(_ number: Double) -> Int64? {
    guard number > -0x1.0000000000001p63, number < 0x1p63 else { return nil }
    return Int64(number)
  }

  static func hex(_ value: some FixedWidthInteger & UnsignedInteger) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, value.bitWidth / 4 - digits.count)) + digits
  }

  /// What `toText` shows of an `Int64` lane.
  static func text(_ lane: Int64, _ type: ColumnType) -> String {
    switch type {
    case .enumeration(let enumeration): enumeration.label(of: lane) ?? String(lane)
    case .id8: hex(UInt64(bitPattern: lane))
    default: String(lane)
    }
  }

  static func appendVariant(_ lane: Int64, _ type: ColumnType, to out: inout [UInt8]) {
    switch type {
    case .enumeration(let enumeration):
      if let label = enumeration.label(of: lane) {
        EncodedVariant.appendBytes(label.utf8, tag: 5, to: &out)
      } else {
        EncodedVariant.appendInt(lane, to: &out)
      }
    case .id8: EncodedVariant.appendBytes(text(lane, type).utf8, tag: 5, to: &out)
    default: EncodedVariant.appendInt(lane, to: &out)
    }
  }
}
