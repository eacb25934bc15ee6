/// A statement as written. Names are looked up when it is run.
public enum Statement: Sendable {
  case select(SelectSyntax)
  case explain(SelectSyntax, isAnalyze: Bool)
  case show(ShowSyntax)
  case describe(TableSyntax, storage: Bool)
  case export(ExportSyntax)
  case optimize(TableSyntax)
  case flush
  case check
  /// Erasures, legal holds and retention.
  case lifecycle(LifecycleCommand)

  /// Whether it changes the store or what others see of it, or makes it read all that it has: what not everybody should do
  /// who may ask.
  public var isAdministrative: Bool {
    switch self {
    case .select, .explain, .show, .describe, .export: false
    case .optimize, .flush, .check: true
    case .lifecycle(let command): command.isAdministrative
    }
  }
}

/// A table named in a statement.
public struct TableSyntax: Sendable, Hashable {
  public let name: String
  let offset: Int
}

public struct ShowSyntax: Sendable, Hashable {
  enum Subject: Sendable, Hashable {
    case tables
    case parts(TableSyntax?)
    case columns(TableSyntax)
    case attributes(TableSyntax)
    case problems
    case tiers
  }

  let subject: Subject
}

/// `EXPORT table [WHERE ..] [TO 'path']`.
public struct ExportSyntax: Sendable {
  public let table: TableSyntax
  /// Empty when there is no TO.
  public let path: String
  let filter: SyntaxNode?
}

/// `SELECT ..`.
public struct SelectSyntax: Sendable {
  struct Item: Sendable {
    /// `nil` for `*`.
    let expression: SyntaxNode?
    let alias: String?
    let range: Range<Int>
  }

  struct Order: Sendable {
    let expression: SyntaxNode
    let isDescending: Bool
    let nullsFirst: Bool
  }

  /// `JOIN relation table [AS alias]`.
  struct Join: Sendable {
    let relation: TraceJoin.Relation
    let table: TableSyntax
    let alias: String
    /// Where the alias, or the table without one, stands.
    let aliasOffset: Int
  }

  let isDistinct: Bool
  let items: [Item]
  let table: TableSyntax?
  /// The name columns may be qualified with; the table's own without `AS`.
  let tableAlias: String?
  let join: Join?
  let filter: SyntaxNode?
  let grouping: [SyntaxNode]
  let having: SyntaxNode?
  let ordering: [Order]
  let limit: Int?
  let offset: Int
  let range: Range<Int>
}
