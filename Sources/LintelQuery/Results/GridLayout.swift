internal import LintelColumns

/// table, box and markdown: columns as wide as their widest cell, within a limit.
///
/// On a terminal wider cells are cut. Elsewhere nothing is lost: they reach over the edge of their column, and the other rows
/// aren't filled up with spaces to the width of a cell that may have megabytes.
///
/// The widths take a first pass over every row; cells are rendered again while writing, so that memory doesn't grow with
/// the number of rows.
struct GridLayout: ResultLayout {
  enum Style { case table, box, markdown }

  struct Heading {
    let bytes: [UInt8]
    let cells: Int
  }

  /// Text columns are not clipped below this.
  static let narrowest = 12
  /// Where there is no terminal, columns aren't made wider than this for the sake of a cell.
  static let widest = 120

  /// Whether cells that are wider than their column are written whole.
  private let isUncut: Bool
  private let style: Style
  private let cells: [CellReader]
  private let headings: [Heading]
  private var widths: [Int]
  /// `false` when the terminal is too narrow even with every text column at its narrowest.
  private(set) var fits = true
  private var scratch = TextBuffer()

  init(_ result: QueryResult, style: Style, width: Int?) {
    self.style = style
    cells = result.columns.map(CellReader.init)
    headings = result.columns.map { Self.heading($0.name, style) }
    widths = headings.map(\.cells)
    isUncut = width == nil
    for index in cells.indices { widths[index] = max(widths[index], widest(index, result.rowCount)) }
    if isUncut { widths = widths.map { min($0, Self.widest) } }
    if style == .markdown { widths = widths.map { max(3, $0) } }
    if let width { clip(to: width) }
  }

  /// A name as it is shown, and its width.
  static func visible(_ name: String) -> Heading {
    var text = TextBuffer()
    var name = name
    name.withUTF8 { text.append(visible: $0) }
    return Heading(bytes: text.bytes, cells: text.bytes.withUnsafeBufferPointer(DisplayWidth.of))
  }

  private static func heading(_ name: String, _ style: Style) -> Heading {
    guard style == .markdown else { return visible(name) }
    var text = TextBuffer()
    text.bytes = visible(name).bytes
    text.escapeMarkdown(from: 0)
    return Heading(bytes: text.bytes, cells: text.bytes.withUnsafeBufferPointer(DisplayWidth.of))
  }

  private mutating func widest(_ column: Int, _ rowCount: Int) -> Int {
    var widest = 0
    for row in 0..<rowCount {
      render(row, column)
      widest = max(widest, scratch.bytes.withUnsafeBufferPointer(DisplayWidth.of))
    }
    return widest
  }

  private mutating func render(_ row: Int, _ column: Int) {
    scratch.bytes.removeAll(keepingCapacity: true)
    cells[column].appendPeople(row, &scratch)
    if style == .markdown, cells[column].isText { scratch.escapeMarkdown(from: 0) }
  }

  // MARK: - Fitting

  /// Cells between, before and after the columns.
  private var frame: Int {
    switch style {
    case .table: 2 * max(0, widths.count - 1)
    case .box, .markdown: 3 * widths.count + 1
    }
  }

  /// Cuts the widest text columns to one common width, the greatest with which everything fits.
  private mutating func clip(to width: Int) {
    let room = width - frame
    let total = widths.reduce(0, +)
    if total <= room { return }
    let clippable = widths.indices.filter { !cells[$0].isNumber && widths[$0] > Self.narrowest }
    let fixed = widths.indices.filter { !clippable.contains($0) }.reduce(0) { $0 + widths[$1] }
    var limit = Self.narrowest
    while clippable.reduce(fixed, { $0 + min(widths[$1], limit + 1) }) <= room { limit += 1 }
    for index in clippable { widths[index] = min(widths[index], limit) }
    fits = widths.reduce(0, +) <= room
  }

  // MARK: - Writing

  mutating func begin(_ out: inout TextBuffer) {
    if style == .box { rule(&out, "┌", "┬", "┐") }
    for (index, heading) in headings.enumerated() {
      scratch.bytes = heading.bytes
      put(index, heading.cells, &out)
    }
    out.append(UInt8(ascii: "\n"))
    switch style {
    case .table:
      for index in widths.indices {
        if index > 0 { out.append("  ") }
        out.append(UInt8(ascii: "-"), count: widths[index])
      }
      out.append(UInt8(ascii: "\n"))
    case .box: rule(&out, "├", "┼", "┤")
    case .markdown:
      for index in widths.indices {
        out.append(index == 0 ? "| " : " | ")
        out.append(UInt8(ascii: "-"), count: widths[index] - (cells[index].isNumber ? 1 : 0))
        if cells[index].isNumber { out.append(UInt8(ascii: ":")) }
      }
      out.append(" |\n")
    }
  }

  mutating func row(_ row: Int, _ out: inout TextBuffer) {
    for index in cells.indices {
      render(row, index)
      put(index, scratch.bytes.withUnsafeBufferPointer(DisplayWidth.of), &out)
    }
    out.append(UInt8(ascii: "\n"))
  }

  mutating func end(_ out: inout TextBuffer) {
    if style == .box { rule(&out, "└", "┴", "┘") }
  }

  private func rule(_ out: inout TextBuffer, _ left: StaticString, _ middle: StaticString, _ right: StaticString) {
    out.append(left)
    for index in widths.indices {
      if index > 0 { out.append(middle) }
      out.append("─", count: widths[index] + 2)
    }
    out.append(right)
    out.append(UInt8(ascii: "\n"))
  }

  /// Writes what `scratch` holds, `width` cells wide, as the cell of a column, with the line before it (and after the
  /// last one).
  private mutating func put(_ column: Int, _ width: Int, _ out: inout TextBuffer) {
    let isLast = column == widths.count - 1
    switch style {
    case .table: if column > 0 { out.append("  ") }
    case .box: out.append(column == 0 ? "│ " : " │ ")
    case .markdown: out.append(column == 0 ? "| " : " | ")
    }
    var width = width
    if width > widths[column], !isUncut {
      let kept = scratch.bytes.withUnsafeBufferPointer { DisplayWidth.prefix($0, limit: widths[column] - 1) }
      scratch.bytes.removeSubrange(kept.bytes...)
      scratch.append("…")
      width = kept.cells + 1
    }
    let padding = max(0, widths[column] - width)
    if cells[column].isNumber { out.append(UInt8(ascii: " "), count: padding) }
    out.bytes.append(contentsOf: scratch.bytes)
    if !cells[column].isNumber, !(isLast && style == .table) { out.append(UInt8(ascii: " "), count: padding) }
    switch style {
    case .table: break
    case .box: if isLast { out.append(" │") }
    case .markdown: if isLast { out.append(" |") }
    }
  }
}

extension TextBuffer {
  /// Escapes what Markdown would take as the end of a cell, an escape or a tag, from `start` on.
  mutating func escapeMarkdown(from start: Int) {
    func isSpecial(_ byte: UInt8) -> Bool {
      byte == UInt8(ascii: "|") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "<")
    }
    guard bytes[start...].contains(where: isSpecial) else { return }
    let text = Array(bytes[start...])
    bytes.removeSubrange(start...)
    for byte in text {
      if isSpecial(byte) { bytes.append(UInt8(ascii: "\\")) }
      bytes.append(byte)
    }
  }
}
