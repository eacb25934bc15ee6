internal import LintelColumns

/// Why a text is not the result it should be.
package struct ResultDecodingError: Error, Sendable, CustomStringConvertible {
  package let description: String
}

/// Turns the json format back into a ``QueryResult``, so that a client can show a server's answer in any format.
///
/// Enumerations come back with the labels that occur, which is all that showing them needs. An empty attribute value and
/// NULL are the same `null` in JSON; which are empty values stands behind the rows.
package enum ResultDecoder {
  package static func decode(_ bytes: [UInt8]) throws(ResultDecodingError) -> QueryResult {
    // Through `Result`, since the closure's errors lose their type on the way out.
    let outcome = bytes.withUnsafeBytes { buffer -> Result<QueryResult, JSONError> in
      do throws(JSONError) { return .success(try decode(buffer)) } catch { return .failure(error) }
    }
    return try outcome.mapError { ResultDecodingError(description: "the answer is not a result: \($0)") }.get()
  }

  private static func decode(_ bytes: UnsafeRawBufferPointer) throws(JSONError) -> QueryResult {
    var scanner = JSONScanner(bytes)
    var columns: [ResultColumnBuilder] = []
    var rowCount = 0
    var statistics = QueryResult.Statistics()
    var warnings: [String] = []
    var emptyRows: [Int: [Int]] = [:]
    try scanner.object { scanner, key throws(JSONError) in
      switch key {
      case "columns": columns = try self.columns(&scanner)
      case "rows": rowCount = try rows(&scanner, &columns)
      case "statistics": statistics = try self.statistics(&scanner)
      case "warnings":
        try scanner.array { scanner throws(JSONError) in warnings.append(try scanner.string()) }
      case "empty_values":
        try scanner.array { scanner throws(JSONError) in
          var place: [Int64] = []
          try scanner.array { scanner throws(JSONError) in place.append(try scanner.int64()) }
          guard place.count == 2, place[0] >= 0, place[0] < Int64(rowCount), place[1] >= 0,
            place[1] < Int64(columns.count)
          else { throw scanner.error("expected the place of a value") }
          emptyRows[Int(place[1]), default: []].append(Int(place[0]))
        }
      default: try scanner.skipValue()
      }
    }
    scanner.skipWhiteSpace()
    guard scanner.isAtEnd else { throw scanner.error("text follows the end of the result") }
    for (column, rows) in emptyRows { columns[column].setEmpty(rows) }
    return QueryResult(
      columns: columns.map { $0.finish() }, rowCount: rowCount, statistics: statistics, warnings: warnings)
  }

  private static func columns(_ scanner: inout JSONScanner) throws(JSONError) -> [ResultColumnBuilder] {
    var columns: [ResultColumnBuilder] = []
    try scanner.array { scanner throws(JSONError) in
      var name = ""
      var type = ""
      try scanner.object { scanner, key throws(JSONError) in
        switch key {
        case "name": name = try scanner.string()
        case "type": type = try scanner.string()
        default: try scanner.skipValue()
        }
      }
      columns.append(ResultColumnBuilder(name: name, type: type))
    }
    return columns
  }

  private static func rows(
    _ scanner: inout JSONScanner, _ columns: inout [ResultColumnBuilder]
  ) throws(JSONError) -> Int {
    var count = 0
    try scanner.array { scanner throws(JSONError) in
      var index = 0
      try scanner.array { scanner throws(JSONError) in
        guard index < columns.count else { throw scanner.error("expected a row of \(columns.count) values") }
        try columns[index].append(&scanner)
        index += 1
      }
      guard index == columns.count else { throw scanner.error("expected a row of \(columns.count) values") }
      count += 1
    }
    return count
  }

  private static func statistics(
    _ scanner: inout JSONScanner
  ) throws(JSONError) -> QueryResult.Statistics {
    var statistics = QueryResult.Statistics()
    try scanner.object { scanner, key throws(JSONError) in
      switch key {
      case "elapsed_ms": statistics.elapsedMilliseconds = try scanner.float64()
      case "rows_read": statistics.rowsRead = Int(try scanner.int64())
      case "bytes_read": statistics.bytesRead = Int(try scanner.int64())
      default: try scanner.skipValue()
      }
    }
    return statistics
  }
}
