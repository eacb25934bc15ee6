import Lintel
import LintelColumns

@testable import LintelIngest

let testHasher = UserHasher(secret: Array("a secret for tests, of some length".utf8))

/// Decodes protobuf with the tests' secret.
func decode(
  _ bytes: [UInt8], organization: String? = nil, limits: OTLPLimits = OTLPLimits()
) throws -> DecodedRequest {
  try bytes.withUnsafeBytes {
    try OTLPDecoder(hasher: testHasher, limits: limits).decode($0, organization: organization)
  }
}

/// Decodes JSON with the tests' secret.
func decode(json text: String) throws -> DecodedRequest {
  try Array(text.utf8).withUnsafeBytes { try OTLPDecoder(hasher: testHasher).decode(json: $0) }
}

/// Decodes a request with one span that has these attributes.
func decoded(
  _ attributes: [TestAttribute], resource: [TestAttribute] = [], organization: String? = nil
) throws -> Batch {
  try decode(request(TestSpan(attributes: attributes), resource: resource), organization: organization).batch
}

extension Batch {
  /// A column by its name.
  subscript(_ name: String) -> ColumnVector {
    schema.index(of: name).map { columns[$0] } ?? ColumnVector.nulls(.bytes, count: rowCount)
  }

  /// The values of a dynamic column.
  subscript(_ name: String, _ kind: AttributeKind) -> AttributeColumn? {
    attributes.first { $0.key == AttributeKey(name, kind) }
  }

  /// The moves of a row.
  func origins(_ row: Int = 0) -> [String] {
    self["attribute_origins"].string(at: row)?.split(separator: ";").map(String.init) ?? []
  }

  /// A variant column's value.
  func variant(_ name: String, _ row: Int = 0) throws -> Variant? {
    try self[name].bytes(at: row).map { try Variant(decoding: $0) }
  }
}

/// A reproducible generator; tests print its seed.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func int(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

  mutating func chance(_ oneIn: Int) -> Bool { int(0..<oneIn) == 0 }

  mutating func pick<Element>(_ items: [Element]) -> Element { items[int(0..<items.count)] }
}
