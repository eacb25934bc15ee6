/// An expression as written, names not yet looked up.
struct SyntaxNode: Sendable {
  /// Deepest tree that is accepted: what comes after the parser walks trees recursively.
  static let maximumDepth = 128

  let kind: Kind
  /// UTF-8 offsets in the query text.
  let range: Range<Int>
  let depth: Int

  indirect enum Kind: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case decimal(Double)
    case string(String)
    case duration(Int64)
    case money(Int64)
    case name(NameSyntax)
    /// `base[key]`.
    case element(base: SyntaxNode, key: SyntaxNode)
    case call(CallSyntax)
    case not(SyntaxNode)
    case negate(SyntaxNode)
    case arithmetic(ScalarFunction, SyntaxNode, SyntaxNode)
    /// `and` or `or` of two or more.
    case logical(ScalarFunction, [SyntaxNode])
    case concatenate([SyntaxNode])
    case comparison(ScalarFunction, SyntaxNode, SyntaxNode)
    /// `like`, `ilike` or `matches`.
    case match(ScalarFunction, SyntaxNode, pattern: SyntaxNode, isNegated: Bool)
    case between(SyntaxNode, SyntaxNode, SyntaxNode, isNegated: Bool)
    case inList(SyntaxNode, [SyntaxNode], isNegated: Bool)
    case inSelect(SyntaxNode, SelectSyntax, isNegated: Bool)
    case isNull(SyntaxNode, isNegated: Bool)
    case isDistinct(SyntaxNode, SyntaxNode, isNegated: Bool)
    case caseWhen(operand: SyntaxNode?, [BranchSyntax], otherwise: SyntaxNode?)
    case cast(SyntaxNode, TypeSyntax)
  }

  init(_ kind: Kind, _ range: Range<Int>) throws(QueryError) {
    self.kind = kind
    self.range = range
    depth = 1 + kind.deepestChild
    guard depth <= Self.maximumDepth else { throw Self.tooDeep(at: range.lowerBound) }
  }

  static func tooDeep(at offset: Int) -> QueryError {
    QueryError(
      .limitExceeded, "this expression is nested more than \(maximumDepth) levels deep", offset: offset,
      hint: "AND, OR and || chains and IN lists may be of any length")
  }
}

struct NameSyntax: Sendable, Hashable {
  /// The table or its alias, as in `spans.name`.
  let qualifier: String?
  let name: String
  /// Written in double quotes, so looked up exactly.
  let isQuoted: Bool
}

struct CallSyntax: Sendable {
  /// Lower-case.
  let name: String
  let arguments: [SyntaxNode]
  let isDistinct: Bool
  /// `count(*)`.
  let isStar: Bool
  let filter: SyntaxNode?
}

struct BranchSyntax: Sendable {
  let condition: SyntaxNode
  let result: SyntaxNode
}

struct TypeSyntax: Sendable {
  /// Lower-case.
  let name: String
  let offset: Int
}

extension SyntaxNode.Kind {
  /// The operands, in the order of the text.
  var children: [SyntaxNode] {
    switch self {
    case .null, .bool, .integer, .decimal, .string, .duration, .money, .name: []
    case .element(let base, let key): [base, key]
    case .call(let call): call.arguments + (call.filter.map { [$0] } ?? [])
    case .not(let operand), .negate(let operand), .isNull(let operand, _), .cast(let operand, _): [operand]
    case .inSelect(let operand, _, _): [operand]
    case .arithmetic(_, let left, let right), .comparison(_, let left, let right): [left, right]
    case .isDistinct(let left, let right, _), .match(_, let left, let right, _): [left, right]
    case .logical(_, let operands), .concatenate(let operands): operands
    case .between(let operand, let low, let high, _): [operand, low, high]
    case .inList(let operand, let list, _): [operand] + list
    case .caseWhen(let operand, let branches, let otherwise):
      [operand].compactMap(\.self) + branches.flatMap { [$0.condition, $0.result] } + [otherwise].compactMap(\.self)
    }
  }

  fileprivate var deepestChild: Int { children.reduce(0) { max($0, $1.depth) } }
}
