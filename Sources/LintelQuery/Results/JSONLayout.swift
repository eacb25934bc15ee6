internal import LintelColumns

#if canImport(Glibc)
  internal import Glibc
#endif

/// `{"columns":[..],"rows":[[..]],"statistics":{..}}`, one row a line; `"warnings":[..]` where there are any, and
/// `"empty_values":[[row,column],..]`, counted from 0, where a `null` stands for an empty value of an attribute.
struct JSONLayout: ResultLayout {
  private let result: QueryResult
  private var emptyValues: [(row: Int, column: Int)] = []
  private let cells: [CellReader]

  init(_ result: QueryResult) {
    self.result = result
    cells = result.columns.map(CellReader.init)
  }

  mutating func begin(_ out: inout TextBuffer) {
    out.append("{\"columns\":[")
    for (index, column) in result.columns.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out.append("{\"name\":")
      out.append(jsonString: column.name)
      out.append(",\"type\":")
      out.append(jsonString: column.type.name)
      out.append(UInt8(ascii: "}"))
    }
    out.append("],\"rows\":[")
  }

  mutating func row(_ row: Int, _ out: inout TextBuffer) {
    out.append(row == 0 ? "\n[" : ",\n[")
    var isFirst = true
    for (column, cell) in cells.enumerated() {
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      cell.appendJSON(row, &out)
      if cell.kind == .variant, cell.isEmptyValue(row) { emptyValues.append((row, column)) }
    }
    out.append(UInt8(ascii: "]"))
  }

  mutating func end(_ out: inout TextBuffer) {
    out.append(result.rowCount > 0 ? "\n],\"statistics\":{\"elapsed_ms\":" : "],\"statistics\":{\"elapsed_ms\":")
    let elapsed = result.statistics.elapsedMilliseconds
    out.append(double: elapsed.isFinite ? (elapsed * 1000).rounded() / 1000 : 0)
    out.append(",\"rows_read\":")
    out.append(decimal: Int64(result.statistics.rowsRead))
    out.append(",\"bytes_read\":")
    out.append(decimal: Int64(result.statistics.bytesRead))
    out.append(UInt8(ascii: "}"))
    if !emptyValues.isEmpty {
      out.append(",\"empty_values\":[")
      for (index, place) in emptyValues.enumerated() {
        out.append(index > 0 ? ",[" : "[")
        out.append(decimal: Int64(place.row))
        out.append(UInt8(ascii: ","))
        out.append(decimal: Int64(place.column))
        out.append(UInt8(ascii: "]"))
      }
      out.append(UInt8(ascii: "]"))
    }
    if !result.warnings.isEmpty {
      out.append(",\"warnings\":[")
      for (index, warning) in result.warnings.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        out.append(jsonString: warning)
      }
      out.append(UInt8(ascii: "]"))
    }
    out.append("}\n")
  }
}

/// One object a row.
struct JSONLinesLayout: ResultLayout {
  private let cells: [CellReader]
  /// `{"name":` of the first column, `,"name":` of the others.
  private let labels: [[UInt8]]

  init(_ result: QueryResult) {
    cells = result.columns.map(CellReader.init)
    labels = result.columns.enumerated().map { index, column in
      var label = TextBuffer()
      label.append(UInt8(ascii: index == 0 ? "{" : ","))
      label.append(jsonString: column.name)
      label.append(UInt8(ascii: ":"))
      return label.bytes
    }
  }

  mutating func begin(_ out: inout TextBuffer) {}

  mutating func row(_ row: Int, _ out: inout TextBuffer) {
    for (label, cell) in zip(labels, cells) {
      out.bytes.append(contentsOf: label)
      cell.appendJSON(row, &out)
    }
    out.append(cells.isEmpty ? "{}\n" : "}\n")
  }

  mutating func end(_ out: inout TextBuffer) {}
}
