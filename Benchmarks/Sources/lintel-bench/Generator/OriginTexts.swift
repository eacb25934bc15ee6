import Lintel
import LintelColumns

/// What `attribute_origins` says of a span: under which attributes its columns were sent (the OTLP writer's).
enum OriginTexts {
  /// By ``number(_:)``.
  static let all: [String] = Operation.allCases.flatMap { operation in
    [false, true].flatMap { isFailed in [false, true].map { text(operation, isFailed: isFailed, isReasoned: $0) } }
  }

  static func number(_ row: SpanRow) -> Int {
    Int(row.operation.rawValue) << 2 | (row.failure > 0 ? 2 : 0) | (row.isReasoned ? 1 : 0)
  }

  private static func text(_ operation: Operation, isFailed: Bool, isReasoned: Bool) -> String {
    var sent: [String: AttributeConversion] = [
      "service.name": .string, "org.id": .string, "team.id": .string, "app.id": .string,
      "deployment.environment.name": .string, "session.id": .string,
    ]
    if operation.name != nil { sent["gen_ai.operation.name"] = .string }
    if operation == .tool { sent["gen_ai.tool.name"] = .string }
    if operation == .agent { sent["gen_ai.agent.name"] = .string }
    if operation.hasModel {
      sent["gen_ai.provider.name"] = .string
      sent["gen_ai.request.model"] = .string
    }
    if operation.hasModel, !isFailed {
      sent["gen_ai.response.model"] = .string
      sent["gen_ai.usage.input_tokens"] = .int
      sent["gen_ai.usage.cost"] = .usd
    }
    if operation == .chat, !isFailed {
      sent["gen_ai.response.finish_reasons"] = .singleton
      sent["gen_ai.usage.output_tokens"] = .int
      sent["gen_ai.usage.cache_read.input_tokens"] = .int
      sent["gen_ai.response.time_to_first_chunk"] = .seconds
      if isReasoned { sent["gen_ai.usage.reasoning.output_tokens"] = .int }
    }
    let ofResource = ["service.name", "org.id", "team.id", "app.id", "deployment.environment.name"]
    return Conventions.moves.filter { move in
      let list = ofResource.contains(move.key) ? "resource_attributes" : "attributes"
      return sent[move.key] == move.conversion && move.list == list
    }.map(\.originEntry).joined(separator: ";")
  }
}
