import Testing

@testable import LintelColumns

/// Blocks whose rows are of classes, of which the values are like each other, come back as they were.
@Suite struct ClassedBlockTests {
  typealias Trace = RelatedBlockTests.Trace

  static let contexts: [ClassContext] = [
    .nothing, .key(Trace.names), .magnitude(column: 3, steps: 0), .magnitude(column: 3, steps: 4),
    .previous(runs: Trace.runs, steps: 2),
  ]

  static let relations: [BlockRelation] =
    contexts.map { .classes($0) } + contexts.map { .enclosing(runs: Trace.runs, starts: 2, $0) }

  /// Columns that each rule is made for, but for `percent` of their rows.
  static func columns(_ trace: Trace, breaking percent: Int, _ random: inout SplitMix64) throws -> [ColumnVector] {
    let runs = try trace.keys(Trace.runs).keys
    let names = try trace.keys(Trace.names).keys
    guard case .int64(let starts) = trace.ids.storage, case .int64(let tokens) = trace.tokens.storage else { return [] }
    func broken(_ value: Int64, _ random: inout SplitMix64) -> Int64 {
      random.chance(percent) ? Int64(bitPattern: random.next()) : value
    }
    let byName = names.map { broken(Int64($0) << 20 | Int64(random.below(64)), &random) }
    let byTokens = tokens.map { broken($0 * 1000 + Int64(random.below(1000)), &random) }
    var before = 0
    let byPrevious = runs.indices.map { row in
      let isFirst = row == 0 || runs[row] != runs[row - 1]
      before = isFirst ? 1 << random.below(30) : before + random.below(1 + before / 16)
      return broken(Int64(before), &random)
    }
    var lengths = runs.map { _ in Int64(random.below(1 << 30)) }
    for row in runs.indices where row == 0 || runs[row] != runs[row - 1] {
      let end = row + runs[row...].prefix { $0 == runs[row] }.count
      let others = (row + 1..<end).map { starts[$0] &+ lengths[$0] }.max()
      if let others { lengths[row] = others &+ 1000 &- starts[row] }
    }
    let labels = ValueDictionary(.bytes(ByteStrings((0..<200).map { "label \($0)" })))
    let codes = names.map { UInt32($0) * 2 + UInt32(random.below(2)) }
    return [byName, byTokens, byPrevious, lengths.map { broken($0, &random) }].map { ColumnVector(.int64($0)) }
      + [ColumnVector(.codes(codes, labels)), ColumnVector(.float64(names.map { Double($0) / 3 }))]
  }

  @Test(arguments: [1, 2] as [UInt64])
  func whateverTheClassTheRowsComeBack(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for rows in [1, 2, 65, 1025] {
      for longestRun in [1, 10, 400] {
        let trace = Trace(rows: rows, longestRun: longestRun, &random)
        for percent in [0, 5] {
          for plain in try Self.columns(trace, breaking: percent, &random) {
            for vector in [plain, try RelatedBlockTests.sparse(plain, trace, &random)] {
              let own = RelatedBlockTests.BlockCodecBytes(vector)
              for relations in Self.relations.map({ [$0] }) + [Self.relations + RelatedBlockTests.relations] {
                let bytes = RelatedBlockTests.encoded(vector, trace, relations)
                let isSame = try RelatedBlockTests.decoded(bytes, like: vector, trace).rows == vector.rows
                #expect(isSame, "seed \(seed), \(relations), \(encodingName(bytes))")
                #expect(bytes.count <= own.bytes.count, "never more than without relations")
              }
            }
          }
        }
      }
    }
  }

  @Test func eachIsUsedWhereItSaves() throws {
    var random = SplitMix64(seed: 6)
    let trace = Trace(rows: 32_768, longestRun: 20, &random)
    let columns = try Self.columns(trace, breaking: 0, &random)
    let names = columns.map { encodingName(RelatedBlockTests.encoded($0, trace, Self.relations)) }
    #expect(names.prefix(5) == ["classes", "classes", "classes", "enclosing", "classes"])
    for column in columns.prefix(5) {
      let without = RelatedBlockTests.encoded(column, trace, RelatedBlockTests.relations).count
      let with = RelatedBlockTests.encoded(column, trace, Self.relations).count
      #expect(with < without - without / 30, "\(with) of \(without)")
    }
  }

  @Test(arguments: [31, 32] as [UInt64])
  func damagedBlocksNeverTrap(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for rows in [1, 70, 1100] {
      let trace = Trace(rows: rows, longestRun: 30, &random)
      let other = Trace(rows: rows, longestRun: 5, &random)
      for plain in try Self.columns(trace, breaking: 2, &random) {
        for vector in [plain, try RelatedBlockTests.sparse(plain, trace, &random)] {
          for relation in Self.relations {
            let bytes = RelatedBlockTests.encoded(vector, trace, [relation])
            for round in 0..<40 {
              let damaged = mutate(bytes, &random)
              let back = try? RelatedBlockTests.decoded(damaged, like: vector, round % 3 == 0 ? other : trace)
              #expect(back.map { $0.count == rows } ?? true, "seed \(seed)")
              try back?.check(named: "x", type: vector.physicalType, count: rows)
            }
            for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 20)) {
              #expect(throws: ColumnError.self) {
                try RelatedBlockTests.decoded(Array(bytes[..<end]), like: vector, trace)
              }
            }
          }
        }
      }
    }
  }

  /// Against the definition, by search.
  @Test func magnitudesAscendBySteps() {
    for steps in 0...ClassContext.maximumSteps {
      var values: [Int64] = (0..<5000).map { $0 } + (5...62).flatMap { bit in [-1, 0, 1].map { (1 << bit) + $0 } }
      values += [.max]
      var last: UInt16 = 0
      for value in values.sorted() {
        let magnitude = ClassContext.magnitude(value, steps: steps)
        #expect(magnitude >= last && magnitude < 1024, "\(value), \(steps) steps")
        last = magnitude
      }
      for value in 0..<Int64(2 << steps) { #expect(ClassContext.magnitude(value, steps: steps) == UInt16(value)) }
      for bit in (steps + 1)..<62 {
        let first = ClassContext.magnitude(1 << bit, steps: steps)
        #expect(ClassContext.magnitude(2 << bit, steps: steps) == first + 1 << steps)
        #expect(ClassContext.magnitude((1 << bit) - 1, steps: steps) == first - 1)
      }
      #expect(ClassContext.magnitude(-1, steps: steps) == 0 && ClassContext.magnitude(.min, steps: steps) == 0)
    }
  }

  /// Bytes on disk are what they were: the grammar as it stands, by hand.
  @Test func bytesOnDisk() throws {
    let trace = HandmadeTrace()
    func body(_ values: [Int64], _ relation: BlockRelation) -> [UInt8] {
      RelatedBlockTests.encoded(ColumnVector(.int64(values)), trace, relation)
    }
    func constant(_ value: UInt8) -> [UInt8] { [1, value, 0, 0, 0, 0, 0, 0, 0] }
    // Two runs of two rows, names 0 1 0 1.
    #expect(
      body([5, 9, 5, 9], .classes(.key(Trace.names))) == [36, 0, 0, 1, 1, 2, 0, 2] + constant(5) + [1, 2] + constant(9))
    #expect(
      body([100, 3, 100, 3], .classes(.previous(runs: Trace.runs, steps: 0)))
        == [36, 0, 2, 0, 0, 0, 2, 0, 2] + constant(100) + [8, 2] + constant(3))
    // Starts 10 20 30 40: the first of each run ends 1 behind its second.
    #expect(
      body([17, 6, 17, 6], .enclosing(runs: Trace.runs, starts: 2, .nothing))
        == [37, 0, 0, 0, 2] + constant(1) + [3, 1, 0, 2] + constant(6))
  }
}

/// Four rows whose relations are plain to see.
private struct HandmadeTrace: RelatedBlocks {
  func keys(_ reference: BlockReference) throws(ColumnError) -> RowKeys {
    reference.kind == .runs ? RowKeys([0, 0, 1, 1], count: 2) : RowKeys([0, 1, 0, 1], count: 2)
  }

  func integers(_ column: Int) throws(ColumnError) -> ColumnVector { ColumnVector(.int64([10, 20, 30, 40])) }
}

extension RelatedBlockTests {
  /// The block that one relation gives, whether it pays or not.
  fileprivate static func encoded(
    _ vector: ColumnVector, _ related: some RelatedBlocks, _ relation: BlockRelation
  ) -> [UInt8] {
    var bytes: [UInt8] = [0, 0]
    bytes[0] = BlockEncoder.encodeBody(vector, relation, related, into: &bytes)?.rawValue ?? 0
    return bytes
  }
}
