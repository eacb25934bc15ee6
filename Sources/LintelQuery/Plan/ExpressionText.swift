internal import LintelColumns

/// Writes bound expressions the way one would write them in SpanQL, for EXPLAIN.
struct ExpressionText {
  /// Longest IN list that is written out.
  static let listLimit = 6

  let schema: TableSchema?
  let aggregation: QueryPlan.Aggregation?
  var join: TraceJoin?

  func text(_ expression: Expression) -> String {
    switch expression {
    case .constant(let value, let type): constant(value, type)
    case .column(let index, _): columnName(index)
    case .attribute(let read): "attributes['\(read.name)']"
    case .groupKey(let index, _):
      if let keys = aggregation?.keys, index < keys.count { rows.text(keys[index]) } else { "key \(index)" }
    case .aggregate(let index, _):
      if let calls = aggregation?.calls, index < calls.count { rows.text(calls[index]) } else { "aggregate \(index)" }
    case .call(let function, let operands, _): call(function, operands)
    case .caseWhen(let branches, let otherwise, _): choice(branches, otherwise)
    case .inList(let operand, let values, let hasNull):
      "\(grouped(operand)) IN (\(list(values, operand.type, hasNull: hasNull)))"
    case .inSubquery(let operand, let index): "\(grouped(operand)) IN (subquery \(index + 1))"
    }
  }

  /// The same below the aggregation.
  private var rows: ExpressionText { ExpressionText(schema: schema, aggregation: nil, join: join) }

  func columnName(_ index: Int) -> String {
    if let join {
      guard index < join.columns.count else { return "column \(index)" }
      let column = join.columns[index]
      return join.name(of: column.side) + "." + ExpressionText(schema: schema, aggregation: nil).text(column.source)
    }
    guard let schema, schema.columns.indices.contains(index) else { return "column \(index)" }
    return schema.columns[index].name
  }

  func text(_ call: AggregateCall) -> String {
    var operands = call.operands.map(text).joined(separator: ", ")
    let name: String
    switch call.function {
    case .count:
      name = "count"
      if operands.isEmpty { operands = "*" }
    case .countDistinct:
      name = "count"
      operands = "DISTINCT " + operands
    case .approximateCountDistinct: name = "approx_count_distinct"
    case .sum: name = "sum"
    case .average: name = "avg"
    case .min: name = "min"
    case .max: name = "max"
    case .any: name = "any"
    case .argMin: name = "arg_min"
    case .argMax: name = "arg_max"
    case .quantile(let rank):
      name = "quantile"
      operands += ", \(rank)"
    case .quantileExact(let rank):
      name = "quantile_exact"
      operands += ", \(rank)"
    case .standardDeviation: name = "stddev"
    case .histogram(let buckets):
      name = "histogram"
      operands += ", \(buckets)"
    case .topK(let count):
      name = "top_k"
      operands += ", \(count)"
    }
    return "\(name)(\(operands))" + (call.filter.map { " FILTER (WHERE \(text($0)))" } ?? "")
  }

  // MARK: Constants

  private func constant(_ value: Value, _ type: ColumnType) -> String {
    switch (value, type) {
    case (.null, _): "NULL"
    case (.bool(let flag), _): flag ? "TRUE" : "FALSE"
    case (.int64, .money): (TextFormats.text(value, type) ?? "") + "usd"
    case (.int64, .int64), (.int64, .uint32), (.float64, _): TextFormats.text(value, type) ?? ""
    case (.int64(let nanoseconds), .duration): Self.duration(nanoseconds)
    default:
      TextFormats.text(value, type).map { "'" + $0.replacing("'", with: "''") + "'" } ?? "a \(type.name)"
    }
  }

  /// In the largest unit that needs no fraction.
  static func duration(_ nanoseconds: Int64) -> String {
    let unit = TextFormats.durationUnits.last { nanoseconds % $0.nanoseconds == 0 && nanoseconds != 0 }
    return unit.map { "\(nanoseconds / $0.nanoseconds)\($0.name)" } ?? "\(nanoseconds)ns"
  }

  private func list(_ values: [Value], _ type: ColumnType, hasNull: Bool) -> String {
    var parts = values.prefix(Self.listLimit).map { constant($0, type) }
    if values.count > Self.listLimit { parts.append(".. \(values.count - Self.listLimit) more") }
    if hasNull { parts.append("NULL") }
    return parts.joined(separator: ", ")
  }

  // MARK: Calls

  private static let infix: [ScalarFunction: String] = [
    .equal: "=", .notEqual: "<>", .less: "<", .lessOrEqual: "<=", .greater: ">", .greaterOrEqual: ">=", .and: "AND",
    .or: "OR", .add: "+", .subtract: "-", .multiply: "*", .divide: "/", .modulo: "%", .like: "LIKE", .ilike: "ILIKE",
    .matches: "~", .concat: "||",
  ]

  private static let names: [ScalarFunction: String] = [
    .substring: "substring", .startsWith: "starts_with", .endsWith: "ends_with",
    .timeBucket: "time_bucket",
    .toInt64: "int64", .toFloat64: "float64", .toText: "string", .toBool: "bool", .toTimestamp: "timestamp",
    .toDuration: "duration", .toMoney: "money", .toVariant: "any", .variantText: "string_of",
    .variantBool: "bool_of", .variantNumber: "number_of", .textArray: "array", .digestArray: "digests",
    .hasOrigin: "has_origin",
  ]

  private func call(_ function: ScalarFunction, _ operands: [Expression]) -> String {
    if let infix = Self.infix[function], operands.count > 1 {
      return operands.map(grouped).joined(separator: " \(infix) ")
    }
    switch (function, operands.count) {
    case (.not, 1): return "NOT \(grouped(operands[0]))"
    case (.isNull, 1): return "\(grouped(operands[0])) IS NULL"
    case (.negate, 1): return "-\(grouped(operands[0]))"
    case (.unflatten, 1...): return "unflatten(attributes, \(text(operands[0])))"
    case (.roundTo, 2):
      // Digits of money are those of dollars.
      if operands[0].type == .money, case .constant(.int64(let places), _) = operands[1] {
        return "round(\(text(operands[0])), \(places + 9))"
      }
      return "round(\(text(operands[0])), \(text(operands[1])))"
    case (.element, 2): return "\(grouped(operands[0]))[\(text(operands[1]))]"
    default:
      let name = Self.names[function] ?? function.rawValue
      return "\(name)(\(operands.map(text).joined(separator: ", ")))"
    }
  }

  /// An operand, in parentheses where it is an operation itself.
  private func grouped(_ operand: Expression) -> String {
    if case .call(let function, let operands, _) = operand {
      let isInfix = Self.infix[function] != nil && operands.count > 1
      if isInfix || function == .not || function == .isNull || function == .negate { return "(\(text(operand)))" }
    }
    return text(operand)
  }

  private func choice(_ branches: [Expression.CaseBranch], _ otherwise: Expression) -> String {
    if let attribute = movedAttribute(branches) { return attribute }
    let cases = branches.map { "WHEN \(text($0.condition)) THEN \(text($0.result))" }
    return "CASE \(cases.joined(separator: " ")) ELSE \(text(otherwise)) END"
  }

  /// A choice by origin is how an attribute is read that may have been moved into a column.
  private func movedAttribute(_ branches: [Expression.CaseBranch]) -> String? {
    guard case .call(.hasOrigin, let operands, _)? = branches.first?.condition, operands.count == 2,
      case .constant(let entry, _) = operands[1],
      let move = schema?.movedAttributes.first(where: { Value.text($0.originEntry) == entry })
    else { return nil }
    var side = ""
    if case .column(let index, _) = operands[0], let join, index < join.columns.count {
      side = join.name(of: join.columns[index].side) + "."
    }
    return "\(side)\(move.list)['\(move.key)']"
  }
}
