internal import LintelColumns
internal import LintelStorage

extension QueryEngine {
  func show(_ show: ShowSyntax) throws(QueryError) -> QueryResult {
    switch show.subject {
    case .tables: try showTables()
    case .parts(let table): try showParts(table)
    case .columns(let table): try describe(table)
    case .attributes(let table): try showAttributes(table)
    case .problems: showProblems()
    case .tiers: try showTiers()
    }
  }

  private func showTables() throws(QueryError) -> QueryResult {
    var answer = ResultTable([("table", .string), ("rows", .int64), ("columns", .int64)])
    for name in catalog.tableNames {
      let snapshot = try storing(at: nil) { () throws(StorageError) in try catalog.snapshot(name) }
      let columns = snapshot.schema.columns.count { !$0.isHidden } + snapshot.schema.computed.count
      answer.append(.text(name), .count(snapshot.rowCount), .count(columns))
    }
    return answer.result
  }

  private func showParts(_ table: TableSyntax?) throws(QueryError) -> QueryResult {
    var answer = ResultTable([
      ("table", .string), ("part", .string), ("tier", .string), ("shard", .int64), ("level", .int64), ("rows", .int64),
      ("bytes", .int64), ("min_time", .timestamp), ("max_time", .timestamp), ("pieces", .int64),
    ])
    var names = catalog.tableNames
    var hasContent = true
    if let table {
      let schema = try Binder.snapshot(of: table, catalog: catalog).schema
      names = [schema.name]
      hasContent = schema.content != nil
    }
    for name in names {
      for part in try storing(at: table?.offset, { () throws(StorageError) in try catalog.parts(name) }) {
        answer.append(
          .text(part.table), .text(part.name), .text(part.tier?.rawValue ?? "memory"), .count(part.shard),
          .count(part.level), .count(part.rows), .count(part.bytes), .int64(part.minTime), .int64(part.maxTime))
      }
    }
    guard hasContent else { return answer.result }
    for segment in try storing(at: table?.offset, { () throws(StorageError) in try catalog.content() }) {
      answer.append(
        .text("content"), .text(segment.name), .text("hot"), .count(segment.shard), .count(segment.level), .null,
        .count(segment.bytes), .null, .null, .count(segment.pieces))
    }
    return answer.result
  }

  private func showTiers() throws(QueryError) -> QueryResult {
    var answer = ResultTable([
      ("table", .string), ("tier", .string), ("parts", .int64), ("rows", .int64), ("bytes", .int64),
      ("oldest", .timestamp), ("newest", .timestamp), ("after", .duration), ("directory", .string),
    ])
    for name in catalog.tableNames {
      for tier in try storing(at: nil, { () throws(StorageError) in try catalog.tiers(name) }) {
        answer.append(
          .text(name), .text(tier.tier.rawValue), .count(tier.parts), .count(tier.rows), .count(tier.bytes),
          tier.oldest.map { .int64($0) } ?? .null, tier.newest.map { .int64($0) } ?? .null,
          tier.afterSeconds.map { .int64(Int64(exactly: ($0 * 1e9).rounded()) ?? .max) } ?? .null,
          .text(tier.directory))
      }
    }
    return answer.result
  }

  private func showAttributes(_ table: TableSyntax) throws(QueryError) -> QueryResult {
    let snapshot = try Binder.snapshot(of: table, catalog: catalog)
    var parts: [AttributeKey: Int] = [:]
    for segment in snapshot.segments {
      for key in segment.attributeKeys { parts[key, default: 0] += 1 }
    }
    var answer = ResultTable([("attribute", .string), ("type", .string), ("parts", .int64)])
    for (key, count) in parts.sorted(by: { $0.key < $1.key }) {
      answer.append(.text(key.name), .text(key.kind.type.name), .count(count))
    }
    return answer.result
  }

  private func showProblems() -> QueryResult {
    var answer = ResultTable([("kind", .string), ("file", .string), ("problem", .string)])
    for problem in catalog.problems {
      answer.append(.text("\(problem.code)"), problem.path.map { .text($0) } ?? .null, .text(problem.message))
    }
    return answer.result
  }

  /// A row for each file; `problem` is null where nothing is wrong.
  func check() throws(QueryError) -> QueryResult {
    var answer = ResultTable([("file", .string), ("bytes", .int64), ("problem", .string)])
    for file in try storing(at: nil, { () throws(StorageError) in try catalog.check() }) {
      answer.append(.text(file.name), .count(file.bytes), file.problem.map { .text($0.message) } ?? .null)
    }
    return answer.result
  }

  // MARK: DESCRIBE

  func describe(_ table: TableSyntax) throws(QueryError) -> QueryResult {
    let snapshot = try Binder.snapshot(of: table, catalog: catalog)
    let schema = snapshot.schema
    var answer = ResultTable([("column", .string), ("type", .string), ("nullable", .bool), ("description", .string)])
    for column in schema.columns where !column.isHidden {
      var description = column.documentation
      if case .enumeration(let enumeration) = column.type {
        let values = "one of " + enumeration.labels.joined(separator: ", ")
        description = description.isEmpty ? values : description + " (" + values + ")"
      }
      answer.append(.text(column.name), .text(column.type.name), .bool(column.isNullable), .text(description))
    }
    for column in schema.computed {
      let select = try computedPlan(column.name, of: table)
      let type = select.outputs.first?.expression.type.name ?? ""
      let formula = "computed: \(column.expression)"
      let description = column.documentation.isEmpty ? formula : "\(column.documentation) (\(formula))"
      answer.append(.text(column.name), .text(type), .bool(true), .text(description))
    }
    if schema.hasAttributes {
      answer.append(
        .text("attributes['..']"), .text(ColumnType.variant.name), .bool(true),
        .text("dynamic; SHOW ATTRIBUTES FROM \(schema.name) lists the keys"))
    }
    return answer.result
  }

  private func computedPlan(_ column: String, of table: TableSyntax) throws(QueryError) -> QueryPlan {
    func quoted(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
    return try plan("SELECT \(quoted(column)) FROM \(quoted(table.name))")
  }

  func describeStorage(_ table: TableSyntax) throws(QueryError) -> QueryResult {
    let name = try Binder.snapshot(of: table, catalog: catalog).schema.name
    var answer = ResultTable([
      ("column", .string), ("type", .string), ("encodings", .string), ("blocks", .int64), ("values", .int64),
      ("bytes", .int64), ("index_bytes", .int64), ("dictionary_bytes", .int64), ("filter_bytes", .int64),
      ("raw_bytes", .int64), ("bytes_per_row", .float64), ("share", .float64),
    ])
    for column in try storing(at: table.offset, { () throws(StorageError) in try catalog.storage(name) }) {
      answer.append(
        .text(column.column), .text(column.type), .text(column.encodings.joined(separator: ", ")),
        .count(column.blocks), .count(column.values), .count(column.bytes), .count(column.indexBytes),
        .count(column.dictionaryBytes), .count(column.filterBytes), .count(column.rawBytes),
        .float64(column.bytesPerRow), .float64(column.share))
    }
    return answer.result
  }
}
