internal import LintelColumns
internal import LintelStorage

/// What the place where an attribute stands wants of it: values of other kinds read as NULL there.
enum AttributeHint {
  case text, number, bool

  init?(_ type: ColumnType) {
    switch type {
    case .int64, .uint32, .float64, .timestamp, .duration, .money: self = .number
    case .string, .bytes, .id8, .id16, .enumeration: self = .text
    case .bool: self = .bool
    case .variant, .map: return nil
    }
  }

  /// Kinds taken; `nil` in a context that takes all.
  static func kinds(_ hint: AttributeHint?) -> Set<AttributeKind> {
    switch hint {
    case .text: [.string]
    case .number: [.int, .double]
    case .bool: [.bool]
    case nil: Set(AttributeKind.allCases)
    }
  }

  /// The type of a read that finds nothing.
  static func nullType(_ hint: AttributeHint?) -> ColumnType {
    switch hint {
    case .number: .float64
    case .bool: .bool
    case .text, nil: .string
    }
  }
}

extension Binder {
  /// Whether a node reads an attribute, so that its type depends on where it stands.
  func isDynamic(_ node: SyntaxNode, _ scope: Scope) -> Bool {
    switch node.kind {
    case .element: return true
    case .name(let name):
      guard name.qualifier == nil, scope.aliases == .beforeColumns || scope.aliases == .afterColumns && !isColumn(name),
        let index = itemIndex(of: name), let item = items[index].expression
      else { return false }
      if case .element = item.kind { return true }
      return false
    default: return false
    }
  }

  /// `base[key]`.
  mutating func bindElement(
    _ base: SyntaxNode, _ key: SyntaxNode, _ node: SyntaxNode, _ scope: Scope, hint: AttributeHint?
  ) throws(QueryError) -> Expression {
    let keyValue = try bind(key, .rows)
    if case .name(let name) = base.kind, let schema, schema.hasAttributes, Keywords.folded(name.name) == "attributes",
      schema.index(of: "attributes") == nil
    {
      let side = try side(of: name, base, scope)
      if join != nil, side == nil { throw ambiguous(name, base) }
      guard case .constant(.bytes(let bytes), .string) = keyValue else { throw badKey(key) }
      let attribute = String(decoding: bytes, as: UTF8.self)
      if scope.isGrouped { throw ungroupedAttribute(attribute, node) }
      return bindAttribute("attributes", attribute, side, hint: hint)
    }
    if case .name(let name) = base.kind, case .constant(.bytes(let bytes), .string) = keyValue, let schema,
      schema.movedAttributes.contains(where: { $0.list == name.name }), schema.index(of: name.name) != nil
    {
      let column = try bind(base, scope)
      let list = Moves(
        list: name.name, key: String(decoding: bytes, as: UTF8.self), side: try side(of: name, base, scope),
        rest: .call(.element, [column, keyValue], .variant), kinds: Set(AttributeKind.allCases))
      return read(list, hint: hint)
    }
    let container = try bind(base, scope)
    guard container.type == .variant || container.type == .map else {
      throw QueryError(
        .binding, "[..] takes a value out of attributes, maps and arrays; this is \(container.type.name)",
        offset: base.range.lowerBound)
    }
    switch keyValue {
    case .constant(.bytes, .string), .constant(.int64, .int64):
      return read(.call(.element, [container, keyValue], .variant), as: hint)
    default: throw badKey(key)
    }
  }

  private func badKey(_ key: SyntaxNode) -> QueryError {
    QueryError(
      .binding, "the key in [..] is a string in quotes (or, for arrays, a position from 0)",
      offset: key.range.lowerBound)
  }

  private func ungroupedAttribute(_ name: String, _ node: SyntaxNode) -> QueryError {
    QueryError(
      .binding, "attributes['\(name)'] must appear in GROUP BY or inside an aggregate", offset: node.range.lowerBound)
  }

  // MARK: Reading

  /// Kinds under which the snapshot has the attribute.
  func attributeKinds(of name: String) -> Set<AttributeKind> {
    var kinds: Set<AttributeKind> = []
    for segment in snapshot?.segments ?? [] {
      let keys = segment.attributeKeys
      for key in keys[Self.place(of: name, in: keys)...] {
        guard key.name == name else { break }
        kinds.insert(key.kind)
      }
    }
    return kinds
  }

  /// Where the keys of a name, or those behind it, begin in a list of keys.
  static func place(of name: String, in keys: [AttributeKey]) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle].name < name { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// A dynamic attribute: what is still in its list, and what was moved into columns.
  mutating func bindAttribute(
    _ list: String, _ name: String, _ side: TraceJoin.Side?, hint: AttributeHint?
  ) -> Expression {
    let kinds = attributeKinds(of: name)
    return read(Moves(list: list, key: name, side: side, rest: nil, kinds: kinds), hint: hint)
  }

  /// An attribute of a list that may have been moved into columns.
  private struct Moves {
    let list: String
    let key: String
    let side: TraceJoin.Side?
    /// Reads the list itself as `variant`; `nil` for the dynamic attributes of the row.
    let rest: Expression?
    /// Kinds that the list itself holds.
    let kinds: Set<AttributeKind>
  }

  private mutating func read(_ attribute: Moves, hint: AttributeHint?) -> Expression {
    let taken = AttributeHint.kinds(hint)
    let moves = movedValues(attribute).filter { taken.contains($0.kind) }
    let kinds = taken.intersection(attribute.kinds)
    let type = Self.commonType(kinds.union(moves.map(\.kind)), hint: hint, isTree: attribute.rest != nil)
    let rest: Expression =
      if let rest = attribute.rest {
        read(rest, as: hint)
      } else if kinds.isEmpty {
        .constant(.null, type)
      } else {
        stored(.attribute(AttributeRead(name: attribute.key, kinds: kinds.sorted(), type: type)), attribute.side)
      }
    if moves.isEmpty { return rest }
    let branches = moves.map {
      Expression.CaseBranch(condition: $0.condition, result: Self.widen($0.value, to: type))
    }
    return .caseWhen(branches, otherwise: rest, type)
  }

  private static func commonType(_ kinds: Set<AttributeKind>, hint: AttributeHint?, isTree: Bool) -> ColumnType {
    // What lies in a map is read as the hint says, whatever it is.
    if isTree { return hint == nil ? .variant : AttributeHint.nullType(hint) }
    guard let first = kinds.first else { return AttributeHint.nullType(hint) }
    if kinds.count == 1 { return first.type }
    return hint == .number ? .float64 : .variant
  }

  static func widen(_ expression: Expression, to type: ColumnType) -> Expression {
    switch (expression.type, type) {
    case (.int64, .float64): .call(.toFloat64, [expression], .float64)
    case (let own, .variant) where own != .variant: .call(.toVariant, [expression], .variant)
    default: expression
    }
  }

  /// Reads a `variant` as the hint says; typed values of another kind are NULL.
  func read(_ expression: Expression, as hint: AttributeHint?) -> Expression {
    guard let hint else { return expression }
    if expression.type == .variant || expression.type == .map {
      return switch hint {
      case .text: .call(.variantText, [expression], .string)
      case .number: .call(.variantNumber, [expression], .float64)
      case .bool: .call(.variantBool, [expression], .bool)
      }
    }
    return AttributeHint(expression.type) == hint ? expression : .constant(.null, AttributeHint.nullType(hint))
  }

  // MARK: Moves

  private struct MovedValue {
    let condition: Expression
    let value: Expression
    let kind: AttributeKind
  }

  private mutating func movedValues(_ attribute: Moves) -> [MovedValue] {
    guard let schema, let origins = schema.originsColumn else { return [] }
    let column = stored(.column(origins, schema.columns[origins].type), attribute.side)
    var values: [MovedValue] = []
    for move in schema.movedAttributes where move.list == attribute.list && move.key == attribute.key {
      guard let index = schema.index(of: move.column) else { continue }
      let source = stored(.column(index, schema.columns[index].type), attribute.side)
      let entry = Expression.constant(.bytes(Array(move.originEntry.utf8)), .string)
      let (value, kind) = Self.original(of: source, move)
      values.append(MovedValue(condition: .call(.hasOrigin, [column, entry], .bool), value: value, kind: kind))
    }
    return values
  }

  /// What the client sent, from the column it was moved to.
  private static func original(of column: Expression, _ move: MovedAttribute) -> (Expression, AttributeKind) {
    func scaled(_ unit: Double) -> (Expression, AttributeKind) {
      let number = Expression.call(.toFloat64, [column], .float64)
      return (.call(.divide, [number, .constant(.float64(unit), .float64)], .float64), .double)
    }
    switch move.conversion {
    case .string: return (column.type == .string ? column : .call(.toText, [column], .string), .string)
    case .int: return (column.type == .int64 ? column : .call(.toInt64, [column], .int64), .int)
    case .double: return (.call(.toFloat64, [column], .float64), .double)
    case .seconds: return scaled(1e9)
    case .milliseconds: return scaled(1e6)
    case .usd: return scaled(1e9)
    case .singleton: return (.call(.textArray, [column], .variant), .variant)
    case .openInferenceKind:
      func text(_ value: String) -> Expression { .constant(.bytes(Array(value.utf8)), .string) }
      let branches = move.originals.sorted { $0.key < $1.key }.map { stored, original in
        Expression.CaseBranch(
          condition: .call(.equal, [column, text(stored)], .bool), result: text(original))
      }
      return (.caseWhen(branches, otherwise: .constant(.null, .string), .string), .string)
    }
  }
}
