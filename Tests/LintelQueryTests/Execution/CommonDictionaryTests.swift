import LintelColumns
import LintelStorage
import Testing

@testable import LintelQuery

@Suite struct CommonDictionaryTests {
  private static func query(always: Bool = true) -> QueryContext {
    var options = ExecutionOptions()
    options.alwaysSharesDictionaries = always
    return QueryContext(
      snapshot: nil, options: options, cancellation: CancellationToken(), start: .now, excluded: [])
  }

  private static func common(
    _ dictionaries: [ValueDictionary], plain: [Vector] = [], rows: Int, _ query: QueryContext
  ) throws(ExecutionFailure) -> CommonDictionary? {
    let sources = CommonDictionary.Sources(
      dictionaries: dictionaries, plain: plain.indices.map { (0, $0) }, plainRows: plain.reduce(0) { $0 + $1.count },
      rows: rows)
    return try CommonDictionary(sources, query) { plain[$1] }
  }

  private static func dictionary(_ numbers: [Int], texts: Bool) -> ValueDictionary {
    guard texts else { return ValueDictionary(.id128(numbers.map { UInt128($0) << 64 | 7 })) }
    var strings = ByteStrings()
    for number in numbers { strings.append(Array("session-\(number)".utf8)) }
    return ValueDictionary(.bytes(strings))
  }

  /// Vectors over several dictionaries say the same after the translation, by codes of one.
  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func valuesStayWhatTheyAre(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let texts = seed % 2 == 0
    var vectors: [Vector] = []
    var dictionaries: [ValueDictionary] = []
    for size in [0, 40, 3000, 500, 500].shuffled(using: &random) {
      let dictionary = Self.dictionary(Array((0..<5000).shuffled(using: &random).prefix(size)), texts: texts)
      dictionaries.append(dictionary)
      let valid = (0..<700).map { _ in size > 0 && Int.random(in: 0..<5, using: &random) > 0 }
      // Null rows have codes that mean nothing.
      let codes = valid.map { UInt32.random(in: 0..<($0 ? UInt32(size) : .max), using: &random) }
      vectors.append(Vector(.codes(codes, dictionary), validity: valid))
    }
    let plain = (0..<3).map { _ in
      let valid = (0..<700).map { _ in Int.random(in: 0..<5, using: &random) > 0 }
      let numbers = valid.map { _ in Int.random(in: 0..<6000, using: &random) / 4 * 4 }
      return Vector(Vector(Self.dictionary(numbers, texts: texts)).lanes, validity: valid)
    }
    vectors += plain
    let common = try #require(try Self.common(dictionaries, plain: plain, rows: 5600, Self.query()))
    var shared: ValueDictionary?
    for vector in vectors {
      let translated = common.translate(vector)
      guard case .codes(_, let dictionary) = translated.lanes else {
        Issue.record("seed \(seed): a vector lost its codes")
        continue
      }
      #expect(shared == nil || shared === dictionary)
      shared = dictionary
      for lane in 0..<vector.count {
        #expect(translated.value(lane) == vector.value(lane), "seed \(seed), lane \(lane)")
      }
    }
    let all = try #require(shared)
    let entries = Vector(all)
    #expect(
      Set((0..<all.count).map { "\(entries.value($0))" }).count == all.count, "seed \(seed): a value is in it twice")
  }

  @Test func otherVectorsStayAsTheyAre() throws {
    let (one, two) = (Self.dictionary([1, 2], texts: false), Self.dictionary([2, 3], texts: false))
    let common = try #require(try Self.common([one, two], rows: 4, Self.query()))
    let stranger = Self.dictionary([5], texts: false)
    guard case .codes(_, let kept) = common.translate(Vector(.codes([0], stranger))).lanes else {
      Issue.record("codes became something else")
      return
    }
    #expect(kept === stranger)
    // Known by none of the dictionaries.
    #expect(common.translate(Vector(.id128([9]))).value(0) == Vector(.id128([9])).value(0))
  }

  @Test func thereIsNoneWhereItDoesNotPay() throws {
    let small = Self.dictionary([1, 2], texts: false)
    let large = Self.dictionary(Array(0..<5000), texts: false)
    let other = Self.dictionary(Array(4000..<8000), texts: false)
    let query = Self.query(always: false)
    #expect(try Self.common([small, small], rows: 100_000, Self.query()) == nil)
    #expect(try Self.common([small, Self.dictionary([7], texts: false)], rows: 100_000, query) == nil)
    #expect(try Self.common([large, small], rows: 1000, query) == nil)
    #expect(
      try Self.common([large, other, Self.dictionary(Array(0..<4000), texts: false)], rows: 100_000, query) == nil)
    #expect(try Self.common([large, small, other], rows: 100_000, query) != nil)
    let plain = Vector(.id128((0..<100).map { UInt128($0) }))
    #expect(try Self.common([large], plain: [plain], rows: 100_000, query) != nil)
    #expect(try Self.common([large], plain: Array(repeating: plain, count: 101), rows: 100_000, query) == nil)
    #expect(try Self.common([], plain: [plain], rows: 100_000, Self.query()) == nil)
  }

  @Test func memoryIsAccountedFor() throws {
    var options = ExecutionOptions()
    options.alwaysSharesDictionaries = true
    options.memoryLimitBytes = 1000
    let query = QueryContext(
      snapshot: nil, options: options, cancellation: CancellationToken(), start: .now, excluded: [])
    #expect(throws: ExecutionFailure.self) {
      _ = try Self.common(
        [Self.dictionary(Array(0..<5000), texts: false), Self.dictionary([1], texts: false)], rows: 1, query)
    }
  }
}
