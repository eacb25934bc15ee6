import LintelColumns
import Testing

@testable import LintelQuery

/// Sets of members find what plain Swift sets find, however the rows come: plain or coded, in one part or many, filled by one
/// thread or several.
@Suite("Member sets") struct MemberSetTests {
  /// Enough for several tables.
  private static let rows = 70_000

  private static func query(threads: Int, memoryLimitMiB: Int? = nil) -> QueryContext {
    var options = ExecutionOptions()
    options.threads = threads
    if let memoryLimitMiB { options.memoryLimitBytes = memoryLimitMiB << 20 }
    return QueryContext(
      snapshot: nil, options: options, cancellation: CancellationToken(), start: .now, excluded: [])
  }

  /// A value for each number: equal ones for equal numbers.
  private static func value(_ number: Int, _ type: PhysicalType) -> Value {
    switch type {
    case .int64: .int64(Int64(number) &* 0x1234_5678_9ABC_DEF1)
    case .float64: number == 0 ? .float64(-0.0) : number == 1 ? .float64(.nan) : .float64(Double(number) / 3)
    case .bool: .bool(number % 2 == 0)
    case .id128: .id128(UInt128(number) << 100 | UInt128(number % 7))
    case .bytes: .bytes(Array("\(number % 3 == 0 ? "" : "a longer beginning of ")\(number)".utf8))
    }
  }

  /// The values of numbers, `nil` for null, at random as codes of a dictionary of their own.
  private static func part(_ numbers: [Int?], _ type: PhysicalType, _ random: inout SeededGenerator) -> Vector {
    let isCoded = (type == .bytes || type == .id128) && Bool.random(using: &random)
    guard isCoded else { return .make(numbers.map { $0.map { value($0, type) } ?? .null }, type) }
    let entries = Array(Set(numbers.compactMap(\.self)))
    let places = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1, UInt32($0)) })
    let values = Vector.make(entries.map { value($0, type) }, type)
    let dictionary: ValueDictionary
    switch values.lanes {
    case .bytes(let strings): dictionary = ValueDictionary(.bytes(strings))
    case .id128(let ids): dictionary = ValueDictionary(.id128(ids))
    default: return values
    }
    // The codes of null rows may be anything.
    let codes = numbers.map { number in
      number.flatMap { places[$0] } ?? UInt32.random(in: 0...UInt32.max, using: &random)
    }
    return Vector(
      .codes(codes, dictionary), validity: numbers.contains { $0 == nil } ? numbers.map { $0 != nil } : nil)
  }

  @Test(arguments: [PhysicalType.int64, .float64, .bool, .id128, .bytes], 1...6 as ClosedRange<UInt64>)
  func agreeWithPlainSets(_ type: PhysicalType, _ seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let range = [5, 3_000, 200_000][Int(seed % 3)]
    var members: Set<Int> = []
    var hasNull = false
    var parts: [Vector] = []
    var left = seed % 2 == 0 ? Self.rows : 500
    while left > 0 {
      let count = min(left, Int.random(in: 1...30_000, using: &random))
      let isNullable = Bool.random(using: &random)
      let numbers = (0..<count).map { _ -> Int? in
        isNullable && Int.random(in: 0..<50, using: &random) == 0 ? nil : Int.random(in: 0..<range, using: &random)
      }
      members.formUnion(numbers.compactMap(\.self))
      hasNull = hasNull || numbers.contains { $0 == nil }
      parts.append(Self.part(numbers, type, &random))
      left -= count
    }
    let filling = seed < 3 ? Filling(.never) : Filling(Self.query(threads: Int(seed)))
    let set = try MemberSet(parts: parts, filling)
    #expect(set.hasNull == hasNull && !set.isVoid, "seed \(seed)")
    // Two numbers may be one value, and NaN is equal to nothing.
    let values = Set(members.map { Self.value($0, type) }).filter { !Self.isNaN($0) }
    #expect(set.count == values.count, "seed \(seed)")
    let probes = (0..<3_000).map { _ in Int.random(in: 0..<range * 2, using: &random) }
    let expected = probes.map { values.contains(Self.value($0, type)) }
    for _ in 0..<2 {
      #expect(try set.contains(Self.part(probes, type, &random)) == expected, "seed \(seed)")
    }
    let listed = MemberSet(values.map { $0 }, hasNull: false)
    #expect(try listed.contains(Self.part(probes, type, &random)) == expected, "seed \(seed)")
    #expect(set.values(atMost: values.count).map { Set($0) } == values, "seed \(seed)")
    #expect(set.values(atMost: values.count - 1) == nil)
  }

  private static func isNaN(_ value: Value) -> Bool {
    if case .float64(let number) = value { number.isNaN } else { false }
  }

  @Test func zerosAreOne() throws {
    let set = try MemberSet(rows: Vector(.float64([-0.0, .nan])), .never)
    #expect(try set.contains(Vector(.float64([0, -0.0, .nan, 1]))) == [true, true, false, false])
  }

  @Test func nothingIsVoid() throws {
    let set = try MemberSet(parts: [], Filling(.never))
    #expect(set.isVoid && !set.hasNull && set.count == 0)
    #expect(try set.contains(Vector(.int64([1]))) == [false])
    let nulls = try MemberSet(rows: .nulls(.bytes, count: 2), .never)
    #expect(!nulls.isVoid && nulls.hasNull && nulls.count == 0)
  }

  /// Members of one dictionary are known by its codes.
  @Test func entriesOfOneDictionaryKeepTheirCodes() throws {
    let words = ValueDictionary(.bytes(["a", "b", "c"].reduce(into: ByteStrings()) { $0.append($1) }))
    let others = ValueDictionary(.bytes(["c"].reduce(into: ByteStrings()) { $0.append($1) }))
    let parts = [Vector(.codes([2, 2], words)), Vector(.codes([0, 9], words), validity: [true, false])]
    let flags = try #require(MemberSet(parts: parts, Filling(.never)).flags(of: words))
    #expect((0..<4).map { flags.value($0) } == [.bool(true), .null, .bool(true), .null])
    #expect(try MemberSet(parts: parts + [Vector(.codes([0], others))], Filling(.never)).flags(of: words) == nil)
  }

  /// The tables count against the query's memory while they grow.
  @Test(arguments: [1, 3]) func tooManyMembersAreAnError(_ threads: Int) throws {
    var strings = ByteStrings()
    for number in 0..<Self.rows { strings.append("member number \(number)") }
    let rows = Vector(.bytes(strings))
    #expect(throws: ExecutionFailure.self) {
      _ = try MemberSet(parts: [rows], Filling(Self.query(threads: threads, memoryLimitMiB: 1)))
    }
    _ = try MemberSet(parts: [rows], Filling(Self.query(threads: threads, memoryLimitMiB: 100)))
  }
}
