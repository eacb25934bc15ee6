public import LintelColumns

/// Which attribute fills which canonical column: the semantic conventions as clients really send them.
///
/// Read it beside the conventions. In each list the current OpenTelemetry GenAI name comes first, then its deprecated
/// names, then OpenInference, OpenLLMetry/Traceloop, Vercel's AI SDK and Langfuse. Clients keep old names for years, so no
/// generation is ever dropped. A span's own attribute goes before its resource's. The attributes that lose stay attributes.
public enum Conventions {
  public static let table: [Convention] = [
    // Who sent it. Aliases of the organisation: X-Scope-OrgID wins over all of these (see OTLPDecoder).
    Convention("service_name", [.resource("service.name")]),
    Convention(
      "org_id",
      [
        .text("org.id"), .text("organization.id"), .text("tenant.id"),
        .resource("org.id"), .resource("organization.id"), .resource("tenant.id"),
      ]),
    Convention("team_id", [.text("team.id"), .resource("team.id")]),
    // Falls back to service.name.
    Convention(
      "app_id",
      [.text("app.id"), .text("application.id"), .resource("app.id"), .resource("application.id")]),
    Convention(
      "environment",
      [
        .text("deployment.environment.name"), .text("deployment.environment"), .text("langfuse.environment"),
        .resource("deployment.environment.name"), .resource("deployment.environment"),
        .resource("langfuse.environment"),
      ]),
    Convention(
      "session_id",
      [
        .text("gen_ai.conversation.id"), .text("session.id"), .text("langfuse.session.id"),
        .text("ai.telemetry.metadata.sessionId"), .text("traceloop.association.properties.session_id"),
      ]),

    // What was asked of whom.
    Convention(
      "operation",
      [
        .text("gen_ai.operation.name"), .named("llm.request.type", requestTypes),
        .openInferenceKind("openinference.span.kind"), .named("traceloop.span.kind", traceloopKinds),
        .named("ai.operationId", vercelOperations), .named("langfuse.observation.type", langfuseTypes),
        .named("genkit:metadata:subtype", genkitSubtypes),
      ]),
    Convention(
      "provider",
      [
        .provider("gen_ai.provider.name"), .provider("gen_ai.system"), .provider("llm.provider"),
        .provider("llm.system"), .provider("ai.model.provider"),
      ]),
    Convention(
      "request_model",
      [
        .text("gen_ai.request.model"), .text("llm.request.model_name"), .text("llm.model_name"),
        .text("embedding.model_name"), .text("reranker.model_name"), .text("llm.request.model"), .text("ai.model.id"),
      ]),
    Convention(
      "response_model",
      [
        .text("gen_ai.response.model"), .text("llm.response.model_name"), .text("langfuse.observation.model.name"),
        .text("llm.response.model"), .text("ai.response.model"),
      ]),
    Convention(
      "finish_reason",
      [
        .textOrFirst("gen_ai.response.finish_reasons"), .textOrFirst("gen_ai.response.finish_reason"),
        .textOrFirst("gen_ai.response.stop_reason"), .textOrFirst("llm.finish_reason"),
        .textOrFirst("llm.response.finish_reason"), .textOrFirst("llm.response.stop_reason"),
        .textOrFirst("ai.response.finishReason"),
      ]),
    Convention("tool_name", [.text("gen_ai.tool.name"), .text("tool.name"), .text("ai.toolCall.name")]),
    // traceloop.entity.name stands on tasks and tools too, so it doesn't name an agent.
    Convention("agent_name", [.text("gen_ai.agent.name"), .text("agent.name"), .text("graph.node.id")]),

    // Tokens: input and output include the cached and reasoning ones.
    Convention(
      "input_tokens",
      [
        .count("gen_ai.usage.input_tokens"), .count("gen_ai.usage.prompt_tokens"), .count("llm.token_count.prompt"),
        .count("llm.usage.prompt_tokens"), .count("ai.usage.inputTokens"), .count("ai.usage.promptTokens"),
      ]),
    Convention(
      "output_tokens",
      [
        .count("gen_ai.usage.output_tokens"), .count("gen_ai.usage.completion_tokens"),
        .count("llm.token_count.completion"), .count("llm.usage.completion_tokens"), .count("ai.usage.outputTokens"),
        .count("ai.usage.completionTokens"),
      ]),
    Convention(
      "cache_read_tokens",
      [
        .count("gen_ai.usage.cache_read.input_tokens"), .count("gen_ai.usage.cache_read_input_tokens"),
        .count("gen_ai.usage.cache_read_tokens"), .count("gen_ai.usage.details.cache_read_tokens"),
        .count("gen_ai.usage.details.cache_read_input_tokens"), .count("gen_ai.usage.input_cached_tokens"),
        .count("llm.token_count.prompt_details.cache_read"), .count("llm.token_count.prompt_details.cache_input"),
        .count("ai.usage.cachedInputTokens"),
      ]),
    Convention(
      "cache_write_tokens",
      [
        .count("gen_ai.usage.cache_write.input_tokens"), .count("gen_ai.usage.cache_creation.input_tokens"),
        .count("gen_ai.usage.cache_creation_input_tokens"), .count("gen_ai.usage.cache_write_tokens"),
        .count("gen_ai.usage.details.cache_write_tokens"),
        .count("gen_ai.usage.details.cache_creation_input_tokens"),
        .count("llm.token_count.prompt_details.cache_write"),
      ]),
    Convention(
      "reasoning_tokens",
      [
        .count("gen_ai.usage.reasoning.output_tokens"), .count("gen_ai.usage.reasoning_tokens"),
        .count("llm.usage.reasoning_tokens"), .count("llm.token_count.completion_details.reasoning"),
        .count("ai.usage.reasoningTokens"),
      ]),

    // Time and money.
    Convention(
      "time_to_first_token",
      [.seconds("gen_ai.response.time_to_first_chunk"), .milliseconds("ai.response.msToFirstChunk")]),
    Convention("reported_cost", [.usd("gen_ai.usage.cost"), .usd("llm.cost.total")]),
  ]

  /// Keys whose values are user ids, the preferred first. They never reach a batch, wherever they stand: the first that a
  /// span has becomes its `user_hash`.
  public static let userKeys = [
    "user.hash", "user.id", "langfuse.user.id", "enduser.pseudo.id", "enduser.id", "gen_ai.user",
    "ai.telemetry.metadata.userId", "llm.user", "traceloop.association.properties.user_id",
  ]

  /// The key of `userKeys` whose value is a hash already when it is 32 hexadecimal digits.
  public static let userHashKey = "user.hash"

  /// OpenInference's span kinds and our operations, one to one, so that the way back is exact.
  public static let openInferenceKinds: [(kind: String, operation: String)] = [
    ("LLM", "chat"), ("EMBEDDING", "embeddings"), ("TOOL", "execute_tool"), ("AGENT", "invoke_agent"),
    ("RETRIEVER", "retrieval"), ("RERANKER", "rerank"), ("CHAIN", "invoke_workflow"), ("GUARDRAIL", "guardrail"),
    ("EVALUATOR", "evaluate"), ("PROMPT", "prompt"),
  ]

  /// Other spellings of the providers' canonical names.
  public static let providerAliases: [String: String] = [
    "OpenAI": "openai", "openai.chat": "openai", "openai.responses": "openai", "openai.completion": "openai",
    "openai.embedding": "openai", "Anthropic": "anthropic", "anthropic.messages": "anthropic", "xai": "x_ai",
    "xai.chat": "x_ai", "gemini": "gcp.gemini", "google": "gcp.gemini", "google.generative-ai": "gcp.gemini",
    "vertex_ai": "gcp.vertex_ai", "vertexai": "gcp.vertex_ai", "google.vertex.chat": "gcp.vertex_ai",
    "az.ai.openai": "azure.ai.openai", "azure": "azure.ai.openai", "azure-openai.chat": "azure.ai.openai",
    "az.ai.inference": "azure.ai.inference", "bedrock": "aws.bedrock", "amazon-bedrock": "aws.bedrock",
    "AWS": "aws.bedrock", "aws_bedrock": "aws.bedrock", "Cohere": "cohere", "mistral": "mistral_ai",
    "mistralai": "mistral_ai", "MistralAI": "mistral_ai", "mistral.chat": "mistral_ai", "groq.chat": "groq",
    "Groq": "groq", "watsonx": "ibm.watsonx.ai", "Watsonx": "ibm.watsonx.ai", "moonshot": "moonshot_ai",
    "perplexity.chat": "perplexity", "deepseek.chat": "deepseek",
  ]

  private static let openInferenceOriginals = Dictionary(
    uniqueKeysWithValues: openInferenceKinds.map { ($0.operation, $0.kind) })

  static let requestTypes = [
    "chat": "chat", "completion": "text_completion", "embedding": "embeddings", "rerank": "rerank",
  ]
  static let traceloopKinds = ["workflow": "invoke_workflow", "agent": "invoke_agent", "tool": "execute_tool"]
  static let vercelOperations = [
    "ai.generateText": "invoke_agent", "ai.streamText": "invoke_agent", "ai.generateText.doGenerate": "chat",
    "ai.streamText.doStream": "chat", "ai.generateObject.doGenerate": "chat", "ai.streamObject.doStream": "chat",
    "ai.embed.doEmbed": "embeddings", "ai.embedMany.doEmbed": "embeddings", "ai.toolCall": "execute_tool",
  ]
  static let langfuseTypes = [
    "generation": "chat", "agent": "invoke_agent", "tool": "execute_tool", "chain": "invoke_workflow",
    "retriever": "retrieval", "embedding": "embeddings", "evaluator": "evaluate", "guardrail": "guardrail",
  ]
  static let genkitSubtypes = [
    "model": "chat", "tool": "execute_tool", "embedder": "embeddings", "retriever": "retrieval", "reranker": "rerank",
    "flow": "invoke_workflow",
  ]

  /// Every move that the table allows, in its order: what ``TableSchema/movedAttributes`` of the spans table holds.
  public static let moves: [MovedAttribute] = table.flatMap { convention in
    convention.candidates.flatMap { candidate in
      candidate.conversions.map {
        MovedAttribute(
          key: candidate.key, list: candidate.list.rawValue, column: convention.column, conversion: $0,
          originals: $0 == .openInferenceKind ? openInferenceOriginals : [:])
      }
    }
  }
}
