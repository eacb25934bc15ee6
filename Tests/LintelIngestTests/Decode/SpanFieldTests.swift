import Lintel
import LintelColumns
import Testing

@testable import LintelIngest

/// The fields of spans, events and links.
@Suite struct SpanFieldTests {
  @Test func plainFields() throws {
    let span = TestSpan(
      traceID: Array(1...16), spanID: Array(1...8), parentID: Array(8...15), traceState: "a=b", flags: 769,
      name: "chat", kind: 3, start: 1000, end: 1500, droppedAttributes: 1, droppedEvents: 2, droppedLinks: 3,
      statusCode: 2, statusMessage: "no")
    let batch = try decode(request(span)).batch
    #expect(batch["trace_id"].id128(at: 0) == 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)
    #expect(batch["span_id"].int64(at: 0) == 0x0102_0304_0506_0708)
    #expect(batch["parent_span_id"].int64(at: 0) == 0x0809_0a0b_0c0d_0e0f)
    #expect(batch["trace_state"].string(at: 0) == "a=b")
    #expect(batch["flags"].int64(at: 0) == 769)
    #expect(batch["name"].string(at: 0) == "chat")
    #expect(batch["kind"].int64(at: 0) == 3)
    #expect(batch["start_time"].int64(at: 0) == 1000)
    #expect(batch["duration"].int64(at: 0) == 500)
    #expect(batch["time_anomaly"].int64(at: 0) == 0)
    #expect(batch["reported_end_time"].int64(at: 0) == nil)
    #expect(batch["status"].int64(at: 0) == 2)
    #expect(batch["status_message"].string(at: 0) == "no")
    #expect(batch["dropped_attributes_count"].int64(at: 0) == 1)
    #expect(batch["dropped_events_count"].int64(at: 0) == 2)
    #expect(batch["dropped_links_count"].int64(at: 0) == 3)
    #expect(try batch.variant("events") == nil)
  }

  @Test(
    arguments: [
      (1000, 0, 1), (1000, 999, 2), (1000, 1000, 0), (UInt64(Int64.max), 1, 2), (1, UInt64(Int64.max), 0),
    ] as [(UInt64, UInt64, Int64)])
  func oddTimes(start: UInt64, end: UInt64, anomaly: Int64) throws {
    let batch = try decode(request(TestSpan(start: start, end: end))).batch
    #expect(batch["time_anomaly"].int64(at: 0) == anomaly)
    #expect(batch["duration"].int64(at: 0) == (anomaly == 0 ? Int64(end - start) : 0))
    #expect(batch["reported_end_time"].int64(at: 0) == (anomaly == 0 ? nil : Int64(end)))
  }

  @Test func openEnumerationsAreKept() throws {
    let spans = [TestSpan(kind: 99), TestSpan(kind: -1), TestSpan(kind: .min, statusCode: 7)]
    let batch = try decode(encoded([TestResource(scopes: [TestScope(spans: spans)])])).batch
    #expect((0..<3).map { batch["kind"].int64(at: $0) } == [99, -1, Int64(Int32.min)])
    #expect(batch["status"].int64(at: 2) == 7)
  }

  @Test func aParentOfZerosMeansNoneAndComesBack() throws {
    let batch = try decode(request(TestSpan(parentID: [UInt8](repeating: 0, count: 8)), TestSpan())).batch
    #expect(batch["parent_span_id"].int64(at: 0) == nil)
    #expect(batch.origins(0) == [SpanSchema.zeroParentOrigin])
    #expect(batch.origins(1).isEmpty)
    #expect(
      String(decoding: try SpanExporter().lines(batch), as: UTF8.self).contains(#""parentSpanId":"0000000000000000""#))
  }

  @Test func eventsAndLinks() throws {
    let span = TestSpan(
      events: [
        TestEvent(time: 5, name: "first", attributes: [TestAttribute("k", 1), TestAttribute("k", 2)], dropped: 4),
        TestEvent(),
      ],
      links: [
        TestLink(
          traceID: [0xab, 0xcd], spanID: [1], traceState: "s", flags: 256, attributes: [TestAttribute("l", .empty)])
      ])
    let batch = try decode(request(span)).batch
    #expect(
      try batch.variant("events")
        == .array([
          .map([
            Variant.Entry("time", .int(5)), Variant.Entry("name", .string("first")),
            Variant.Entry("attributes", .map([Variant.Entry("k", .int(1)), Variant.Entry("k", .int(2))])),
            Variant.Entry("dropped_attributes_count", .int(4)),
          ]), .map([]),
        ]))
    #expect(
      try batch.variant("links")
        == .array([
          .map([
            Variant.Entry("trace_id", .string("abcd")), Variant.Entry("span_id", .string("01")),
            Variant.Entry("trace_state", .string("s")), Variant.Entry("flags", .int(256)),
            Variant.Entry("attributes", .map([Variant.Entry("l", .empty)])),
          ])
        ]))
  }

  @Test func boolsAreTrueForEveryNumberButZero() throws {
    let bytes = ProtobufWriter {
      $0.message(1) {
        $0.message(2) {
          $0.message(2) {
            $0.span(TestSpan())
            for (key, number) in [("zero", 0), ("two", 2), ("big", UInt64.max)] {
              $0.message(9) {
                $0.string(1, key); $0.message(2) { $0.int(2, number) }
              }
            }
          }
        }
      }
    }.bytes
    let batch = try decode(bytes).batch
    #expect(batch["zero", .bool]?.values.bool(at: 0) == false)
    #expect(batch["two", .bool]?.values.bool(at: 0) == true)
    #expect(batch["big", .bool]?.values.bool(at: 0) == true)
  }

  @Test func ofSeveralValuesTheLastCounts() throws {
    let bytes = ProtobufWriter {
      $0.message(1) {
        $0.message(2) {
          $0.message(2) {
            $0.span(TestSpan())
            $0.message(9) {
              $0.string(1, "k");
              $0.message(2) {
                $0.string(1, "text"); $0.int(3, 7)
              }
            }
          }
        }
      }
    }.bytes
    let batch = try decode(bytes).batch
    #expect(batch.attributes.map(\.key) == [AttributeKey("k", .int)])
  }
}
