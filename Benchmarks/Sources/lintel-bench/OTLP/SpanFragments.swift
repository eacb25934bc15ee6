/// The pieces of OTLP requests that many spans share, ready to be copied.
struct SpanFragments {
  /// `ResourceSpans.resource`, by the host's number.
  let resources: [Fragment]
  /// `ScopeSpans.scope`: of GenAI and of HTTP instrumentation.
  let scopes: [Fragment]
  /// `Span.name`, by ``SpanNames/number(_:)``.
  let names: [Fragment]
  /// `Span.kind` and the attributes that follow from the operation and its target.
  let models: [Fragment]
  let answers: [Fragment]
  let tools: [Fragment]
  let agents: [Fragment]
  let operations: [Fragment]
  let requests: [Fragment]
  let calls: [Fragment]
  /// By the status: success, failure.
  let statusCodes: [Fragment]
  /// Temperature and max_tokens, by the application.
  let settings: [Fragment]
  let finishReasons: [Fragment]
  let failureTypes: [Fragment]
  let messageStarts: [Fragment]
  let messageEnds: [Fragment]
  let responsePrefixes: [Fragment]

  init(_ catalogue: Catalogue) {
    resources = catalogue.apps.indices.flatMap { app in
      (0..<8).map { Self.resource(catalogue, app, host: $0) }
    }
    scopes = Catalogue.scopes.map { name in
      Self.fragment {
        $0.message(1) {
          $0.string(1, name)
          $0.string(2, Catalogue.scopeVersion)
        }
      }
    }
    names = SpanNames.rows(catalogue).map { row in
      Self.fragment { $0.string(5, catalogue.spanName(row)) }
    }
    operations = Operation.allCases.map { operation in
      Self.fragment {
        $0.integer(6, UInt64(operation.kind))
        if let name = operation.name { $0.attribute(9, "gen_ai.operation.name", name) }
      }
    }
    models = Catalogue.models.map { model in
      Self.fragment {
        $0.attribute(9, "gen_ai.provider.name", model.provider)
        $0.attribute(9, "gen_ai.request.model", model.name)
      }
    }
    answers = Catalogue.models.map { model in
      Self.fragment { $0.attribute(9, "gen_ai.response.model", Catalogue.answeringModel(model)) }
    }
    tools = Catalogue.tools.map { tool in
      Self.fragment { $0.attribute(9, "gen_ai.tool.name", tool) }
    }
    agents = catalogue.apps.map { app in
      Self.fragment { $0.attribute(9, "gen_ai.agent.name", app.agentName) }
    }
    requests = Catalogue.routes.map { route in
      Self.fragment {
        $0.attribute(9, AttributeName.method, "POST")
        $0.attribute(9, AttributeName.route, route)
      }
    }
    calls = zip(Catalogue.routes, Catalogue.serverAddresses).map { route, address in
      Self.fragment {
        $0.attribute(9, AttributeName.method, "GET")
        $0.attribute(9, AttributeName.route, route)
        $0.attribute(9, AttributeName.serverAddress, address)
      }
    }
    statusCodes = [UInt64(200), 500].map { code in
      Self.fragment {
        $0.message(9) {
          $0.string(1, AttributeName.statusCode)
          $0.message(2) { $0.integer(3, code) }
        }
      }
    }
    settings = catalogue.apps.map { app in
      let temperature = DoubleAttribute(AttributeName.temperature)
      let maxTokens = IntAttribute(AttributeName.maxTokens)
      let sink = ByteSink(capacity: 256)
      temperature.write(app.temperature, to: sink)
      maxTokens.write(UInt64(app.maxTokens), to: sink)
      return Fragment(Array(sink.bytes))
    }
    finishReasons = FinishReason.allCases.map { reason in
      Self.fragment { $0.attribute(9, "gen_ai.response.finish_reasons", array: reason.name) }
    }
    failureTypes = Catalogue.failures.map { failure in
      Self.fragment { $0.attribute(9, AttributeName.errorType, failure.type) }
    }
    messageStarts = Catalogue.failures.map { Fragment(Array($0.before.utf8)) }
    messageEnds = Catalogue.failures.map { Fragment(Array($0.after.utf8)) }
    responsePrefixes = Catalogue.models.map { Fragment(Array($0.responsePrefix.utf8)) }
  }

  private static func fragment(_ body: (inout ProtobufWriter) -> Void) -> Fragment {
    Fragment(ProtobufWriter(body).bytes)
  }

  private static func resource(_ catalogue: Catalogue, _ number: Int, host: Int) -> Fragment {
    let app = catalogue.apps[number]
    return fragment {
      $0.message(1) {
        $0.attribute(1, "service.name", catalogue.services[app.service])
        $0.attribute(1, "org.id", catalogue.organizations[app.organization])
        $0.attribute(1, "team.id", Catalogue.teams[app.team])
        $0.attribute(1, "app.id", app.name)
        $0.attribute(1, "deployment.environment.name", Catalogue.environments[app.environment])
        for entry in catalogue.resourceAttributes(app: number, host: host) {
          $0.attribute(1, entry.key, entry.value)
        }
      }
    }
  }
}

/// An integer attribute of a span: what stands before the value, but for the two lengths that depend on it.
struct IntAttribute {
  private let key: Fragment

  init(_ key: String) { self.key = Fragment(ProtobufWriter { $0.string(1, key) }.bytes) }

  @inline(__always)
  func write(_ value: UInt64, to sink: ByteSink) {
    let length = 1 &+ ByteSink.varintLength(value)
    sink.append(0x4A)
    sink.append(UInt8(truncatingIfNeeded: key.count &+ 2 &+ length))
    sink.append(key)
    sink.append(0x12)
    sink.append(UInt8(truncatingIfNeeded: length))
    sink.append(0x18)
    sink.append(varint: value)
  }
}

/// A double attribute of a span.
struct DoubleAttribute {
  private let start: Fragment

  init(_ key: String) {
    let key = ProtobufWriter { $0.string(1, key) }.bytes
    start = Fragment([0x4A, UInt8(key.count + 11)] + key + [0x12, 9, 0x21])
  }

  @inline(__always)
  func write(_ value: Double, to sink: ByteSink) {
    sink.append(start)
    sink.append(littleEndian: value.bitPattern)
  }
}

/// A string attribute of a span: what stands before the text.
struct StringAttribute {
  private let key: Fragment

  init(_ key: String) { self.key = Fragment(ProtobufWriter { $0.string(1, key) }.bytes) }

  /// `length` bytes of text must follow; at most 60.
  @inline(__always)
  func begin(length: Int, to sink: ByteSink) {
    sink.append(0x4A)
    sink.append(UInt8(truncatingIfNeeded: key.count &+ length &+ 4))
    sink.append(key)
    sink.append(0x12)
    sink.append(UInt8(truncatingIfNeeded: length &+ 2))
    sink.append(0x0A)
    sink.append(UInt8(truncatingIfNeeded: length))
  }
}
