public import LintelColumns

/// Pairs of rows of one table that stand in a relation within their trace: `FROM t AS a JOIN CHILD t AS b`.
///
/// The left side is `a`. Pairs come in the scan order of the left row, then of the right one. A row without trace, or whose
/// parent is null where the relation goes by it, is in no pair.
public struct TraceJoin: Sendable, Hashable {
  /// What the right row is to the left one.
  public enum Relation: String, Sendable, Hashable, CaseIterable {
    /// Its parent id is the left row's id.
    case child
    /// Its id is the left row's parent id.
    case parent
    /// A child, or a child of a descendant. In a cycle of parents a row may be its own descendant.
    case descendant
    /// The other way round: the left row is its descendant.
    case ancestor
    /// It has the same parent id and another id.
    case sibling
  }

  public enum Side: Sendable, Hashable, CaseIterable {
    case left, right
  }

  /// A column of the pairs: what a side's rows have in a stored column or an attribute.
  public struct Column: Sendable, Hashable {
    public let side: Side
    /// `.column` or `.attribute` of the table.
    public let source: Expression

    public init(_ side: Side, _ source: Expression) {
      self.side = side
      self.source = source
    }
  }

  /// Columns of the table that say where a row stands in its trace.
  public struct Keys: Sendable, Hashable {
    public let trace: Int
    public let row: Int
    public let parent: Int

    /// `nil` where the rows of the table form no trees.
    public init?(_ schema: TableSchema) {
      let parents = schema.derivations.sorted { $0.key < $1.key }
      for case (let parent, .reference(of: let name)) in parents {
        guard let row = schema.index(of: name), schema.columns[row].type == .id8, schema.columns[parent].type == .id8,
          schema.columns[schema.clusterColumn].type == .id16
        else { continue }
        self.trace = schema.clusterColumn
        self.row = row
        self.parent = parent
        return
      }
      return nil
    }
  }

  public let relation: Relation
  public let leftName: String
  public let rightName: String
  public let keys: Keys
  /// What `.column(n)` of the plan's other expressions means.
  public let columns: [Column]

  public init(_ relation: Relation, leftName: String, rightName: String, keys: Keys, columns: [Column]) {
    self.relation = relation
    self.leftName = leftName
    self.rightName = rightName
    self.keys = keys
    self.columns = columns
  }

  public func name(of side: Side) -> String { side == .left ? leftName : rightName }

  /// The conjuncts of a filter of pairs by whom they ask: one side's rows, in terms of the table, or the pairs.
  ///
  /// A conjunct that can fail stays with the pairs: it is evaluated only where all others hold.
  func split(_ filter: Expression?) -> (left: Expression?, right: Expression?, pairs: Expression?) {
    var left: [Expression] = []
    var right: [Expression] = []
    var pairs: [Expression] = []
    for conjunct in filter?.conjuncts ?? [] {
      let asked = sides(of: conjunct)
      if conjunct.canFail || asked.count > 1 {
        pairs.append(conjunct)
      } else if asked.contains(.right) {
        right.append(conjunct.mappingColumns(source))
      } else {
        left.append(conjunct.mappingColumns(source))
      }
    }
    return (.all(left), .all(right), .all(pairs))
  }

  private func sides(of expression: Expression) -> Set<Side> {
    if case .column(let index, _) = expression { return index < columns.count ? [columns[index].side] : [] }
    return expression.children.reduce(into: []) { $0.formUnion(sides(of: $1)) }
  }

  private func source(_ index: Int, _ type: ColumnType) -> Expression {
    index < columns.count ? columns[index].source : .constant(.null, type)
  }
}

extension Expression {
  /// The conjunction of any number of conditions; `nil` of none.
  static func all(_ conjuncts: [Expression]) -> Expression? {
    conjuncts.count > 1 ? .call(.and, conjuncts, .bool) : conjuncts.first
  }

  /// The same with every stored column replaced.
  func mappingColumns(_ body: (Int, ColumnType) -> Expression) -> Expression {
    switch self {
    case .constant, .attribute, .groupKey, .aggregate: return self
    case .column(let index, let type): return body(index, type)
    case .call(let function, let operands, let type):
      return .call(function, operands.map { $0.mappingColumns(body) }, type)
    case .caseWhen(let branches, let otherwise, let type):
      let mapped = branches.map {
        CaseBranch(condition: $0.condition.mappingColumns(body), result: $0.result.mappingColumns(body))
      }
      return .caseWhen(mapped, otherwise: otherwise.mappingColumns(body), type)
    case .inList(let operand, let values, let hasNull):
      return .inList(operand.mappingColumns(body), values, hasNull: hasNull)
    case .inSubquery(let operand, let index): return .inSubquery(operand.mappingColumns(body), index)
    }
  }
}
