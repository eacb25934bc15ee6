import Lintel
import LintelColumns
import Testing

/// An attribute that clients send with several types.
@Suite("Attributes of several types") struct MixedAttributeTests {
  /// Integers that a double doesn't tell apart stay apart, however they are compared.
  @Test func integersAreExact() async throws {
    try await withTemporaryDirectory { path in
      let store = try await SpanStore.open(at: path)
      let values: [Variant] = [
        .int(.max), .int(.max - 1), .int(.max - 2), .int(1 << 53), .int(1 << 53 + 1), .int(7), .double(0x1p53),
        .double(2.5),
        .string("9223372036854775807"), .bool(true),
      ]
      try await store.append(
        values.enumerated().map { number, value in
          var span = TraceSpan(name: "\(number)", start: .init(nanoseconds: Int64(number)), duration: .seconds(1))
          span.attributes["m"] = value
          return span
        })
      for _ in 0..<2 {
        func names(_ condition: String) async throws -> String {
          try await store.query("SELECT name FROM spans WHERE \(condition) ORDER BY start_time").decode(String.self)
            .joined()
        }
        #expect(try await names("attributes['m'] = 9223372036854775806") == "1")
        #expect(try await names("attributes['m'] > 9223372036854775806") == "0")
        #expect(try await names("attributes['m'] <> 9223372036854775806") == "0234567")
        #expect(try await names("attributes['m'] IN (9223372036854775806, 7)") == "15")
        #expect(try await names("attributes['m'] BETWEEN 9223372036854775805 AND 9223372036854775806") == "12")
        #expect(try await names("attributes['m'] = 9007199254740993") == "4")
        #expect(try await names("attributes['m'] >= 9007199254740993") == "0124")
        #expect(try await names("9007199254740993 > attributes['m']") == "3567")
        #expect(try await names("attributes['m'] = 9007199254740992") == "36")
        #expect(try await names("attributes['m'] < 7.5") == "57")
        try await store.flush()
      }
      try await store.close()
    }
  }
}
