import Lintel
import LintelColumns
import LintelQuery
import Testing

/// Attributes that hardly any span has must not cost an export the memory that they would take in every span.
@Suite struct ManyAttributesTests {
  private func span(_ number: Int) -> TraceSpan {
    var span = TraceSpan(
      name: "span", start: .init(nanoseconds: 1_800_000_000_000_000_000 + Int64(number)), duration: .zero,
      traceID: UInt128(number / 4 + 1), spanID: UInt64(number + 1))
    for step in 1...3 { span.attributes["key \(number &* 37 &* step % 500)"] = .int(Int64(number)) }
    span.attributes["note"] = number.isMultiple(of: 7) ? .string("seven \(number)") : nil
    return span
  }

  /// Every attribute of every exported span: `span id, key, value`.
  private func exported(_ store: SpanStore) async throws -> [String] {
    let request = try await store.export("EXPORT spans WHERE duration = 0 TO 'x'")
    let spanIDs = try #require(request.schema.index(of: "span_id"))
    var lines: [String] = []
    let warnings = try request.forEachBatch { batch in
      try batch.validate()
      for attribute in batch.attributes {
        for (position, row) in attribute.rows.enumerated() {
          let value = attribute.values.string(at: position) ?? String(attribute.values.int64(at: position) ?? -1)
          lines.append("\(batch.columns[spanIDs].int64(at: Int(row)) ?? 0) \(attribute.key.name) \(value)")
        }
      }
    }
    #expect(warnings == [])
    return lines.sorted()
  }

  @Test func anExportStaysWithinTheMemoryOfAQuery() async throws {
    try await withTemporaryDirectory { path in
      let spans = (0..<2000).map(span)
      let expected = spans.flatMap { span in
        span.attributes.map { "\(span.spanID) \($0.key) \($0.value.json().filter { $0 != "\"" })" }
      }.sorted()
      for limit in [1 << 30, 3 << 20] {
        var configuration = Configuration()
        configuration.queryMemoryLimit = limit
        configuration.isReadOnly = limit < 1 << 30
        let store = try await SpanStore.open(at: path, configuration: configuration)
        if !configuration.isReadOnly {
          try await store.append(spans)
          #expect(try await exported(store) == expected)
          try await store.flush()
        }
        #expect(try await exported(store) == expected)
        try await store.close()
      }
    }
  }
}
