import Testing

@testable import LintelColumns

@Suite struct ColumnVectorTests {
  @Test(arguments: [91, 92] as [UInt64])
  func slicesAndGathersKeepTheirRows(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for plain in sampleVectors(&random, sizes: [1, 65, 300]) {
      let vector = plain.withNulls([0, 20, 100][random.below(3)], &random)
      let rows = vector.rows
      let start = random.below(vector.count)
      let end = start + random.below(vector.count - start + 1)
      #expect(vector.slice(start..<end).rows == Array(rows[start..<end]), "seed \(seed)")
      let picks = (0..<random.below(400)).map { _ in UInt32(random.below(vector.count)) }
      #expect(vector.gather(picks).rows == picks.map { rows[Int($0)] }, "seed \(seed)")
      #expect(vector.plain().rows == rows && !vector.plain().isCoded)
    }
  }

  @Test(arguments: [93, 94, 95] as [UInt64])
  func concatenationIsRowAfterRow(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let pool = sampleVectors(&random, sizes: [0, 1, 64, 130]).map {
      $0.withNulls([0, 30, 100][random.below(3)], &random)
    }
    for type in PhysicalType.allCases {
      let candidates = pool.filter { $0.physicalType == type } + [.nulls(type, count: 70)]
      for _ in 0..<60 {
        let vectors = (0..<random.below(5)).map { _ in candidates[random.below(candidates.count)] }
        let joined = try ColumnVector.concatenate(vectors, type: type)
        #expect(joined.rows == vectors.flatMap(\.rows), "seed \(seed)")
        #expect(joined.physicalType == type)
        try joined.check(named: "joined", type: type, count: vectors.reduce(0) { $0 + $1.count })
      }
    }
    #expect(throws: ColumnError.self) {
      try ColumnVector.concatenate([.nulls(.int64, count: 1), .nulls(.bytes, count: 1)], type: .int64)
    }
  }

  @Test func dictionariesAreMergedNotRepeated() throws {
    let first = ColumnVector.strings(["a", "b", "a"].map { Array($0.utf8) }).coded()
    let second = ColumnVector.strings(["b", "c"].map { Array($0.utf8) }).coded()
    let joined = try ColumnVector.concatenate([first, .nulls(.bytes, count: 2), second], type: .bytes)
    guard case .codes(let codes, let dictionary) = joined.storage else {
      Issue.record("not dictionary-coded")
      return
    }
    #expect(dictionary.count == 3)
    #expect(codes == [0, 1, 0, 0, 0, 1, 2])
    let same = try ColumnVector.concatenate([first, first], type: .bytes)
    guard case .codes(_, let shared) = same.storage, case .codes(_, let own) = first.storage else {
      Issue.record("not dictionary-coded")
      return
    }
    #expect(shared === own)
  }

  @Test func bitmapsCutAndJoin() {
    var random = SplitMix64(seed: 96)
    for _ in 0..<200 {
      let bits = (0..<random.below(300)).map { _ in random.chance(50) }
      var bitmap = Bitmap(count: 0)
      for bit in bits { bitmap.append(bit) }
      let start = random.below(bits.count + 1)
      let end = start + random.below(bits.count - start + 1)
      let slice = bitmap.slice(start..<end)
      #expect((0..<slice.count).map { slice[$0] } == Array(bits[start..<end]))
      var joined = slice
      joined.append(repeating: true, count: 70)
      joined.append(bitmap, 0..<bitmap.count)
      #expect((0..<joined.count).map { joined[$0] } == bits[start..<end] + Array(repeating: true, count: 70) + bits)
      #expect(joined.setCount == bits[start..<end].count { $0 } + 70 + bits.count { $0 })
    }
  }

  @Test func selectedBatchesKeepTheirAttributes() throws {
    var random = SplitMix64(seed: 97)
    let batch = sampleBatch(200, &random)
    for rows in [[], [0], [5, 9, 100], [199, 3, 3, 50]] as [[UInt32]] {
      let selected = batch.select(rows: rows)
      try selected.validate()
      #expect(selected.columns.map(\.rows) == batch.columns.map { column in rows.map { column.rows[Int($0)] } })
      for column in batch.attributes {
        let all = column.dense(rowCount: 200).rows
        let picked = selected.attributes.first { $0.key == column.key }
        let found = picked?.dense(rowCount: rows.count).rows ?? rows.map { _ in nil }
        #expect(found == rows.map { all[Int($0)] })
      }
    }
  }
}
