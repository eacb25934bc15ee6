internal import LintelColumns

/// Pieces of the formats that the shell shows outside of results.
package enum ResultText {
  /// A JSON string with its quotes.
  package static func jsonString(_ text: String) -> String {
    written { $0.append(jsonString: text) }
  }

  /// Nanoseconds as in `table`: `45.6 ms`.
  package static func duration(_ nanoseconds: Int64) -> String {
    written { $0.append(duration: nanoseconds) }
  }

  /// Nanoseconds since 1970 as in `table`.
  package static func time(_ nanoseconds: Int64) -> String {
    written { $0.append(time: nanoseconds) }
  }

  /// Text without anything that could move a terminal's cursor.
  package static func visible(_ text: String) -> String {
    var text = text
    return text.withUTF8 { bytes in written { $0.append(visible: bytes) } }
  }

  /// Terminal cells of text that holds no control characters.
  package static func cells(_ text: String) -> Int {
    var text = text
    return text.withUTF8(DisplayWidth.of)
  }

  private static func written(_ body: (inout TextBuffer) -> Void) -> String {
    var buffer = TextBuffer()
    body(&buffer)
    return String(decoding: buffer.bytes, as: UTF8.self)
  }
}
