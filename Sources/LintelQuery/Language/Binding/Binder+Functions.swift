internal import LintelColumns
internal import LintelStorage

extension Binder {
  mutating func bindCall(_ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope) throws(QueryError) -> Expression {
    if FunctionNames.aggregates.contains(call.name) { return try bindAggregate(call, node, scope) }
    guard FunctionNames.scalars.contains(call.name) else {
      throw QueryError(
        .binding, "there is no function \(call.name)", offset: node.range.lowerBound,
        hint: FunctionNames.elsewhere[call.name]
          ?? NameSuggestion.hint(for: call.name, among: FunctionNames.all.sorted()))
    }
    if call.isDistinct || call.isStar || call.filter != nil {
      let what = call.isDistinct ? "DISTINCT" : call.isStar ? "*" : "FILTER"
      throw QueryError(
        .binding, "\(what) belongs to aggregates, and \(call.name) is none", offset: node.range.lowerBound)
    }
    switch call.name {
    case "abs", "ceil", "ceiling", "exp", "floor", "ln", "log10", "log2", "mod", "pow", "power", "round", "sqrt":
      return try bindNumeric(call, node, scope)
    case "coalesce", "ifnull", "least", "greatest", "nullif": return try bindChoice(call, node, scope)
    case "content": return try bindContent(call, node, scope)
    case "digests": return try bindDigests(call, node, scope)
    case "unflatten": return try bindUnflatten(call, node, scope)
    case "now", "hash_user", "time_bucket": return try bindSpecial(call, node, scope)
    default: return try bindTextFunction(call, node, scope)
    }
  }

  func checkCount(_ call: CallSyntax, _ node: SyntaxNode, _ range: ClosedRange<Int>, _ usage: String) throws(QueryError)
  {
    guard !range.contains(call.arguments.count) else { return }
    throw QueryError(
      .binding, "\(call.name) has \(call.arguments.count) argument\(call.arguments.count == 1 ? "" : "s") here",
      offset: node.range.lowerBound, hint: "it is written \(usage)")
  }

  // MARK: Numbers

  private mutating func bindNumeric(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    let usesTwo = ["pow", "power", "mod"].contains(call.name)
    let most = usesTwo || call.name == "round" ? 2 : 1
    try checkCount(call, node, (usesTwo ? 2 : 1)...most, usesTwo ? "\(call.name)(x, y)" : "\(call.name)(x)")
    var arguments: [Expression] = []
    for argument in call.arguments { arguments.append(try bindNumber(argument, scope, "the argument of \(call.name)")) }
    let double = Self.toDouble(arguments[0])
    let isWhole = arguments[0].type != .float64
    switch call.name {
    case "abs":
      guard arguments[0].type != .timestamp else {
        throw QueryError(.binding, "abs takes a number or a duration", offset: node.range.lowerBound)
      }
      return .call(.abs, [arguments[0]], arguments[0].type)
    case "mod": return try arithmetic(.modulo, arguments[0], arguments[1], call.arguments[0], call.arguments[1])
    case "floor": return isWhole ? arguments[0] : .call(.floor, [double], .float64)
    case "ceil", "ceiling": return isWhole ? arguments[0] : .call(.ceil, [double], .float64)
    case "round": return try rounded(arguments, call)
    case "exp": return .call(.exp, [double], .float64)
    case "ln": return .call(.ln, [double], .float64)
    case "log10": return .call(.log10, [double], .float64)
    case "log2": return .call(.log2, [double], .float64)
    case "sqrt": return .call(.sqrt, [double], .float64)
    default: return .call(.power, [double, Self.toDouble(arguments[1])], .float64)
    }
  }

  /// `round(x [, digits])`; digits of money are those of dollars.
  private func rounded(_ arguments: [Expression], _ call: CallSyntax) throws(QueryError) -> Expression {
    let number = arguments[0]
    let isWhole = number.type != .float64
    guard arguments.count == 2 else { return isWhole ? number : .call(.round, [number], .float64) }
    if Self.isNull(arguments[1]) { return .constant(.null, number.type) }
    let limit: Int64 = 15
    guard case .constant(.int64(let digits), .int64) = arguments[1], (-limit...limit).contains(digits) else {
      throw QueryError(
        .binding, "the digits of round are a whole number from -\(limit) to \(limit)",
        offset: call.arguments[1].range.lowerBound)
    }
    let places: Int64
    switch number.type {
    case .money: places = digits - 9
    case .timestamp, .duration:
      throw QueryError(
        .binding, "round with digits takes a number or money", offset: call.arguments[0].range.lowerBound,
        hint: "time_bucket(10ms, x) rounds times and durations down")
    default: places = digits
    }
    if isWhole, places >= 0 { return number }
    if places == 0 { return .call(.round, [number], .float64) }
    return .call(.roundTo, [number, .constant(.int64(places), .int64)], number.type)
  }

  // MARK: Choice

  private mutating func bindChoice(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    if call.name == "nullif" {
      try checkCount(call, node, 2...2, "nullif(x, y)")
      let (left, right) = try bindPair(call.arguments[0], call.arguments[1], scope)
      let isEqual = try compare(.equal, left, right, call.arguments[0], call.arguments[1])
      let value = try bind(call.arguments[0], scope)
      return .caseWhen([.init(condition: isEqual, result: .constant(.null, value.type))], otherwise: value, value.type)
    }
    let isCoalesce = call.name == "coalesce" || call.name == "ifnull"
    try checkCount(call, node, (isCoalesce ? 1 : 2)...1000, "\(call.name)(x, y, ..)")
    let arguments = try bindAlike(call.arguments, scope, "the arguments of \(call.name)")
    let type = arguments[0].type
    if isCoalesce {
      // Attributes that no row has are NULL.
      let some = arguments.filter { !Self.isNull($0) }
      return some.count <= 1 ? some.first ?? arguments[0] : .call(.coalesce, some, type)
    }
    return .call(call.name == "least" ? .least : .greatest, arguments, type)
  }

  // MARK: Time and users

  private mutating func bindSpecial(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    switch call.name {
    case "now":
      try checkCount(call, node, 0...0, "now()")
      return .constant(.int64(now), .timestamp)
    case "hash_user":
      try checkCount(call, node, 1...1, "hash_user('user id')")
      guard case .constant(.bytes(let user), .string) = try bind(call.arguments[0], scope) else {
        throw QueryError(
          .binding, "hash_user takes a user id in quotes", offset: call.arguments[0].range.lowerBound)
      }
      do {
        return .constant(.id128(try catalog.hashUser(String(decoding: user, as: UTF8.self))), .id16)
      } catch {
        throw QueryError(.storage, error.description, offset: node.range.lowerBound)
      }
    default: return try bindTimeBucket(call, node, scope)
    }
  }

  private mutating func bindTimeBucket(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    try checkCount(call, node, 2...2, "time_bucket(5m, start_time)")
    let width = try bind(call.arguments[0], scope)
    guard case .constant(.int64(let nanoseconds), let type) = width, nanoseconds > 0,
      type == .duration || type == .int64
    else {
      throw QueryError(
        .binding, "the width of time_bucket is a duration above 0", offset: call.arguments[0].range.lowerBound,
        hint: "such as 5m")
    }
    let time = try bindNumber(call.arguments[1], scope, "the second argument of time_bucket")
    guard time.type == .timestamp || time.type == .duration || time.type == .int64 else {
      throw QueryError(
        .binding, "time_bucket takes a timestamp or a duration, not \(time.type.name)",
        offset: call.arguments[1].range.lowerBound)
    }
    return .call(.timeBucket, [.constant(.int64(nanoseconds), .duration), time], time.type)
  }

  // MARK: Text

  private mutating func bindTextFunction(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    switch call.name {
    case "concat":
      try checkCount(call, node, 1...1000, "concat(x, y, ..)")
      return try bindConcatenation(call.arguments, scope)
    case "lower", "upper", "length":
      try checkCount(call, node, 1...1, "\(call.name)(text)")
      if call.name == "length" {
        let argument = try bind(call.arguments[0], scope, hint: .text)
        if argument.type == .bytes { return .call(.length, [argument], .int64) }
      }
      let text = try bindText(call.arguments[0], scope, "the argument of \(call.name)")
      switch call.name {
      case "lower": return .call(.lower, [text], .string)
      case "upper": return .call(.upper, [text], .string)
      default: return .call(.length, [text], .int64)
      }
    case "substring", "substr":
      try checkCount(call, node, 2...3, "substring(text, start, count)")
      var arguments = [try bindText(call.arguments[0], scope, "the first argument of substring")]
      for argument in call.arguments.dropFirst() {
        let number = try bindNumber(argument, scope, "a position")
        guard number.type.isInteger else {
          throw QueryError(.binding, "positions in text are integers", offset: argument.range.lowerBound)
        }
        arguments.append(number)
      }
      return .call(.substring, arguments, .string)
    default:
      try checkCount(call, node, 2...2, "\(call.name)(text, part)")
      let text = try bindText(call.arguments[0], scope, "the first argument of \(call.name)")
      let part = try bindText(call.arguments[1], scope, "the second argument of \(call.name)")
      let function: ScalarFunction =
        call.name == "starts_with" ? .startsWith : call.name == "ends_with" ? .endsWith : .contains
      return .call(function, [text, part], .bool)
    }
  }
}
