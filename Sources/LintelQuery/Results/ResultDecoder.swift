/// Turns the json format back into a ``QueryResult``, so that a client can show a server's answer in any format.
///
/// Enumerations come back with the labels that occur, which is all that showing them needs. An empty attribute value and
/// NULL are the same `null` in JSON: both come back as NULL.
package enum ResultDecoder {
  package static func decode(_ bytes: [UInt8]) throws(ResultDecodingError) -> QueryResult {
    // Through `Result`, since the closure's errors lose their type on the way out.
    let outcome = bytes.withUnsafeBufferPointer { buffer -> Result<QueryResult, ResultDecodingError> in
      do throws(ResultDecodingError) { return .success(try decode(buffer)) } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  private static func decode(
    _ bytes: UnsafeBufferPointer<UInt8>
  ) throws(ResultDecodingError) -> QueryResult {
    var scanner = JSONScanner(bytes)
    var columns: [ResultColumnBuilder] = []
    var rowCount = 0
    var statistics = QueryResult.Statistics()
    var warnings: [String] = []
    try scanner.object { scanner, key throws(ResultDecodingError) in
      switch key {
      case "columns": columns = try self.columns(&scanner)
      case "rows": rowCount = try rows(&scanner, &columns)
      case "statistics": statistics = try self.statistics(&scanner)
      case "warnings":
        try scanner.array { scanner throws(ResultDecodingError) in warnings.append(try scanner.string()) }
      default: try skip(&scanner)
      }
    }
    guard scanner.peek() == 0 else { throw scanner.failure("the end") }
    return QueryResult(
      columns: columns.map { $0.finish() }, rowCount: rowCount, statistics: statistics, warnings: warnings)
  }

  private static func columns(_ scanner: inout JSONScanner) throws(ResultDecodingError) -> [ResultColumnBuilder] {
    var columns: [ResultColumnBuilder] = []
    try scanner.array { scanner throws(ResultDecodingError) in
      var name = ""
      var type = ""
      try scanner.object { scanner, key throws(ResultDecodingError) in
        switch key {
        case "name": name = try scanner.string()
        case "type": type = try scanner.string()
        default: try skip(&scanner)
        }
      }
      columns.append(ResultColumnBuilder(name: name, type: type))
    }
    return columns
  }

  private static func rows(
    _ scanner: inout JSONScanner, _ columns: inout [ResultColumnBuilder]
  ) throws(ResultDecodingError) -> Int {
    var count = 0
    try scanner.array { scanner throws(ResultDecodingError) in
      var index = 0
      try scanner.array { scanner throws(ResultDecodingError) in
        guard index < columns.count else { throw scanner.failure("a row of \(columns.count) values") }
        try columns[index].append(&scanner)
        index += 1
      }
      guard index == columns.count else { throw scanner.failure("a row of \(columns.count) values") }
      count += 1
    }
    return count
  }

  private static func statistics(
    _ scanner: inout JSONScanner
  ) throws(ResultDecodingError) -> QueryResult.Statistics {
    var statistics = QueryResult.Statistics()
    try scanner.object { scanner, key throws(ResultDecodingError) in
      switch key {
      case "elapsed_ms": statistics.elapsedMilliseconds = try scanner.double()
      case "rows_read": statistics.rowsRead = Int(try scanner.integer())
      case "bytes_read": statistics.bytesRead = Int(try scanner.integer())
      default: try skip(&scanner)
      }
    }
    return statistics
  }

  /// Members that a later version may add.
  private static func skip(_ scanner: inout JSONScanner) throws(ResultDecodingError) {
    var ignored: [UInt8] = []
    try scanner.variant(into: &ignored)
  }
}
