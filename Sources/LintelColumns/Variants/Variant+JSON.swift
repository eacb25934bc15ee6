extension Variant {
  /// The value as JSON. Integers and finite doubles are numbers, NaN and the infinities strings, byte strings base64
  /// strings, the empty value null. Maps keep the order and the repeats of their keys.
  public func json() -> String {
    var text = TextBuffer()
    encoded.withUnsafeBytes { text.append(jsonVariant: $0) }
    return String(decoding: text.bytes, as: UTF8.self)
  }
}
