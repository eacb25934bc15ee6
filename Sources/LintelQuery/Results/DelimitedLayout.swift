internal import LintelColumns

/// csv and tsv.
struct DelimitedLayout: ResultLayout {
  enum Style { case csv, tsv }

  private let style: Style
  private let names: [String]
  private let cells: [CellReader]

  init(_ result: QueryResult, style: Style) {
    self.style = style
    names = result.columns.map(\.name)
    cells = result.columns.map(CellReader.init)
  }

  private var separator: UInt8 { style == .csv ? UInt8(ascii: ",") : UInt8(ascii: "\t") }

  mutating func begin(_ out: inout TextBuffer) {
    for (index, name) in names.enumerated() {
      if index > 0 { out.append(separator) }
      let start = out.bytes.count
      out.append(text: name)
      quote(from: start, &out)
    }
    out.append(UInt8(ascii: "\n"))
  }

  mutating func row(_ row: Int, _ out: inout TextBuffer) {
    var isFirst = true
    for cell in cells {
      if !isFirst { out.append(separator) }
      isFirst = false
      if cell.isNull(row) {
        if style == .tsv { out.append("\\N") }
        continue
      }
      let start = out.bytes.count
      cell.appendRaw(row, &out)
      if cell.isText { quote(from: start, &out) }
    }
    out.append(UInt8(ascii: "\n"))
  }

  mutating func end(_ out: inout TextBuffer) {}

  /// Makes the field that begins at `start` safe. Most need nothing.
  private func quote(from start: Int, _ out: inout TextBuffer) {
    switch style {
    case .csv: quoteCSV(from: start, &out)
    case .tsv: escapeTSV(from: start, &out)
    }
  }

  private func quoteCSV(from start: Int, _ out: inout TextBuffer) {
    let isPlain = out.bytes.withUnsafeBufferPointer { bytes in
      for index in start..<bytes.count {
        switch bytes[index] {
        case UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"): return false
        default: continue
        }
      }
      return true
    }
    // An empty field is NULL; spaces at the ends are trimmed by some readers.
    let first = start < out.bytes.count ? out.bytes[start] : UInt8(ascii: " ")
    if isPlain, first != UInt8(ascii: " "), out.bytes.last != UInt8(ascii: " ") { return }
    let field = Array(out.bytes[start...])
    out.bytes.removeSubrange(start...)
    out.append(UInt8(ascii: "\""))
    for byte in field {
      if byte == UInt8(ascii: "\"") { out.append(byte) }
      out.append(byte)
    }
    out.append(UInt8(ascii: "\""))
  }

  private func escapeTSV(from start: Int, _ out: inout TextBuffer) {
    let isPlain = out.bytes.withUnsafeBufferPointer { bytes in
      for index in start..<bytes.count where Self.tsvEscape(bytes[index]) != nil { return false }
      return true
    }
    if isPlain { return }
    let field = Array(out.bytes[start...])
    out.bytes.removeSubrange(start...)
    for byte in field {
      if let escape = Self.tsvEscape(byte) {
        out.append(UInt8(ascii: "\\"))
        out.append(escape)
      } else {
        out.append(byte)
      }
    }
  }

  private static func tsvEscape(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\t"): UInt8(ascii: "t")
    case UInt8(ascii: "\n"): UInt8(ascii: "n")
    case UInt8(ascii: "\r"): UInt8(ascii: "r")
    case UInt8(ascii: "\\"): UInt8(ascii: "\\")
    default: nil
    }
  }
}
