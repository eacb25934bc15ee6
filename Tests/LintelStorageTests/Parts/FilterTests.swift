import LintelColumns
import Testing

@testable import LintelStorage

/// The filters of parts: which columns have them, that they never deny a value, and what damage to them costs.
@Suite struct FilterTests {
  private func part(_ directory: ScratchDirectory, _ seed: UInt64, merged: Bool) async throws -> (Store, PartReader) {
    var dice = Dice(seed)
    var options = Samples.Options()
    options.rows = 600
    options.traces = 120
    let store = try StoreTests.open(directory)
    for round in 0..<(merged ? 3 : 1) {
      options.firstTrace = round * 100
      _ = try await store.append(Samples.batch(&dice, options))
      try await store.flush()
    }
    if merged { try await store.mergeAll() }
    return (store, try #require(try store.snapshot("events").segments.first as? PartReader))
  }

  private func hashes(_ vector: ColumnVector) -> Set<UInt64> {
    Set(
      (0..<vector.count).compactMap { row in
        if let id = vector.id128(at: row) { return FilterHash.value(id) }
        return vector.bytes(at: row).map { Array($0).withUnsafeBytes { FilterHash.value($0) } }
      })
  }

  @Test(arguments: [false, true], [201, 202, 203] as [UInt64])
  func noBlockDeniesItsValues(merged: Bool, seed: UInt64) async throws {
    let directory = ScratchDirectory()
    let (store, reader) = try await part(directory, seed, merged: merged)
    var found: [String] = []
    for column in reader.directory.columns where column.filters != nil {
      found.append(column.displayName)
      let reference: ColumnReference? =
        switch column.role {
        case .schema(let name): Samples.schema.index(of: name).map { .column($0) }
        case .attribute(let key): .attribute(key)
        case .tail: nil
        }
      let place = try #require(reference)
      let filters = try #require(reader.filters(place))
      let blocks = try (0..<reader.blockCount).map { hashes(try reader.read(place, block: $0)) }
      for (block, values) in blocks.enumerated() {
        #expect(values.allSatisfy { filters.mayContain($0, block: block) }, "\(column.displayName), seed \(seed)")
      }
      // And they tell blocks apart.
      let pairs = blocks.indices.flatMap { block in blocks.joined().map { (block, $0) } }
      let denied = pairs.count { !filters.mayContain($0.1, block: $0.0) }
      #expect(denied * 4 > pairs.count, "\(column.displayName), seed \(seed)")
    }
    #expect(found.contains("trace"))
    #expect(!found.contains("payload") && !found.contains("name") && !found.contains("rare attributes"))
    #expect(reader.filters(.column(99)) == nil)
    #expect(reader.filters(.attribute(AttributeKey("no such key", .string))) == nil)
    try await store.close()
  }

  @Test func storageOfColumnsAddsUpToTheFiles() async throws {
    let directory = ScratchDirectory()
    let (store, reader) = try await part(directory, 204, merged: true)
    let columns = store.describeStorage("events")
    #expect(columns.reduce(0) { $0 + $1.bytes } == store.parts("events").reduce(0) { $0 + $1.bytes })
    #expect(abs(columns.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    let trace = try #require(columns.first { $0.column == "trace" })
    let stored = try #require(reader.directory.columns.first { $0.role == .schema("trace") })
    #expect(trace.filterBytes == stored.filters?.length)
    #expect(trace.indexBytes == stored.index.length)
    #expect(trace.dictionaryBytes == stored.dictionary?.length ?? 0)
    #expect(trace.bytes == stored.dataLength + trace.filterBytes + trace.indexBytes + trace.dictionaryBytes)
    try await store.close()
  }

  @Test func damagedFiltersAreReported() async throws {
    let directory = ScratchDirectory()
    let (store, reader) = try await part(directory, 205, merged: false)
    let column = try #require(Samples.schema.index(of: "trace"))
    let chunk = try #require(reader.directory.columns.first { $0.role == .schema("trace") }?.filters)
    try DamageTests.flip(directory.path + "/data/" + reader.name, at: chunk.offset + chunk.length / 2)
    #expect(reader.filters(.column(column)) == nil)
    #expect(store.problems.contains { $0.message.contains("the filters of column 'trace'") })
    try await store.close()
  }

  @Test func smallPartsHaveNone() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(206)
    let store = try StoreTests.open(directory)
    _ = try await store.append(Samples.batch(&dice))
    try await store.flush()
    let reader = try #require(try store.snapshot("events").segments.first as? PartReader)
    #expect(reader.directory.columns.allSatisfy { $0.filters == nil })
    try await store.close()
  }

  // MARK: What pays

  private func filters(_ typeName: String, _ blocks: [ColumnVector], dictionary: ValueDictionary? = nil)
    -> BlockFilters?
  {
    let physical = blocks[0].physicalType
    guard
      var writer = FilterWriter(
        typeName: typeName, role: .schema("column"), physical: physical, blockCount: blocks.count)
    else { return nil }
    for block in blocks { block.isAllNull ? writer.skip() : writer.add(block) }
    return writer.finish(dictionary: dictionary)
  }

  private func texts(_ count: Int, _ make: (Int) -> String) -> ColumnVector {
    ColumnVector(.bytes(ByteStrings((0..<count).map(make))))
  }

  @Test func plainColumns() throws {
    let distinct = (0..<9).map { block in
      block == 4 ? ColumnVector.nulls(.bytes, count: 100) : texts(100) { "id-\(block)-\($0)" }
    }
    let found = try #require(filters("string", distinct))
    for (block, vector) in distinct.enumerated() where block != 4 {
      #expect(hashes(vector).allSatisfy { found.mayContain($0, block: block) })
      #expect(hashes(vector).count { found.mayContain($0, block: 4) } < 5)
    }
    #expect(filters("map", distinct) == nil)
    #expect(filters("any", distinct) == nil)
    #expect(filters("string", (0..<9).map { _ in texts(100) { "word \($0 % 2)" } }) == nil)
    #expect(
      filters("string", (0..<9).map { block in texts(20) { String(repeating: "\(block)-\($0) ", count: 99) } }) == nil)
    #expect(filters("string", Array(distinct[..<3])) == nil)
  }

  @Test func codedColumns() throws {
    let dictionary = ValueDictionary(.id128((0..<400).map { UInt128($0) << 64 }))
    func blocks(_ code: (Int, Int) -> Int) -> [ColumnVector] {
      (0..<40).map { block in
        ColumnVector(.codes((0..<30).map { UInt32(code(block, $0)) }, dictionary))
      }
    }
    // Each value in one or two blocks.
    let local = blocks { block, row in block * 10 + row / 3 }
    let found = try #require(filters("id16", local, dictionary: dictionary))
    for (block, vector) in local.enumerated() {
      #expect(hashes(vector).allSatisfy { found.mayContain($0, block: block) })
    }
    // Each in every block.
    let everywhere = ValueDictionary(.id128((0..<10).map { UInt128($0) }))
    #expect(filters("id16", blocks { _, row in row % 10 }, dictionary: everywhere) == nil)
    // One value fills the first half, the others the second.
    let late = try #require(
      filters("id16", blocks { block, row in block < 20 ? 0 : block * 10 + row % 9 }, dictionary: dictionary))
    #expect(!late.mayContain(FilterHash.value(UInt128(0)), block: 30))
  }
}
