internal import LintelColumns

/// Puts the results of SHOW, DESCRIBE and EXPLAIN together, row by row.
struct ResultTable {
  private let names: [String]
  private let types: [ColumnType]
  private var rows: [[Value]] = []

  init(_ columns: [(name: String, type: ColumnType)]) {
    names = columns.map(\.name)
    types = columns.map(\.type)
  }

  /// Adds a row; values that are missing are null.
  mutating func append(_ row: Value...) { append(row) }

  mutating func append(_ row: [Value]) { rows.append(row) }

  var result: QueryResult {
    let columns = names.indices.map { index in
      QueryResult.Column(
        name: names[index], type: types[index],
        values: Self.vector(rows.map { index < $0.count ? $0[index] : .null }, types[index].physical))
    }
    return QueryResult(columns: columns, rowCount: rows.count)
  }

  private static func vector(_ values: [Value], _ type: PhysicalType) -> ColumnVector {
    var validity = Bitmap(repeating: true, count: values.count)
    var integers: [Int64] = []
    var doubles: [Double] = []
    var booleans: [Bool] = []
    var ids: [UInt128] = []
    var strings = ByteStrings()
    for (row, value) in values.enumerated() {
      if value == .null { validity[row] = false }
      switch (type, value) {
      case (.int64, .int64(let number)): integers.append(number)
      case (.int64, _): integers.append(0)
      case (.float64, .float64(let number)): doubles.append(number)
      case (.float64, _): doubles.append(0)
      case (.bool, _): booleans.append(value == .bool(true))
      case (.id128, .id128(let id)): ids.append(id)
      case (.id128, _): ids.append(0)
      case (.bytes, .bytes(let bytes)): strings.append(bytes)
      case (.bytes, _): strings.append([UInt8]())
      }
    }
    let storage: ColumnVector.Storage =
      switch type {
      case .int64: .int64(integers)
      case .float64: .float64(doubles)
      case .bool: .bool(booleans)
      case .id128: .id128(ids)
      case .bytes: .bytes(strings)
      }
    return ColumnVector(storage, validity: validity.setCount == values.count ? nil : validity)
  }

  /// One column of text named `plan`.
  static func lines(_ lines: [String]) -> QueryResult {
    var table = ResultTable([("plan", .string)])
    for line in lines { table.append(.text(line)) }
    return table.result
  }

  /// What a statement answers that has nothing to tell.
  static func done() -> QueryResult { QueryResult(columns: [], rowCount: 0) }
}

extension Value {
  static func text(_ text: String) -> Value { .bytes(Array(text.utf8)) }

  static func count(_ count: Int) -> Value { .int64(Int64(clamping: count)) }
}
