internal import LintelColumns

extension Conventions {
  /// Attributes that hold what people, models and tools said, as clients really send them: OpenTelemetry's GenAI names, then
  /// their deprecated ones, OpenInference, OpenLLMetry/Traceloop, Vercel's AI SDK, Langfuse, MLflow and Pydantic AI.
  static let content = ContentKeys(
    names: [
      "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
      "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.retrieval.documents",
      "gen_ai.retrieval.query.text", "gen_ai.memory.records", "gen_ai.memory.query.text",
      "gen_ai.prompt", "gen_ai.completion", "gen_ai.content.prompt", "gen_ai.content.completion",
      "input.value", "output.value", "llm.prompts", "llm.tools", "llm.request.functions", "tool.parameters",
      "traceloop.entity.input", "traceloop.entity.output",
      "ai.prompt", "ai.prompt.messages", "ai.prompt.tools", "ai.response.text", "ai.response.object",
      "ai.response.toolCalls", "ai.response.reasoning", "ai.toolCall.args", "ai.toolCall.result", "ai.value",
      "ai.values",
      "langfuse.observation.input", "langfuse.observation.output", "langfuse.trace.input", "langfuse.trace.output",
      "mlflow.spanInputs", "mlflow.spanOutputs",
      "pydantic_ai.all_messages", "all_messages_events", "events",
    ],
    prefixes: [
      "gen_ai.prompt.", "gen_ai.completion.", "llm.input_messages.", "llm.output_messages.", "llm.prompts.",
      "llm.completions.", "llm.tools.", "llm.request.functions.", "retrieval.documents.",
      "reranker.input_documents.", "reranker.output_documents.", "gen_ai.prompt.variable.",
    ])

  /// Attributes that hold a span's whole input, the first that it has counting. `[]` stands for a list whose elements, or
  /// fields of them, are attributes each.
  static let inputs = [
    "gen_ai.input.messages", "gen_ai.prompt", "gen_ai.prompt[]", "llm.input_messages[]", "llm.prompts[]", "input.value",
    "traceloop.entity.input", "ai.prompt.messages", "ai.prompt", "gen_ai.tool.call.arguments", "ai.toolCall.args",
    "langfuse.observation.input", "mlflow.spanInputs", "pydantic_ai.all_messages",
  ]

  /// The same for its output.
  static let outputs = [
    "gen_ai.output.messages", "gen_ai.completion", "gen_ai.completion[]", "llm.output_messages[]", "llm.completions[]",
    "output.value", "traceloop.entity.output", "ai.response.text", "ai.response.object", "ai.response.toolCalls",
    "gen_ai.tool.call.result", "ai.toolCall.result", "langfuse.observation.output", "mlflow.spanOutputs",
  ]

  /// A column that shows the first of some attributes as text.
  static func contentColumn(_ name: String, _ keys: [String], documentation: String) -> ComputedColumn {
    let values = keys.map { key in
      let value = key.hasSuffix("[]") ? "unflatten(attributes, '\(key)')" : "attributes['\(key)']"
      return "CAST(\(value) AS string)"
    }
    return ComputedColumn(
      name, "coalesce(\(values.joined(separator: ", ")))", documentation: documentation, onRequest: true)
  }

  /// A column that shows the digests of the first of some attributes that has messages in the content store.
  static func digestColumn(_ name: String, _ keys: [String], documentation: String) -> ComputedColumn {
    let values = keys.filter { !$0.hasSuffix("[]") }.map { "digests(attributes['\($0)'])" }
    return ComputedColumn(
      name, "coalesce(\(values.joined(separator: ", ")))", documentation: documentation, onRequest: true)
  }
}
