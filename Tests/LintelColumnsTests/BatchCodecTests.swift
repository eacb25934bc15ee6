import Testing

@testable import LintelColumns

let sampleSchema = TableSchema(
  name: "samples",
  columns: [
    ColumnDefinition("time", .timestamp), ColumnDefinition("id", .id16),
    ColumnDefinition("cost", .float64, nullable: true),
    ColumnDefinition("ok", .bool, nullable: true), ColumnDefinition("name", .string, nullable: true),
    ColumnDefinition("model", .string, nullable: true), ColumnDefinition("user", .id16, nullable: true),
    ColumnDefinition("tokens", .uint32, nullable: true),
  ],
  hasAttributes: true, sortKey: ["time"], shardKey: "id", timeColumn: "time", clusterColumn: "id")

/// A batch with every storage form, nulls and attributes.
func sampleBatch(_ rowCount: Int, _ random: inout SplitMix64) -> Batch {
  func some(_ vector: ColumnVector) -> ColumnVector { vector.withNulls([0, 10, 100][random.below(3)], &random) }
  let columns = [
    ColumnVector(.int64(IntegerShape.timestamps.values(rowCount, &random))),
    ColumnVector(.id128((0..<rowCount).map { _ in UInt128(random.next()) << 64 | UInt128(random.next()) })),
    some(ColumnVector(.float64(DoubleShape.special.values(rowCount, &random)))),
    some(ColumnVector(.bool((0..<rowCount).map { _ in random.chance(50) }))),
    some(.strings(StringShape.text.values(rowCount, &random))),
    some(ColumnVector.strings(StringShape.words.values(rowCount, &random)).coded()),
    some(ColumnVector(.id128((0..<rowCount).map { UInt128($0 % 3) })).coded()),
    some(ColumnVector(.int64((0..<rowCount).map { _ in Int64(random.below(1 << 32)) }))),
  ]
  var attributes: [AttributeColumn] = []
  for key in [
    AttributeKey("a", .int), AttributeKey("a", .double), AttributeKey("b", .string), AttributeKey("c", .bool),
  ] {
    let rows = (0..<UInt32(rowCount)).filter { _ in random.chance(30) }
    if rows.isEmpty { continue }
    let values: ColumnVector =
      switch key.kind {
      case .int: ColumnVector(.int64(IntegerShape.extremes.values(rows.count, &random)))
      case .double: ColumnVector(.float64(DoubleShape.random.values(rows.count, &random)))
      case .bool: ColumnVector(.bool(rows.map { $0 % 2 == 0 }))
      default: ColumnVector.strings(StringShape.words.values(rows.count, &random)).coded()
      }
    attributes.append(AttributeColumn(key: key, rows: rows, values: values))
  }
  return Batch(schema: sampleSchema, rowCount: rowCount, columns: columns, attributes: attributes)
}

func roundTrip(_ batch: Batch, _ schema: TableSchema = sampleSchema) throws -> Batch {
  var bytes: [UInt8] = []
  BatchCodec.encode(batch, into: &bytes)
  return try bytes.withUnsafeBytes { try BatchCodec.decode($0, schema: schema) }
}

func expectSame(_ left: Batch, _ right: Batch, _ comment: Comment? = nil) {
  #expect(left.rowCount == right.rowCount, comment)
  #expect(left.columns.map(\.rows) == right.columns.map(\.rows), comment)
  #expect(left.attributes.map(\.key) == right.attributes.map(\.key), comment)
  #expect(left.attributes.map(\.rows) == right.attributes.map(\.rows), comment)
  #expect(left.attributes.map(\.values.rows) == right.attributes.map(\.values.rows), comment)
}

@Suite struct BatchCodecTests {
  @Test(arguments: [31, 32, 33] as [UInt64])
  func batchesComeBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for rowCount in [0, 1, 2, 64, 500, 3000] {
      let batch = sampleBatch(rowCount, &random)
      try batch.validate()
      let back = try roundTrip(batch)
      expectSame(batch, back, "seed \(seed), \(rowCount) rows")
      for (left, right) in zip(batch.columns, back.columns) where !left.isAllNull {
        #expect(left.isCoded == right.isCoded)
      }
    }
  }

  @Test func schemasMayGrow() throws {
    var random = SplitMix64(seed: 34)
    let batch = sampleBatch(100, &random)
    let grown = TableSchema(
      name: "samples",
      columns: [ColumnDefinition("region", .string, nullable: true), ColumnDefinition("version", .int64)]
        + sampleSchema.columns.dropLast(),
      hasAttributes: true, sortKey: ["time"], shardKey: "id", timeColumn: "time", clusterColumn: "id")
    let back = try roundTrip(batch, grown)
    #expect(back.columns[0].isAllNull)
    #expect(back.columns[1].int64(at: 99) == 0)
    #expect(back.columns.dropFirst(2).map(\.rows) == batch.columns.dropLast().map(\.rows))
  }

  @Test func repetitiveBatchesAreCompressed() {
    let rows = 2000
    let columns = sampleSchema.columns.map { column in
      column.name == "name"
        ? ColumnVector.strings((0..<rows).map { Array("an answer of the same length, number \($0)".utf8) })
        : column.isNullable
          ? ColumnVector.nulls(column.type.physical, count: rows)
          : column.name == "time"
            ? ColumnVector(.int64(Array(repeating: 5, count: rows)))
            : ColumnVector(.id128(Array(repeating: 5, count: rows)))
    }
    var bytes: [UInt8] = []
    BatchCodec.encode(Batch(schema: sampleSchema, rowCount: rows, columns: columns), into: &bytes)
    #expect(bytes.count < 30_000)
  }

  @Test func aFewBytesClaimFewRows() throws {
    let schema = TableSchema(
      name: "empty",
      columns: [ColumnDefinition("time", .timestamp), ColumnDefinition("name", .string, nullable: true)],
      hasAttributes: false, sortKey: ["time"], shardKey: "time", timeColumn: "time", clusterColumn: "time")
    let rows = 300_000
    let batch = Batch(
      schema: schema, rowCount: rows,
      columns: [ColumnVector(.int64(Array(repeating: 7, count: rows))), .nulls(.bytes, count: rows)], attributes: [])
    var bytes: [UInt8] = []
    BatchCodec.encode(batch, into: &bytes)
    #expect(bytes.count < 3_000)
    expectSame(batch, try roundTrip(batch, schema))
    var claim: [UInt8] = [1, 0]
    claim.append(littleEndian: UInt64(12))
    for number in [UInt32(BatchCodec.freeRows + 1), 0, 0] { claim.append(littleEndian: number) }
    #expect(throws: ColumnError.self) {
      try claim.withUnsafeBytes { try BatchCodec.decode($0, schema: schema) }
    }
  }

  @Test(arguments: [35, 36] as [UInt64])
  func damagedBatchesNeverTrap(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for rowCount in [1, 40] {
      let batch = sampleBatch(rowCount, &random)
      var writer = BatchWriter()
      writer.append(batch)
      // The body as it stands, so that damage reaches the decoder and doesn't stop at LZ4.
      for _ in 0..<1500 {
        let body = mutate(writer.bytes, &random)
        var bytes: [UInt8] = [1, 0]
        bytes.append(littleEndian: UInt64(body.count))
        bytes += body
        do {
          let back = try bytes.withUnsafeBytes { try BatchCodec.decode($0, schema: sampleSchema) }
          try back.validate()
          _ = back.columns.map(\.rows)
        } catch {
          #expect(error is ColumnError, "seed \(seed)")
        }
      }
    }
  }

  @Test func invalidBatchesAreNamed() throws {
    var random = SplitMix64(seed: 37)
    let good = sampleBatch(50, &random)
    func refuses(_ change: (inout Batch) -> Void) {
      var batch = good
      change(&batch)
      #expect(throws: ColumnError.self) { try batch.validate() }
    }
    refuses { $0.columns.removeLast() }
    refuses { $0.columns[0] = ColumnVector(.int64([1])) }
    refuses { $0.columns[0] = .nulls(.int64, count: 50) }
    refuses { $0.columns[0] = ColumnVector(.float64(Array(repeating: 0, count: 50))) }
    refuses {
      $0.columns[5] = ColumnVector(.codes(Array(repeating: 9, count: 50), ValueDictionary(.bytes(ByteStrings(["a"])))))
    }
    refuses { $0.columns[7] = ColumnVector(.int64(Array(repeating: -1, count: 50))) }
    refuses { $0.attributes.reverse() }
    refuses { $0.attributes[0].rows[0] = 50 }
    refuses { $0.attributes[0].rows.removeLast() }
  }
}
