internal import LintelColumns

extension Binder {
  mutating func bindAggregate(_ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope) throws(QueryError) -> Expression {
    guard scope.isGrouped else {
      throw QueryError(
        .binding, "\(call.name) is an aggregate, and aggregates can't stand \(scope.clause)",
        offset: node.range.lowerBound)
    }
    if call.isDistinct, call.name != "count" {
      throw QueryError(
        .binding, "DISTINCT is for count alone, not for \(call.name)", offset: node.range.lowerBound)
    }
    if call.isStar, call.name != "count" {
      throw QueryError(.binding, "* is for count alone, not for \(call.name)", offset: node.range.lowerBound)
    }
    let rows = Scope(clause: "inside an aggregate")
    var filter: Expression?
    if let condition = call.filter { filter = try bindCondition(condition, rows, "FILTER") }
    let (function, operands, type) = try bindFunction(call, node, rows)
    return register(AggregateCall(function, operands: operands, filter: filter, type: type))
  }

  private mutating func register(_ call: AggregateCall) -> Expression {
    if let index = calls.firstIndex(of: call) { return .aggregate(index, call.type) }
    calls.append(call)
    return .aggregate(calls.count - 1, call.type)
  }

  private typealias Bound = (AggregateCall.Function, [Expression], ColumnType)

  private mutating func bindFunction(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Bound {
    switch call.name {
    case "count":
      if call.isStar { return (.count, [], .int64) }
      try checkCount(call, node, 1...1, "count(*), count(x) or count(DISTINCT x)")
      return (call.isDistinct ? .countDistinct : .count, [try bind(call.arguments[0], scope)], .int64)
    case "approx_count_distinct":
      try checkCount(call, node, 1...1, "approx_count_distinct(x)")
      return (.approximateCountDistinct, [try bind(call.arguments[0], scope)], .int64)
    case "sum", "avg", "stddev":
      try checkCount(call, node, 1...1, "\(call.name)(x)")
      return try bindArithmetic(call, scope)
    case "min", "max", "any", "any_value":
      try checkCount(call, node, 1...1, "\(call.name)(x)")
      let value = try bind(call.arguments[0], scope)
      return (call.name == "min" ? .min : call.name == "max" ? .max : .any, [value], value.type)
    case "arg_min", "arg_max":
      try checkCount(call, node, 2...2, "\(call.name)(value, key)")
      let value = try bind(call.arguments[0], scope)
      let key = try bind(call.arguments[1], scope)
      return (call.name == "arg_min" ? .argMin : .argMax, [value, key], value.type)
    case "histogram":
      try checkCount(call, node, 1...2, "histogram(x, buckets)")
      let value = try bindNumber(call.arguments[0], scope, "the argument of histogram")
      return (.histogram(buckets: try size(call, 1, standard: 20, scope)), [value], .variant)
    case "top_k":
      try checkCount(call, node, 1...2, "top_k(x, k)")
      let value = try bind(call.arguments[0], scope)
      return (.topK(try size(call, 1, standard: 10, scope)), [value], .variant)
    default: return try bindQuantile(call, node, scope)
    }
  }

  private mutating func bindArithmetic(_ call: CallSyntax, _ scope: Scope) throws(QueryError) -> Bound {
    let node = call.arguments[0]
    if call.name == "sum", case .bool = try bind(node, scope, hint: .number).type {
      throw QueryError(
        .binding, "sum adds numbers, and this is bool", offset: node.range.lowerBound,
        hint: "count(*) FILTER (WHERE ..) counts what holds")
    }
    let value = try bindNumber(node, scope, "the argument of \(call.name)")
    if call.name == "avg" { return (.average, [value], .float64) }
    if call.name == "stddev" { return (.standardDeviation, [value], .float64) }
    guard value.type != .timestamp else {
      throw QueryError(.binding, "timestamps have no sum", offset: node.range.lowerBound)
    }
    return (.sum, [value], value.type == .uint32 ? .int64 : value.type)
  }

  private mutating func bindQuantile(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Bound {
    let fixed: [String: Double] = [
      "median": 0.5, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999,
    ]
    let rank: Double
    if let known = fixed[call.name] {
      try checkCount(call, node, 1...1, "\(call.name)(x)")
      rank = known
    } else {
      try checkCount(call, node, 2...2, "\(call.name)(x, 0.95)")
      switch try bind(call.arguments[1], scope) {
      case .constant(.float64(let number), _) where (0...1).contains(number): rank = number
      case .constant(.int64(let number), .int64) where (0...1).contains(number): rank = Double(number)
      default:
        throw QueryError(
          .binding, "the rank of a quantile is a number from 0 to 1", offset: call.arguments[1].range.lowerBound)
      }
    }
    let value = try bindNumber(call.arguments[0], scope, "the argument of \(call.name)")
    // A hundredth of the time since 1970 would be no answer.
    let isExact = call.name == "quantile_exact" || value.type == .timestamp
    return (isExact ? .quantileExact(rank) : .quantile(rank), [value], value.type)
  }

  /// An optional count among the arguments: buckets, or entries.
  private mutating func size(
    _ call: CallSyntax, _ index: Int, standard: Int, _ scope: Scope
  ) throws(QueryError) -> Int {
    guard call.arguments.count > index else { return standard }
    guard case .constant(.int64(let number), .int64) = try bind(call.arguments[index], scope),
      (1...1000).contains(number)
    else {
      throw QueryError(
        .binding, "\(call.name) takes a number from 1 to 1000 here", offset: call.arguments[index].range.lowerBound)
    }
    return Int(number)
  }
}
