import LintelColumns
import LintelQuery
import Testing

/// The single values inside the formats, against plain twins.
@Suite struct ResultTextTests {
  private func shown(_ value: Int64, _ type: ColumnType, _ format: ResultFormat = .vertical) -> String {
    let text = ResultFormatter(format).string(SampleResult.integers([value], type))
    let line = text.split(separator: "\n")[1]
    return String(format == .vertical ? line.dropFirst(3) : line)
  }

  @Test(
    arguments: [
      (0, "0 ns"), (999, "999 ns"), (1000, "1.00 µs"), (1234, "1.23 µs"), (9995, "10.0 µs"), (45_600_000, "45.6 ms"),
      (999_499_999, "999 ms"), (999_500_000, "1.00 s"), (1_234_567_890, "1.23 s"), (59_940_000_000, "59.9 s"),
      (59_960_000_000, "1m 00s"), (125_400_000_000, "2m 05s"), (3_599_600_000_000, "1h 00m"),
      (12_000_000_000_000, "3h 20m"), (100_000_000_000_000, "1d 3h"), (-45_600_000, "-45.6 ms"),
      (.max, "106751d 23h"), (.min, "-106751d 23h"),
    ] as [(Int64, String)])
  func durations(_ value: Int64, _ text: String) {
    #expect(shown(value, .duration) == text)
  }

  @Test(
    arguments: [
      (0, "$0.00"), (1, "$0.000000001"), (1_234_000, "$0.001234"), (12_500_000_000, "$12.50"),
      (-12_340_000_000, "-$12.34"), (100_000_000_000_000, "$100000.00"), (.min, "-$9223372036.854775808"),
    ] as [(Int64, String)])
  func money(_ value: Int64, _ text: String) {
    #expect(shown(value, .money) == text)
  }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
      (951_782_400_000_000_000, "2000-02-29T00:00:00Z"), (1_767_225_599_120_000_000, "2025-12-31T23:59:59.120Z"),
      (1_767_225_599_120_400_000, "2025-12-31T23:59:59.120400Z"),
      (.max, "2262-04-11T23:47:16.854775807Z"), (.min, "1677-09-21T00:12:43.145224192Z"),
    ] as [(Int64, String)])
  func times(_ value: Int64, _ text: String) {
    #expect(shown(value, .timestamp) == text)
  }

  /// Counts the calendar up day by day, the slow and certain way.
  @Test func everyDayOfTheCalendarIsRight() {
    var (year, month, day) = (1677, 9, 22)
    func daysInMonth() -> Int {
      let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      return [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }
    let first = -106_751
    let days = Array(first...106_751)
    let result = SampleResult.integers(days.map { Int64($0) * 86_400_000_000_000 }, .timestamp)
    let lines = ResultFormatter(.table).string(result).split(separator: "\n").dropFirst(2)
    #expect(lines.count == days.count)
    for line in lines {
      func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
      guard line == "\(year)-\(two(month))-\(two(day))T00:00:00Z" else {
        Issue.record("\(line), expected \(year)-\(month)-\(day)")
        return
      }
      day += 1
      if day > daysInMonth() { (month, day) = (month + 1, 1) }
      if month > 12 { (year, month) = (year + 1, 1) }
    }
  }

  @Test func integersEqualTheirDescription() {
    var generator = SplitMix64(seed: 7)
    var values: [Int64] = [0, 1, -1, 9, 10, 99, 100, .max, .min]
    for _ in 0..<2000 { values.append(Int64(bitPattern: generator.next()) >> Int64(generator.next() % 64)) }
    let lines = ResultFormatter(.csv).string(SampleResult.integers(values, .int64)).split(separator: "\n")
    #expect(lines.dropFirst().map(String.init) == values.map(\.description), "seed 7")
  }

  @Test func idsKeepTheirLeadingZeros() {
    #expect(shown(1, .id8, .csv) == "0000000000000001")
    #expect(shown(-1, .id8, .csv) == "ffffffffffffffff")
  }

  @Test func invalidTextIsRepairedInJSON() {
    var strings = ByteStrings()
    let broken: [[UInt8]] = [
      [0x61, 0xFF, 0x62], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0xF5, 0x80, 0x80, 0x80],
      [0xF0, 0x80, 0x80, 0x80],
    ]
    for bytes in broken { strings.append(bytes) }
    let result = QueryResult(
      columns: [.init(name: "t", type: .string, values: ColumnVector(.bytes(strings)))], rowCount: broken.count)
    for format in [ResultFormat.json, .jsonlines, .vertical] {
      let bytes = ResultFormatter(format).bytes(result)
      #expect(String(validating: bytes, as: UTF8.self) != nil, "\(format)")
    }
    #expect(ResultFormatter(.jsonlines).string(result).hasPrefix("{\"t\":\"a\u{FFFD}b\"}\n{\"t\":\"\u{FFFD}\"}\n"))
  }

  /// Whatever bytes stand in a variant column: null or valid text, never a trap, never half a value.
  @Test func brokenVariantsAreNull() {
    var strings = ByteStrings()
    let deep = Array([[UInt8]](repeating: [7, 1], count: 100).joined()) + [0]
    let broken: [[UInt8]] = [
      [], [9], [3], [3, 0x80], [4, 1, 2], [5, 200, 1], [7, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [8, 1, 1], deep, [0, 0],
      [5, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [3] + [UInt8](repeating: 0x80, count: 10) + [1],
    ]
    for bytes in broken { strings.append(bytes) }
    let result = QueryResult(
      columns: [.init(name: "v", type: .variant, values: ColumnVector(.bytes(strings)))], rowCount: broken.count)
    let lines = ResultFormatter(.jsonlines).string(result).split(separator: "\n")
    #expect(lines == Array(repeating: "{\"v\":null}", count: broken.count))
  }

  @Test func randomVariantBytesNeverTrap() {
    var generator = SplitMix64(seed: 11)
    var strings = ByteStrings()
    for _ in 0..<3000 {
      strings.append((0..<Int(generator.next() % 24)).map { _ in UInt8(truncatingIfNeeded: generator.next() % 12) })
    }
    let result = QueryResult(
      columns: [.init(name: "v", type: .map, values: ColumnVector(.bytes(strings)))], rowCount: 3000)
    #expect(ResultFormatter(.jsonlines).string(result).split(separator: "\n").count == 3000, "seed 11")
  }

  @Test(arguments: [("abc", 3), ("日本", 4), ("e\u{301}", 1), ("👍🏽", 2), ("🇩🇪🇫🇷", 4), ("❤️", 2), ("ｱ", 1), ("한글", 4)])
  func cells(_ text: String, _ cells: Int) {
    let rule = ResultFormatter(.table).string(SampleResult.texts([text], name: "x")).split(separator: "\n")[1]
    #expect(rule.count == cells)
  }
}

/// A small seeded generator, so that a failure can be repeated.
private struct SplitMix64 {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
