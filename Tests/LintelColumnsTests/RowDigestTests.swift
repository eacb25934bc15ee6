import Testing

@testable import LintelColumns

@Suite struct RowDigestTests {
  @Test(arguments: [41, 42, 43] as [UInt64])
  func digestsDependOnContentOnly(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let batch = sampleBatch(300, &random)
    let digests = RowDigest.digests(of: batch)
    #expect(Set(digests).count == 300)

    var plain = batch
    plain.columns = plain.columns.map { $0.plain() }
    for index in plain.attributes.indices { plain.attributes[index].values = plain.attributes[index].values.plain() }
    #expect(RowDigest.digests(of: plain) == digests, "seed \(seed)")

    var coded = batch
    coded.columns = coded.columns.map { $0.plain().coded() }
    #expect(RowDigest.digests(of: coded) == digests, "seed \(seed)")

    #expect(RowDigest.digests(of: try roundTrip(batch)) == digests, "seed \(seed)")

    let rows: [UInt32] = [7, 3, 299, 150]
    #expect(RowDigest.digests(of: batch.select(rows: rows)) == rows.map { digests[Int($0)] }, "seed \(seed)")
  }

  @Test func everyValueCounts() {
    var random = SplitMix64(seed: 44)
    let batch = sampleBatch(20, &random)
    let digests = RowDigest.digests(of: batch)
    for index in batch.attributes.indices {
      var fewer = batch
      let removed = fewer.attributes.remove(at: index)
      let changed = RowDigest.digests(of: fewer)
      for row in 0..<20 { #expect((changed[row] != digests[row]) == removed.rows.contains(UInt32(row))) }
      // The same values under another name or kind are other content.
      var renamed = batch
      renamed.attributes[index] = AttributeColumn(
        key: AttributeKey("z", removed.key.kind), rows: removed.rows, values: removed.values)
      #expect(RowDigest.digests(of: renamed) != digests)
    }
    var other = batch
    other.columns[0] = ColumnVector(.int64((0..<20).map { Int64($0) }))
    #expect(zip(RowDigest.digests(of: other), digests).allSatisfy { $0 != $1 })
  }

  @Test func valuesMovedBetweenColumnsChangeTheDigest() {
    let schema = TableSchema(
      name: "t",
      columns: [ColumnDefinition("a", .int64, nullable: true), ColumnDefinition("b", .int64, nullable: true)],
      hasAttributes: false, sortKey: ["a"], shardKey: "a", timeColumn: "a", clusterColumn: "a")
    func digest(_ left: Int64?, _ right: Int64?) -> UInt128 {
      let columns = [left, right].map { value -> ColumnVector in
        var builder = Int64ColumnBuilder()
        if let value { builder.append(value) } else { builder.appendNull() }
        return builder.finish()
      }
      return RowDigest.digests(of: Batch(schema: schema, rowCount: 1, columns: columns))[0]
    }
    let values: [Int64?] = [nil, 0, 1, -1, .max]
    let all = values.flatMap { left in values.map { digest(left, $0) } }
    #expect(Set(all).count == 25)
  }

  /// Digests are on disk: these must never change.
  @Test func digestsNeverChange() {
    let schema = TableSchema(
      name: "t",
      columns: [ColumnDefinition("i", .int64), ColumnDefinition("s", .string), ColumnDefinition("u", .id16)],
      hasAttributes: true, sortKey: ["i"], shardKey: "i", timeColumn: "i", clusterColumn: "i")
    let batch = Batch(
      schema: schema, rowCount: 2,
      columns: [
        ColumnVector(.int64([1, -2])), .strings([Array("hello".utf8), Array("a text longer than sixteen bytes".utf8)]),
        ColumnVector(.id128([3, .max])),
      ],
      attributes: [AttributeColumn(key: AttributeKey("k", .double), rows: [1], values: ColumnVector(.float64([0.5])))])
    #expect(
      RowDigest.digests(of: batch).map { String($0, radix: 16) } == [
        "204be33397c9a1c06da7e213b4009f4f", "20945fbed751cbbf5a9e3b02b5f29d32",
      ])
  }

  @Test func kernelAgreesWithItsTwin() {
    var random = SplitMix64(seed: 45)
    let schema = TableSchema(
      name: "t", columns: [ColumnDefinition("i", .int64, nullable: true)], hasAttributes: false, sortKey: ["i"],
      shardKey: "i", timeColumn: "i", clusterColumn: "i")
    for count in [1, 63, 64, 65, 1000] {
      let vector = ColumnVector(.int64(IntegerShape.random.values(count, &random))).withNulls(30, &random)
      let batch = Batch(schema: schema, rowCount: count, columns: [vector])
      let seed = RowDigest.seed("i", 0x100)
      let expected = (0..<count).map { row -> UInt128 in
        guard let value = vector.int64(at: row) else { return RowDigest.stirred(0, 0) }
        let sum = DigestTwin.digest(UInt64(bitPattern: value), seed: seed)
        return RowDigest.stirred(sum.low, sum.high)
      }
      #expect(RowDigest.digests(of: batch) == expected)
    }
  }
}
