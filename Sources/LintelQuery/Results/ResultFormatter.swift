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
    var text = LaidOutText(layout, rowCount: rowCount)
    while let chunk = text.next() { try sink(chunk) }
  }

  /// The JSON text in chunks, for who wants to stop between two of them.
  ///
  ///     var text = ResultFormatter.json(result)
  ///     while let chunk = text.next() { .. }
  public static func json(_ result: QueryResult) -> JSONText { JSONText(result) }

  /// An answer as JSON, chunk by chunk.
  public struct JSONText: Sendable {
    private var text: LaidOutText<JSONLayout>

    init(_ result: QueryResult) { text = LaidOutText(JSONLayout(result), rowCount: result.rowCount) }

    /// About 64 KiB more; `nil` after the last.
    public mutating func next() -> [UInt8]? { text.next() }

    /// Whether there is nothing more.
    public var isAtEnd: Bool { text.isAtEnd }
  }
}

/// Rows in a layout, chunk by chunk.
struct LaidOutText<Layout: ResultLayout> {
  private var layout: Layout
  private let rowCount: Int
  private var row = 0
  private var hasBegun = false
  private(set) var isAtEnd = false

  init(_ layout: Layout, rowCount: Int) {
    self.layout = layout
    self.rowCount = rowCount
  }

  mutating func next() -> [UInt8]? {
    guard !isAtEnd else { return nil }
    var out = TextBuffer()
    out.bytes.reserveCapacity(row == 0 && rowCount < 64 ? 4096 : ResultFormatter.chunkBytes * 5 / 4)
    if !hasBegun { layout.begin(&out) }
    hasBegun = true
    while row < rowCount {
      layout.row(row, &out)
      row += 1
      if out.bytes.count >= ResultFormatter.chunkBytes { return out.bytes }
    }
    layout.end(&out)
    isAtEnd = true
    return out.bytes.isEmpty ? nil : out.bytes
  }
}

extension LaidOutText: Sendable where Layout: Sendable {}

/// One way to lay rows out. Rows are asked for in order, each once.
protocol ResultLayout {
  mutating func begin(_ out: inout TextBuffer)
  mutating func row(_ row: Int, _ out: inout TextBuffer)
  mutating func end(_ out: inout TextBuffer)
}
