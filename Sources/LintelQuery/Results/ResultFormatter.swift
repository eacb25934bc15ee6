internal import LintelColumns

/// Turns a ``QueryResult`` into text.
///
///     let formatter = ResultFormatter(.json)
///     try formatter.write(result) { chunk in try file.append(chunk) }
///
/// The text is UTF-8 and ends with a newline; chunks are about 64 KiB and are not aligned with rows.
public struct ResultFormatter: Sendable {
  public var format: ResultFormat
  /// Cells of the terminal that `table` and `box` must fit into by clipping text; `nil` clips nothing.
  public var width: Int?

  static let chunkBytes = 64 << 10

  public init(_ format: ResultFormat, width: Int? = nil) {
    self.format = format
    self.width = width
  }

  /// The whole text.
  public func bytes(_ result: QueryResult) -> [UInt8] {
    var all: [UInt8] = []
    write(result) { chunk in all.append(contentsOf: chunk) }
    return all
  }

  /// Hands the text to `sink`, chunk by chunk, in order. What `sink` throws ends the writing.
  public func write<Failure: Error>(
    _ result: QueryResult, to sink: ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    switch format {
    case .table: try stream(GridLayout(result, style: .table, width: width), result.rowCount, sink)
    case .box: try stream(GridLayout(result, style: .box, width: width), result.rowCount, sink)
    case .markdown: try stream(GridLayout(result, style: .markdown, width: nil), result.rowCount, sink)
    case .csv: try stream(DelimitedLayout(result, style: .csv), result.rowCount, sink)
    case .tsv: try stream(DelimitedLayout(result, style: .tsv), result.rowCount, sink)
    case .json: try stream(JSONLayout(result), result.rowCount, sink)
    case .jsonlines: try stream(JSONLinesLayout(result), result.rowCount, sink)
    case .vertical: try stream(VerticalLayout(result), result.rowCount, sink)
    }
  }

  /// Whether `box` or `table` can show every column of `result` in ``width`` without cutting short what must be whole.
  public func fits(_ result: QueryResult) -> Bool {
    switch format {
    case .table: GridLayout(result, style: .table, width: width).fits
    case .box: GridLayout(result, style: .box, width: width).fits
    default: true
    }
  }

  private func stream<Layout: ResultLayout, Failure: Error>(
    _ layout: Layout, _ rowCount: Int, _ sink: ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    var layout = layout
    var out = TextBuffer()
    out.bytes.reserveCapacity(Self.chunkBytes + Self.chunkBytes / 4)
    layout.begin(&out)
    for row in 0..<rowCount {
      layout.row(row, &out)
      if out.bytes.count >= Self.chunkBytes {
        try sink(out.bytes)
        out.bytes.removeAll(keepingCapacity: true)
      }
    }
    layout.end(&out)
    if !out.bytes.isEmpty { try sink(out.bytes) }
  }
}

/// One way to lay rows out. Rows are asked for in order, each once.
protocol ResultLayout {
  mutating func begin(_ out: inout TextBuffer)
  mutating func row(_ row: Int, _ out: inout TextBuffer)
  mutating func end(_ out: inout TextBuffer)
}
