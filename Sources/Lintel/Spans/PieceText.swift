internal import LintelColumns

/// A piece of content as people read it.
enum PieceText {
  /// Lists and maps begin with bytes that no text of a client's begins with.
  private static let containers: Set<UInt8> = [7, 8]

  /// A message of a text as it was sent; a structured one as the JSON in which `input` has it. Bytes that are neither as base64.
  static func shown(_ bytes: [UInt8]) -> [UInt8] {
    if let first = bytes.first, containers.contains(first), let value = try? Variant(decoding: bytes) {
      return Array(value.json().utf8)
    }
    if String(validating: bytes, as: UTF8.self) != nil { return bytes }
    return Array(Variant.bytes(bytes).json().utf8.dropFirst().dropLast())
  }
}
