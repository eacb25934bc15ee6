import LintelColumns

/// Turns bound expressions into nodes: over a segment's columns and dictionaries, or over finished groups.
struct ExpressionCompiler {
  let slots: ColumnSlots
  /// The sets that the plan's subqueries gave.
  var subqueries: [MemberSet] = []
  /// Slots of group keys and aggregates, above an aggregation.
  var keySlots: [Int] = []
  var aggregateSlots: [Int] = []
  /// Dictionaries of the segment's columns by slot.
  var dictionaries: [Int: ValueDictionary] = [:]
  /// Columns that are null in every row of the segment.
  var missing: Set<Int> = []
  /// Columns that are put together from the content store: they have no codes, and may be large.
  var content: Set<Int> = []
  /// Below a node that evaluates what reads content over a few rows at a time.
  private var isSliced = false
  /// Dictionaries with more entries than this are not evaluated ahead.
  var dictionaryLimit = Int.max
  /// False below an expression that is evaluated over a dictionary as a whole.
  private var usesDictionaries = true

  private let interrupt: Interrupt

  init(slots: ColumnSlots, _ interrupt: Interrupt = .never) {
    self.slots = slots
    self.interrupt = interrupt
  }

  func compile(_ expression: Expression) throws(ExecutionFailure) -> EvaluationNode {
    if !isSliced, readsContent(expression) {
      var inside = self
      inside.isSliced = true
      let node = try inside.compile(expression)
      if let like = node as? LikeNode, like.looksIntoContent { return like }
      return SlicedNode(node, type: expression.type.physical)
    }
    guard usesDictionaries, !expression.canFail, let slot = onlySlot(of: expression),
      !content.contains(slot)
    else {
      return try compileDirectly(expression)
    }
    if let node = semiJoin(expression, slot) { return node }
    var inside = self
    inside.usesDictionaries = false
    let node = try inside.compileDirectly(expression)
    if node is SlotNode || node is ConstantNode { return node }
    return try DictionaryNode(
      slot: slot, inner: node, slotCount: slots.references.count,
      dictionary: dictionaries[slot].flatMap { $0.count <= dictionaryLimit ? $0 : nil }, interrupt)
  }

  private func readsContent(_ expression: Expression) -> Bool {
    if content.isEmpty { return false }
    if case .attribute(let read) = expression {
      return read.kinds.contains { kind in
        slots.slot(.attribute(AttributeKey(read.name, kind))).map(content.contains) ?? false
      }
    }
    return expression.children.contains(where: readsContent)
  }

  /// Membership in a subquery's rows that are entries of the column's own dictionary: nothing is looked up by value.
  private func semiJoin(_ expression: Expression, _ slot: Int) -> EvaluationNode? {
    guard case .inSubquery(.column, let index) = expression, index < subqueries.count,
      let dictionary = dictionaries[slot], let flags = subqueries[index].flags(of: dictionary)
    else { return nil }
    return DictionaryNode(
      slot: slot, inner: MembershipNode(SlotNode(slot), subqueries[index]), slotCount: slots.references.count,
      dictionary: dictionary, values: flags)
  }

  /// The slot that alone decides the expression's value and holds byte strings or ids.
  private func onlySlot(of expression: Expression) -> Int? {
    var found: Int?
    var pending = [expression]
    while let next = pending.popLast() {
      switch next {
      case .column(let index, let type):
        guard type.physical == .bytes || type.physical == .id128, let slot = slots.slot(.column(index)),
          found == nil || found == slot
        else { return nil }
        found = slot
      case .attribute(let read):
        let present = read.kinds.compactMap { slots.slot(.attribute(AttributeKey(read.name, $0))) }
          .filter { !missing.contains($0) }
        guard present.count == 1, let slot = present.first, slots.types[slot] == .bytes, found == nil || found == slot
        else { return nil }
        found = slot
      case .groupKey, .aggregate: return nil
      default: pending += next.children
      }
    }
    return found
  }

  private func compileDirectly(_ expression: Expression) throws(ExecutionFailure) -> EvaluationNode {
    switch expression {
    case .constant(let value, let type): return ConstantNode(value, type)
    case .column(let index, let type):
      guard let slot = slots.slot(.column(index)), !missing.contains(slot) else { return ConstantNode(.null, type) }
      return SlotNode(slot)
    case .attribute(let read): return compile(attribute: read)
    case .groupKey(let index, let type):
      guard index < keySlots.count else { return ConstantNode(.null, type) }
      return SlotNode(keySlots[index])
    case .aggregate(let index, let type):
      guard index < aggregateSlots.count else { return ConstantNode(.null, type) }
      return SlotNode(aggregateSlots[index])
    case .call(let function, let operands, let type): return try compile(call: function, operands, type)
    case .caseWhen(let branches, let otherwise, let type):
      var nodes: [(condition: EvaluationNode, result: EvaluationNode)] = []
      for branch in branches { nodes.append((try compile(branch.condition), try compile(branch.result))) }
      return CaseNode(nodes, otherwise: try compile(otherwise), type: type.physical)
    case .inList(let operand, let values, let hasNull):
      return MembershipNode(try compile(operand), MemberSet(values, hasNull: hasNull))
    case .inSubquery(let operand, let index):
      guard index < subqueries.count else { throw .unsupported("the plan refers to a subquery that it doesn't have") }
      return MembershipNode(try compile(operand), subqueries[index])
    }
  }

  private func compile(attribute read: AttributeRead) -> EvaluationNode {
    var parts: [(slot: Int, kind: AttributeKind)] = []
    for kind in read.kinds {
      if let slot = slots.slot(.attribute(AttributeKey(read.name, kind))), !missing.contains(slot) {
        parts.append((slot, kind))
      }
    }
    guard let first = parts.first else { return ConstantNode(.null, read.type) }
    if parts.count == 1, first.kind.type == read.type { return SlotNode(first.slot) }
    return AttributeNode(parts: parts, type: read.type)
  }

  private func compile(
    call function: ScalarFunction, _ operands: [Expression], _ type: ColumnType
  ) throws(ExecutionFailure) -> EvaluationNode {
    if function == .unflatten { return try compile(unflatten: operands) }
    var nodes: [EvaluationNode] = []
    for operand in operands { nodes.append(try compile(operand)) }
    guard let first = nodes.first else { throw .unsupported("\(function.rawValue) without operands") }
    if operands.count == 2, let node = compareConstant(function, operands, nodes) { return node }
    switch function {
    case .and, .or: return LogicNode(nodes, isAnd: function == .and)
    case .not: return NotNode(first)
    case .isNull: return IsNullNode(first)
    case .coalesce: return CoalesceNode(nodes, type: type.physical)
    case .like, .ilike, .matches, .element, .hasOrigin:
      return try compile(constantSecond: function, first, operands)
    case .floor:
      if case .call(.log2, let inner, _) = operands[0], inner.count == 1 { return FloorLog2Node(try compile(inner[0])) }
    case .timeBucket:
      if operands.count == 2, case .constant(let width, _) = operands[0],
        let node = TimeBucketNode(nodes[1], width: width)
      {
        return node
      }
    default: break
    }
    return FunctionNode(function, nodes, operandTypes: operands.map(\.type), type: type)
  }

  /// The attributes that the segment has.
  private func compile(unflatten operands: [Expression]) throws(ExecutionFailure) -> EvaluationNode {
    var values: [(name: [UInt8], value: EvaluationNode, slots: [Int])] = []
    for place in stride(from: 1, to: operands.count - 1, by: 2) {
      guard case .constant(.bytes(let name), _) = operands[place] else {
        throw .unsupported("the names of unflatten must be constants")
      }
      let value = try compile(operands[place + 1])
      if let constant = value as? ConstantNode, constant.value == .null { continue }
      values.append((name, value, attributeSlots(of: operands[place + 1])))
    }
    return values.isEmpty ? ConstantNode(.null, .variant) : UnflattenNode(values)
  }

  /// The slots of an expression that reads nothing but one attribute; else none.
  private func attributeSlots(of expression: Expression) -> [Int] {
    switch expression {
    case .attribute(let read):
      read.kinds.compactMap { slots.slot(.attribute(AttributeKey(read.name, $0))) }.filter { !missing.contains($0) }
    case .call(.toVariant, let operands, _): operands.count == 1 ? attributeSlots(of: operands[0]) : []
    default: []
    }
  }

  private func compareConstant(
    _ function: ScalarFunction, _ operands: [Expression], _ nodes: [EvaluationNode]
  ) -> EvaluationNode? {
    guard let flipped = BlockTest.flipped(function) else { return nil }
    if case .constant(let value, _) = operands[1] {
      return CompareConstantNode(nodes[0], operands[0].type, function, value)
    }
    if case .constant(let value, _) = operands[0] {
      return CompareConstantNode(nodes[1], operands[1].type, flipped, value)
    }
    return nil
  }

  /// Functions whose second operand is a constant.
  private func compile(
    constantSecond function: ScalarFunction, _ first: EvaluationNode, _ operands: [Expression]
  ) throws(ExecutionFailure) -> EvaluationNode {
    guard operands.count == 2, case .constant(let constant, _) = operands[1] else {
      throw .unsupported("the second operand of \(function.rawValue) must be a constant")
    }
    if function == .element { return ElementNode(first, key: constant) }
    guard case .bytes(let bytes) = constant else { return ConstantNode(.null, .bool) }
    switch function {
    case .like: return LikeNode(first, pattern: bytes, isContent: isSliced)
    case .ilike:
      var lowered: [UInt8] = []
      bytes.withUnsafeBufferPointer { Text.changeCase($0, upper: false, into: &lowered) }
      return LikeNode(FunctionNode(.lower, [first], operandTypes: [.string], type: .string), pattern: lowered)
    case .matches:
      do {
        return MatchNode(first, program: try RegularExpression(bytes))
      } catch {
        throw .query(
          QueryError(.binding, "bad regular expression at its byte \(error.offset): \(error.message)"))
      }
    default: return OriginNode(first, entry: bytes)
    }
  }
}
