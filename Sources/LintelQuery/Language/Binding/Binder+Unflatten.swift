internal import LintelColumns
internal import LintelStorage

/// What clients send as one attribute a value, numbered and named by dots, seen as the list or map that it was.
extension Binder {
  /// Attributes that one call puts together.
  static let mostUnflattened = 4096

  /// `unflatten(attributes, 'prefix')`: the attributes `prefix.role`, `prefix.content` .. of each row;
  /// `unflatten(attributes, 'prefix[]')`: only `prefix.0`, `prefix.1` and what is below them. Which there are is known when
  /// the statement is bound.
  mutating func bindUnflatten(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    let usage = "unflatten(attributes, 'prefix')"
    try checkCount(call, node, 2...2, usage)
    let list = call.arguments[0]
    guard case .name(let name) = list.kind, Keywords.folded(name.name) == "attributes", let schema,
      schema.hasAttributes, schema.index(of: "attributes") == nil, !scope.isGrouped
    else {
      throw QueryError(
        .binding, "unflatten takes the attributes of the spans themselves", offset: list.range.lowerBound,
        hint: "it is written \(usage)")
    }
    guard case .constant(.bytes(let bytes), .string) = try bind(call.arguments[1], .rows) else {
      throw QueryError(
        .binding, "the prefix is a text in quotes", offset: call.arguments[1].range.lowerBound,
        hint: "such as unflatten(attributes, 'llm.input_messages')")
    }
    let side = try side(of: name, list, scope)
    if join != nil, side == nil { throw ambiguous(name, list) }
    let text = String(decoding: bytes, as: UTF8.self)
    let isList = text.hasSuffix("[]")
    let prefix = (isList ? String(text.dropLast(2)) : text) + "."
    let names = attributeNames(beginningWith: prefix).filter { name in
      !isList || DottedNames.isNumbered(name.utf8.dropFirst(prefix.utf8.count))
    }
    if names.isEmpty { return .constant(.null, .variant) }
    guard names.count <= Self.mostUnflattened else {
      throw QueryError(
        .limitExceeded,
        "\(names.count) attributes begin with '\(prefix)', of which \(Self.mostUnflattened) can be put together",
        offset: node.range.lowerBound, hint: "name those that you want: attributes['\(names[0])']")
    }
    var operands = [Expression.constant(.bytes(bytes), .string)]
    for name in names {
      operands.append(.constant(.bytes(Array(name.utf8.dropFirst(prefix.utf8.count))), .string))
      operands.append(Self.widen(bindAttribute("attributes", name, side, hint: nil), to: .variant))
    }
    return .call(.unflatten, operands, .variant)
  }

  /// Attributes that the snapshot has, or may have in columns, ascending by their bytes.
  private func attributeNames(beginningWith prefix: String) -> [String] {
    // By bytes: names that only look alike are different attributes.
    var found: Set<[UInt8]> = []
    func take(_ name: String) {
      if name.utf8.starts(with: prefix.utf8) { found.insert(Array(name.utf8)) }
    }
    for segment in snapshot?.segments ?? [] {
      let keys = segment.attributeKeys
      for key in keys[Self.place(of: prefix, in: keys)...] {
        guard key.name.hasPrefix(prefix) else { break }
        take(key.name)
      }
    }
    for move in schema?.movedAttributes ?? [] where move.list == "attributes" { take(move.key) }
    return found.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
  }
}
