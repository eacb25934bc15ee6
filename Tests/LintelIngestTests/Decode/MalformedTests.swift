import LintelColumns
import Testing

@testable import LintelIngest

/// Requests that are refused as a whole, and bytes that are anything at all.
@Suite struct MalformedTests {
  private func code(_ bytes: [UInt8]) -> OTLPError.Code? {
    do {
      _ = try decode(bytes)
      return nil
    } catch {
      return (error as? OTLPError)?.code
    }
  }

  @Test func knownFieldsWithAnotherWireTypeAreRefused() {
    #expect(code(ProtobufWriter { $0.int(1, 5) }.bytes) == .malformed)
    #expect(code(ProtobufWriter { $0.fixed32(1, 5) }.bytes) == .malformed)
    let breaks: [(inout ProtobufWriter) -> Void] = [
      { $0.int(1, 5) }, { $0.int(5, 5) }, { $0.fixed32(7, 5) }, { $0.string(6, "x") }, { $0.int(15, 1) },
      { $0.message(9) { $0.int(1, 1) } }, { $0.message(9) { $0.message(2) { $0.fixed64(3, 1) } } },
      { $0.message(11) { $0.int(1, 1) } }, { $0.message(13) { $0.int(6, 1) } }, { $0.int(16, 1) },
    ]
    for (index, broken) in breaks.enumerated() {
      let bytes = ProtobufWriter {
        $0.message(1) {
          $0.message(2) {
            $0.message(2) {
              $0.span(TestSpan())
              broken(&$0)
            }
          }
        }
      }.bytes
      #expect(code(bytes) == .malformed, "break \(index)")
    }
  }

  @Test func unknownFieldsAreIgnoredEverywhere() throws {
    let unknown: (inout ProtobufWriter) -> Void = {
      $0.int(100, 7)
      $0.bytes(101, [0xff, 0xff])
      $0.tag(102, 3)
      $0.fixed64(1, 1)
      $0.tag(102, 4)
    }
    let bytes = ProtobufWriter {
      unknown(&$0)
      $0.message(1) {
        unknown(&$0)
        $0.message(1) { unknown(&$0) }
        $0.message(2) {
          unknown(&$0)
          $0.message(1) { unknown(&$0) }
          $0.message(2) {
            unknown(&$0)
            $0.span(TestSpan(attributes: [TestAttribute("k", "v")]))
            $0.message(9) {
              unknown(&$0)
              $0.string(1, "l")
              $0.message(2) { unknown(&$0) }
            }
            $0.message(11) { unknown(&$0) }
            $0.message(13) { unknown(&$0) }
            $0.message(15) {
              // The reserved number, too.
              $0.string(1, "x")
              unknown(&$0)
            }
          }
        }
      }
    }.bytes
    let result = try decode(bytes)
    #expect(result.accepted == 1)
    #expect(result.batch["l", .variant] != nil)
  }

  /// The resource and the scope may stand behind their spans, in pieces.
  @Test func fieldsComeInAnyOrder() throws {
    let bytes = ProtobufWriter {
      $0.message(1) {
        $0.message(2) {
          $0.message(2) { $0.span(TestSpan()) }
          $0.message(1) { $0.string(1, "scope") }
          $0.message(1) { $0.string(2, "2.0") }
        }
        $0.message(1) { $0.attributes(1, [TestAttribute("service.name", "svc")]) }
        $0.message(1) { $0.attributes(1, [TestAttribute("host.name", "h")]) }
      }
    }.bytes
    let batch = try decode(bytes).batch
    #expect(batch["service_name"].string(at: 0) == "svc")
    #expect(batch["scope_name"].string(at: 0) == "scope")
    #expect(batch["scope_version"].string(at: 0) == "2.0")
    #expect(try batch.variant("resource_attributes") == .map([Variant.Entry("host.name", .string("h"))]))
  }

  @Test func everyCutOfAGoodRequestIsRefused() throws {
    var random = SplitMix64(seed: 5)
    let good = request(randomSpan(&random, id: 1), TestSpan(attributes: [TestAttribute("k", "v")]))
    #expect(code(good) == nil)
    // There is one field at the top, so that every cut but the first is inside it.
    for end in 1..<good.count { #expect(code(Array(good[..<end])) == .malformed, "cut at \(end)") }
  }

  @Test func nestingIsBounded() throws {
    func nested(_ depth: Int, map: Bool) -> [UInt8] {
      var value = ProtobufWriter { $0.value("core") }.bytes
      for _ in 0..<depth {
        let inner = value
        value =
          ProtobufWriter {
            if map {
              $0.message(6) {
                $0.message(1) {
                  $0.string(1, "k"); $0.bytes(2, inner)
                }
              }
            } else {
              $0.message(5) { $0.bytes(1, inner) }
            }
          }.bytes
      }
      let content = value
      return ProtobufWriter {
        $0.message(1) {
          $0.message(2) {
            $0.message(2) {
              $0.span(TestSpan())
              $0.message(9) {
                $0.string(1, "deep"); $0.bytes(2, content)
              }
            }
          }
        }
      }.bytes
    }
    for depth in [30] {
      for map in [true, false] {
        let batch = try decode(nested(depth, map: map)).batch
        let column = try #require(batch["deep", .variant])
        let value = try Variant(decoding: column.values.bytes(at: 0) ?? [])
        #expect(!value.isTooDeep)
      }
    }
    for depth in [48, 100, 1000] {
      #expect(code(nested(depth, map: false)) == .tooDeep)
      #expect(code(nested(depth, map: true)) == .tooDeep)
    }
  }

  @Test func requestsBeyondTheLimitAreRefused() {
    var limits = OTLPLimits()
    limits.requestBytes = 10
    #expect(throws: OTLPError.self) { try decode(request(TestSpan()), limits: limits) }
  }

  /// Changed, cut, grown and shuffled bytes: an answer or an error, never a trap, and a batch that holds together.
  @Test(arguments: [11, 12, 13, 14] as [UInt64])
  func mutationsNeverTrap(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var limits = OTLPLimits()
    limits.invalidText = seed & 1 == 0 ? .rejectSpan : .rejectRequest
    var decodedCount = 0
    for round in 0..<400 {
      var bytes = encoded(randomRequest(&random))
      guard !bytes.isEmpty else { continue }
      for _ in 0..<random.int(1..<5) {
        let at = random.int(0..<bytes.count)
        switch random.int(0..<5) {
        case 0: bytes[at] ^= 1 << UInt8(random.int(0..<8))
        case 1: bytes[at] = UInt8(random.int(0..<256))
        case 2: bytes.insert(UInt8(random.int(0..<256)), at: at)
        case 3 where bytes.count > 1: bytes.remove(at: at)
        default: bytes.swapAt(at, random.int(0..<bytes.count))
        }
      }
      guard let result = try? decode(bytes, limits: limits) else { continue }
      decodedCount += 1
      do {
        try result.batch.validate()
        _ = try SpanExporter().lines(result.batch)
      } catch {
        Issue.record("seed \(seed), round \(round): \(error)")
      }
    }
    #expect(decodedCount > 0)
  }
}
