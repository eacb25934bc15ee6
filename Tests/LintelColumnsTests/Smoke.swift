import Testing

@testable import LintelColumns

@Test func smoke() throws {
  #expect(Checksum.crc32c(Array("123456789".utf8)) == 0xE306_9283)
  var b = BytesColumnBuilder()
  var i = Int64ColumnBuilder()
  for k in 0..<1000 {
    if k % 7 == 0 { b.appendNull() } else { b.append("v\(k % 10)") }
    i.append(Int64(k))
  }
  let schema = TableSchema(
    name: "t", columns: [ColumnDefinition("a", .string, nullable: true), ColumnDefinition("b", .int64)],
    hasAttributes: true, sortKey: ["b"], shardKey: "b", timeColumn: "b", clusterColumn: "b")
  let batch = Batch(schema: schema, rowCount: 1000, columns: [b.finish(), i.finish()])
  try batch.validate()
  var out: [UInt8] = []
  BatchCodec.encode(batch, into: &out)
  let back = try out.withUnsafeBytes { try BatchCodec.decode($0, schema: schema) }
  #expect(RowDigest.digests(of: batch) == RowDigest.digests(of: back))
  #expect(Set(RowDigest.digests(of: batch)).count == 1000)
  #expect(back.columns[0].string(at: 8) == "v8")
  let v = Variant.map([.init("a", .array([.int(-5), .double(1.5), .bytes([1, 2, 3, 4])])), .init("a", .empty)])
  #expect(try Variant(decoding: v.encoded) == v)
  #expect(v.json() == #"{"a":[-5,1.5,"AQIDBA=="],"a":null}"#)
}
