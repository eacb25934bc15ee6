internal import LintelColumns
internal import LintelStorage

/// Looks up the names of a SELECT in a snapshot, finds the types, and makes the plan.
///
/// One binder binds one SELECT; a subquery gets its own, on the same snapshot. The work is spread over extensions: names
/// and attributes, comparison, arithmetic, functions, aggregates, conversion.
struct Binder {
  /// Where an expression stands, and so which names it may use.
  struct Scope {
    enum Aliases {
      case none
      /// WHERE: an alias is an error that says so.
      case refused
      /// GROUP BY: where no column has the name.
      case afterColumns
      /// HAVING and ORDER BY: before a column of the name.
      case beforeColumns
    }

    /// Whether columns must be group keys and aggregates may be used.
    var isGrouped = false
    var aliases = Aliases.none
    /// Why aggregates are not allowed here, as the end of a sentence; used where `isGrouped` is false.
    var clause = "here"
    /// Inside a computed column, which knows only stored ones.
    var isComputed = false
    /// The side of a join that names without a qualifier belong to: inside a computed column.
    var side: TraceJoin.Side?

    static let rows = Scope()
  }

  /// A key of GROUP BY.
  struct Key {
    let expression: Expression
    /// The item of the SELECT list that it is, by ordinal or alias.
    let item: Int?
  }

  let catalog: any Catalog
  /// The query, for the names of results.
  let text: String
  /// `nil` in a SELECT without FROM.
  let snapshot: TableSnapshot?
  let tableAlias: String?
  let items: [SelectSyntax.Item]
  /// One instant for the whole statement.
  let now: Int64
  /// `nil` where single rows are read.
  var join: JoinScope?
  var keys: [Key] = []
  var calls: [AggregateCall] = []
  var subqueries: [QueryPlan] = []
  /// Within what is computed for some rows only: constants that overflow there are no error yet.
  var isConditional = false

  var schema: TableSchema? { snapshot?.schema }

  /// A plan and the snapshot it was bound to.
  struct BoundQuery {
    let plan: QueryPlan
    let snapshot: TableSnapshot?
  }

  static func bind(_ select: SelectSyntax, text: String, catalog: any Catalog) throws(QueryError) -> BoundQuery {
    var snapshot: TableSnapshot?
    if let table = select.table { snapshot = try self.snapshot(of: table, catalog: catalog) }
    var binder = Binder(select, text: text, snapshot: snapshot, catalog: catalog, now: catalog.now)
    return BoundQuery(plan: try binder.plan(select), snapshot: snapshot)
  }

  /// The snapshot of a table that a statement names.
  static func snapshot(of table: TableSyntax, catalog: any Catalog) throws(QueryError) -> TableSnapshot {
    let names = catalog.tableNames
    guard let name = [table.name, Keywords.folded(table.name)].first(where: names.contains) else {
      throw QueryError(
        .binding, "there is no table \(table.name)", offset: table.offset,
        hint: NameSuggestion.hint(for: table.name, among: names) ?? "tables are: \(names.joined(separator: ", "))")
    }
    do {
      return try catalog.snapshot(name)
    } catch {
      throw QueryError(.storage, error.description, offset: table.offset)
    }
  }

  init(_ select: SelectSyntax, text: String, snapshot: TableSnapshot?, catalog: any Catalog, now: Int64) {
    self.catalog = catalog
    self.text = text
    self.snapshot = snapshot
    self.now = now
    tableAlias = select.tableAlias
    items = select.items
  }
}
