/// The names of spans, numbered.
enum SpanNames {
  /// Numbers kept for each operation's targets: more than there are models, tools or routes.
  private static let room = 32

  /// A row of each name, in the order of their numbers.
  static func rows(_ catalogue: Catalogue) -> [SpanRow] {
    var rows: [SpanRow] = []
    func add(_ operation: Operation, _ count: Int, _ fill: (inout SpanRow, Int) -> Void) {
      for number in 0..<count {
        var row = SpanRow()
        row.operation = operation
        fill(&row, number)
        rows.append(row)
      }
    }
    add(.agent, catalogue.apps.count) { $0.app = UInt16($1) }
    add(.chat, room) { $0.model = UInt8(min($1, Catalogue.models.count - 1)) }
    add(.embeddings, room) { $0.model = UInt8(min($1, Catalogue.models.count - 1)) }
    add(.tool, room) { $0.target = UInt8(min($1, Catalogue.tools.count - 1)) }
    add(.request, room) { $0.target = UInt8(min($1, Catalogue.routes.count - 1)) }
    add(.call, room) { $0.target = UInt8(min($1, Catalogue.routes.count - 1)) }
    add(.retrieval, 1) { _, _ in }
    return rows
  }

  @inline(__always)
  static func number(_ row: SpanRow, appCount: Int) -> Int {
    switch row.operation {
    case .agent: Int(row.app)
    case .chat: appCount + Int(row.model)
    case .embeddings: appCount + room + Int(row.model)
    case .tool: appCount + 2 * room + Int(row.target)
    case .request: appCount + 3 * room + Int(row.target)
    case .call: appCount + 4 * room + Int(row.target)
    case .retrieval: appCount + 5 * room
    }
  }
}
