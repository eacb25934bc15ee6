import Testing

@testable import LintelColumns

/// Blocks that follow from other columns come back as they were, whether the rule holds or not.
@Suite struct RelatedBlockTests {
  /// A block of traces: who, under which name, and what follows from that.
  struct Trace: RelatedBlocks {
    var cluster: ColumnVector
    var name: ColumnVector
    var ids: ColumnVector
    var tokens: ColumnVector

    static let runs = BlockReference(0, .runs)
    static let names = BlockReference(1, .values)

    init(rows: Int, longestRun: Int, _ random: inout SplitMix64) {
      var traces: [UInt32] = []
      while traces.count < rows {
        traces += Array(repeating: UInt32(traces.count), count: min(rows - traces.count, 1 + random.below(longestRun)))
      }
      let entries = ValueDictionary(.id128((0..<UInt128(max(1, rows))).map { $0 << 70 }))
      cluster = ColumnVector(.codes(traces, entries))
      let labels = ValueDictionary(.bytes(ByteStrings((0..<40).map { "name \($0)" })))
      name = ColumnVector(.codes((0..<rows).map { _ in UInt32(random.below(random.chance(50) ? 3 : 40)) }, labels))
      if random.chance(50) { name = name.withNulls(20, &random) }
      ids = ColumnVector(.int64((0..<rows).map { _ in Int64(bitPattern: random.next()) }))
      let present = (0..<rows).map { _ in !random.chance(10) }
      tokens = ColumnVector(.int64(present.map { $0 ? Int64(random.below(100_000)) : 0 }))
      tokens.validity = Bitmap(count: 0)
      for bit in present { tokens.validity?.append(bit) }
    }

    func keys(_ reference: BlockReference) throws(ColumnError) -> RowKeys {
      let keys: RowKeys?
      switch (reference, name.storage) {
      case (Self.runs, _): keys = RowKeys(runsOf: cluster)
      case (Self.names, .codes(let codes, let dictionary)):
        keys = RowKeys(codes: codes, validity: name.validity, dictionaryCount: dictionary.count)
      default: keys = nil
      }
      guard let keys else { throw ColumnError(.malformed, "no keys") }
      return keys
    }

    func integers(_ column: Int) throws(ColumnError) -> ColumnVector {
      switch column {
      case 2: return ids
      case 3: return tokens
      default: throw ColumnError(.malformed, "no integers")
      }
    }
  }

  static let relations: [BlockRelation] = [
    .keyed(Trace.runs), .keyed(Trace.names), .ordinals(runs: Trace.runs, ids: 2), .offsets(runs: Trace.runs),
    .linear(keys: Trace.names, terms: [3]),
  ]

  /// Columns that obey each rule, but for `percent` of their rows.
  static func columns(_ trace: Trace, breaking percent: Int, _ random: inout SplitMix64) throws -> [ColumnVector] {
    let runs = try trace.keys(Trace.runs).keys
    let names = try trace.keys(Trace.names).keys
    guard case .int64(let ids) = trace.ids.storage, case .int64(let tokens) = trace.tokens.storage else { return [] }
    var starts: [Int] = []
    for (row, run) in runs.enumerated() where Int(run) == starts.count { starts.append(row) }
    func integers(_ value: (Int) -> Int64) -> ColumnVector {
      ColumnVector(
        .int64(runs.indices.map { random.chance(percent) ? Int64(bitPattern: random.next()) : value($0) }))
    }
    var time: Int64 = 1_790_000_000_000_000_000
    var columns = [
      integers { Int64(runs[$0]) * 1000 - 7 },
      integers { Int64(names[$0]) << 33 },
      integers { ids[starts[Int(runs[$0])] + ($0 - starts[Int(runs[$0])]) / 2] },
      integers { row in
        time += row == starts[Int(runs[row])] ? -9_000_000 : Int64(row % 1000) * 1000
        return time
      },
      integers { row in Int64(names[row]) * 150 * (trace.tokens.isValid(row) ? tokens[row] : 0) },
    ]
    let labels = ValueDictionary(.bytes(ByteStrings((0..<100).map { "label \($0)" })))
    columns.append(
      ColumnVector(.codes(names.map { random.chance(percent) ? UInt32(random.below(100)) : UInt32($0) }, labels)))
    return columns + [ColumnVector(.float64(names.map { Double($0) / 3 })), ColumnVector(.bool(names.map { $0 > 1 }))]
  }

  /// The vector with values where its name says so, and by chance in one name in four.
  static func sparse(_ vector: ColumnVector, _ trace: Trace, _ random: inout SplitMix64) throws -> ColumnVector {
    var validity = Bitmap(count: vector.count)
    for (row, key) in try trace.keys(Trace.names).keys.enumerated() {
      validity[row] = key % 4 == 3 ? random.chance(50) : key % 2 == 0
    }
    return ColumnVector(vector.storage, validity: validity)
  }

  static func encoded(_ vector: ColumnVector, _ trace: Trace, _ relations: [BlockRelation]) -> [UInt8] {
    var encoder = BlockEncoder(relations)
    var bytes: [UInt8] = []
    _ = encoder.encode(vector, trace, into: &bytes)
    return bytes
  }

  static func decoded(_ bytes: [UInt8], like vector: ColumnVector, _ trace: Trace) throws -> ColumnVector {
    var dictionary: ValueDictionary?
    if case .codes(_, let own) = vector.storage { dictionary = own }
    return try bytes.withUnsafeBytes { bytes in
      try BlockCodec.decode(
        bytes, type: vector.physicalType, rowCount: vector.count, dictionary: dictionary, related: trace)
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func whateverTheRuleTheRowsComeBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for rows in [1, 2, 63, 65, 1025, 5000] {
      for longestRun in [1, 10, 400] {
        let trace = Trace(rows: rows, longestRun: longestRun, &random)
        for percent in [0, 3, 15, 100] {
          for plain in try Self.columns(trace, breaking: percent, &random) {
            for vector in [plain, try Self.sparse(plain, trace, &random), plain.withNulls(30, &random)] {
              let own = BlockCodecBytes(vector)
              for relations in Self.relations.map({ [$0] }) + [Self.relations] {
                let bytes = Self.encoded(vector, trace, relations)
                let back = try Self.decoded(bytes, like: vector, trace)
                let isSame = back.rows == vector.rows
                #expect(isSame, "seed \(seed), \(relations), \(encodingName(bytes))")
                #expect(bytes.count <= own.bytes.count, "never more than without relations")
              }
            }
          }
        }
      }
    }
  }

  /// Ids that are kept as links are the ids that the block has, in a fraction of their memory; whatever else is no link.
  @Test(arguments: [1, 2, 3] as [UInt64])
  func linksLeadToTheSameIds(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var linkedBlocks = 0
    for rows in [100, 1025, 5000] {
      let trace = Trace(rows: rows, longestRun: 12, &random)
      for percent in [0, 3, 100] {
        for plain in try Self.columns(trace, breaking: percent, &random).prefix(4) {
          for vector in [plain, try Self.sparse(plain, trace, &random), plain.withNulls(30, &random)] {
            let bytes = Self.encoded(vector, trace, Self.relations)
            let linked = try bytes.withUnsafeBytes { try LinkedVector(decoding: $0, rowCount: rows, related: trace) }
            #expect((linked != nil) == (encodingName(bytes) == "ordinals" && rows >= 1024), "seed \(seed)")
            guard let linked else { continue }
            linkedBlocks += 1
            #expect(linked.count == rows && linked.byteCount < 3 * rows)
            #expect(try linked.vector(ids: trace.ids).rows == vector.rows, "seed \(seed), \(rows) rows, \(percent) %")
            let some = (0..<rows).filter { _ in random.chance(20) }.map { UInt32($0) }
            let picked = try linked.gather(some, ids: trace.ids)
            #expect(picked.rows == vector.gather(some).rows, "seed \(seed)")
            #expect(throws: ColumnError.self) { _ = try linked.vector(ids: trace.cluster) }
            #expect(throws: ColumnError.self) { _ = try linked.vector(ids: ColumnVector(.int64([1]))) }
          }
        }
      }
    }
    #expect(linkedBlocks > 6)
  }

  /// A block as it is without relations.
  struct BlockCodecBytes {
    let bytes: [UInt8]
    let statistics: BlockStatistics

    init(_ vector: ColumnVector) {
      var bytes: [UInt8] = []
      statistics = BlockCodec.encode(vector, into: &bytes)
      self.bytes = bytes
    }
  }

  @Test func statisticsAreTheSameWithAndWithoutRelations() throws {
    var random = SplitMix64(seed: 5)
    let trace = Trace(rows: 3000, longestRun: 12, &random)
    for plain in try Self.columns(trace, breaking: 1, &random) {
      for vector in [plain, try Self.sparse(plain, trace, &random)] {
        var encoder = BlockEncoder(Self.relations)
        for _ in 0..<3 {
          var bytes: [UInt8] = []
          #expect(encoder.encode(vector, trace, into: &bytes) == BlockCodecBytes(vector).statistics)
        }
      }
    }
  }

  @Test func rulesSaveWhatTheyPromise() throws {
    var random = SplitMix64(seed: 6)
    let trace = Trace(rows: 16384, longestRun: 20, &random)
    let columns = try Self.columns(trace, breaking: 0, &random)
    let names = columns.map { encodingName(Self.encoded($0, trace, Self.relations)) }
    #expect(Array(names.prefix(6)) == ["keyed", "keyed", "ordinals", "offsets", "linear", "keyed"])
    for column in columns.prefix(2) { #expect(Self.encoded(column, trace, Self.relations).count < 6000) }
    let sparse = try Self.sparse(columns[4], trace, &random)
    #expect(Self.encoded(sparse, trace, Self.relations).count < 1000)
  }

  /// Between trials the encoder uses what won; when that fits no more, the block is still as it should be.
  @Test func aRuleThatEndsIsGivenUp() throws {
    var random = SplitMix64(seed: 7)
    var encoder = BlockEncoder(Self.relations)
    for block in 0..<40 {
      let trace = Trace(rows: 500, longestRun: 9, &random)
      let vector = try Self.columns(trace, breaking: block % 7 == 3 ? 100 : 0, &random)[block / 8]
      var bytes: [UInt8] = []
      _ = encoder.encode(vector, trace, into: &bytes)
      #expect(try Self.decoded(bytes, like: vector, trace).rows == vector.rows)
    }
  }

  @Test(arguments: [31, 32] as [UInt64])
  func damagedBlocksNeverTrap(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for rows in [1, 70, 1100] {
      let trace = Trace(rows: rows, longestRun: 30, &random)
      let other = Trace(rows: rows, longestRun: 5, &random)
      for plain in try Self.columns(trace, breaking: 2, &random) {
        for vector in [plain, try Self.sparse(plain, trace, &random)] {
          for relation in Self.relations {
            let bytes = Self.encoded(vector, trace, [relation])
            for round in 0..<40 {
              let damaged = mutate(bytes, &random)
              // Keys of a block that was damaged itself may be any others.
              let back = try? Self.decoded(damaged, like: vector, round % 3 == 0 ? other : trace)
              #expect(back.map { $0.count == rows } ?? true, "seed \(seed)")
              try back?.check(named: "x", type: vector.physicalType, count: rows)
            }
            for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 20)) {
              #expect(throws: ColumnError.self) {
                try Self.decoded(Array(bytes[..<end]), like: vector, trace)
              }
            }
          }
        }
      }
    }
  }

  @Test func withoutItsColumnsABlockIsRefused() throws {
    var random = SplitMix64(seed: 8)
    let trace = Trace(rows: 600, longestRun: 9, &random)
    let vector = try Self.columns(trace, breaking: 0, &random)[1]
    let bytes = Self.encoded(vector, trace, Self.relations)
    #expect(throws: ColumnError.self) {
      try bytes.withUnsafeBytes { try BlockCodec.decode($0, type: .int64, rowCount: 600, dictionary: nil) }
    }
  }

  @Test func keysAreTheSameWithoutTheDictionary() throws {
    var random = SplitMix64(seed: 9)
    let trace = Trace(rows: 2000, longestRun: 9, &random)
    for (vector, reference) in [(trace.cluster, Trace.runs), (trace.name, Trace.names)] {
      guard case .codes(_, let dictionary) = vector.storage else { continue }
      let keys = try BlockCodecBytes(vector).bytes.withUnsafeBytes { bytes in
        try BlockCodec.decodeKeys(
          bytes, type: vector.physicalType, rowCount: vector.count, dictionaryCount: dictionary.count,
          kind: reference.kind, related: trace)
      }
      #expect(keys == (try trace.keys(reference)))
    }
  }

  @Test func packedKeysComeBack() {
    var random = SplitMix64(seed: 131)
    for rows in [1, 2, 15, 16, 17, 64, 1000, 16_384, 65_536] {
      for longest in [1, 7, 400, 100_000] {
        var codes: [UInt32] = []
        while codes.count < rows {
          codes += Array(repeating: UInt32(codes.count), count: min(rows - codes.count, 1 + random.below(longest)))
        }
        let runs = RowKeys(runsOfCodes: codes, validity: nil)
        #expect(runs.map { PackedRowKeys($0, .runs).keys } == runs, "\(rows) rows in runs of up to \(longest)")
        let few = codes.map { $0 % 250 }
        for (codes, count) in [(few, 250), (codes, 65_536)] {
          let values = RowKeys(codes: codes, validity: nil, dictionaryCount: count)
          let packed = values.map { PackedRowKeys($0, .values) }
          #expect(packed?.keys == values, "\(rows) rows")
          #expect(packed.map { $0.byteCount <= 2 * rows } ?? false)
        }
      }
    }
    #expect(PackedRowKeys(RowKeys(nulls: 9), .runs).keys == RowKeys(nulls: 9))
  }

  /// A block that uses what the trial has found is written as the trial would.
  @Test(arguments: [141, 142, 143, 144] as [UInt64])
  func blocksBetweenTrialsAreWrittenAlike(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let trace = Trace(rows: 3000, longestRun: 30, &random)
    for percent in [0, 5] {
      for column in try Self.columns(trace, breaking: percent, &random) {
        for vector in [column, column.withNulls(30, &random)] {
          var encoder = BlockEncoder(Self.relations)
          var trial: [UInt8] = []
          var next: [UInt8] = []
          let statistics = encoder.encode(vector, trace, into: &trial)
          #expect(encoder.encode(vector, trace, into: &next) == statistics)
          #expect(next == trial, "seed \(seed), \(percent) % broken")
        }
      }
    }
  }
}
