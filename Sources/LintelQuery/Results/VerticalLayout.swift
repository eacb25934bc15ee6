internal import LintelColumns

/// A block a row: a rule with the row's number, then `name  value` lines.
struct VerticalLayout: ResultLayout {
  private let cells: [CellReader]
  /// Names made visible and padded to the longest.
  private let names: [[UInt8]]
  private let ruleCells: Int

  init(_ result: QueryResult) {
    cells = result.columns.map(CellReader.init)
    let visible = result.columns.map { GridLayout.visible($0.name) }
    let widest = visible.map(\.cells).max() ?? 0
    names = visible.map { $0.bytes + Array(repeating: UInt8(ascii: " "), count: widest - $0.cells + 2) }
    ruleCells = max(20, min(60, widest + 20))
  }

  mutating func begin(_ out: inout TextBuffer) {}

  mutating func row(_ row: Int, _ out: inout TextBuffer) {
    out.append("─[ row ")
    let start = out.bytes.count
    out.append(decimal: UInt64(row) + 1)
    let digits = out.bytes.count - start
    out.append(" ]")
    out.append("─", count: ruleCells - 9 - digits)
    out.append(UInt8(ascii: "\n"))
    for (name, cell) in zip(names, cells) {
      out.bytes.append(contentsOf: name)
      cell.appendPeople(row, &out)
      out.append(UInt8(ascii: "\n"))
    }
  }

  mutating func end(_ out: inout TextBuffer) {}
}
