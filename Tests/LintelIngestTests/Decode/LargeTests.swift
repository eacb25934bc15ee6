import LintelColumns
import Testing

@testable import LintelIngest

/// Requests built to hurt: they take time and memory in proportion to their size. Sizes suit debug builds.
@Suite struct LargeTests {
  @Test func manyAttributesOnOneSpan() throws {
    let attributes = (0..<20_000).map { TestAttribute("attribute number \($0)", .int(Int64($0))) }
    let batch = try decode(request(TestSpan(attributes: attributes))).batch
    #expect(batch.attributes.count == 20_000)
    try batch.validate()
  }

  @Test func oneKeyManyTimes() throws {
    let attributes = (0..<20_000).map { TestAttribute("k", .int(Int64($0))) }
    let batch = try decode(request(TestSpan(attributes: attributes))).batch
    #expect(batch.attributes.count == 1)
    guard case .map(let entries) = try batch.variant("attribute_repeats") else {
      Issue.record("no repeats")
      return
    }
    #expect(entries.count == 19_999)
    #expect(entries.last?.value == .int(19_999))
  }

  @Test func longTexts() throws {
    let name = String(repeating: "n", count: 4 << 20)
    let key = String(repeating: "k", count: 1 << 20)
    let batch = try decode(request(TestSpan(name: name, attributes: [TestAttribute(key, 1)]), TestSpan())).batch
    #expect(batch["name"].string(at: 0) == name)
    #expect(batch.attributes.first?.key.name == key)
  }

  @Test func manyEmptySpans() throws {
    let spans = [UInt8](repeating: 0, count: 200_000).enumerated().map { UInt8($0.offset % 2 == 0 ? 0x12 : 0) }
    let bytes = ProtobufWriter { $0.message(1) { $0.bytes(2, spans) } }.bytes
    let result = try decode(bytes)
    #expect(result.rejected == [.traceID: 100_000])
    #expect(result.accepted == 0)
  }

  @Test func manyEmptyEventsAndValues() throws {
    let empties = (0..<200_000).map { UInt8($0 % 2 == 0 ? 0x5a : 0) }
    let values = (0..<200_000).map { UInt8($0 % 2 == 0 ? 0x0a : 0) }
    let bytes = ProtobufWriter {
      $0.message(1) {
        $0.message(2) {
          $0.message(2) {
            $0.span(TestSpan())
            $0.bytes += empties
            $0.message(9) {
              $0.string(1, "k"); $0.message(2) { $0.bytes(5, values) }
            }
          }
        }
      }
    }.bytes
    let batch = try decode(bytes).batch
    #expect(batch["events"].bytes(at: 0)?.count == 200_004)
    #expect(batch["k", .variant]?.values.bytes(at: 0)?.count == 100_004)
  }
}
