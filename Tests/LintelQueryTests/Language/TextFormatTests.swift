import LintelColumns
import Testing

@testable import LintelQuery

/// Text of times, durations and money, and the way back.
@Suite("Text formats") struct TextFormatTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (1_767_323_045_000_000_000, "2026-01-02T03:04:05Z"),
    (-1, "1969-12-31T23:59:59.999999999Z"), (1_709_164_800_123_000_000, "2024-02-29T00:00:00.123Z"),
    (951_782_400_000_001_000, "2000-02-29T00:00:00.000001Z"), (Int64.min, "1677-09-21T00:12:43.145224192Z"),
    (Int64.max, "2262-04-11T23:47:16.854775807Z"), (-2_203_891_200_000_000_000, "1900-03-01T00:00:00Z"),
  ])
  func timestamps(_ nanoseconds: Int64, _ text: String) {
    #expect(TextFormats.timestamp(nanoseconds) == text)
    #expect(TextFormats.timestamp(text) == nanoseconds)
  }

  @Test(arguments: [
    ("2026-01-02", 1_767_312_000), ("2026-01-02 03:04", 1_767_323_040), ("2026-01-02T03:04:05+02:00", 1_767_315_845),
    ("2026-01-02T03:04:05-00:30", 1_767_324_845), ("2026-01-02t03:04:05z", 1_767_323_045),
  ])
  func otherSpellings(_ text: String, _ seconds: Int64) {
    #expect(TextFormats.timestamp(text) == seconds * 1_000_000_000)
  }

  @Test(arguments: [
    "", "2026", "2026-13-01", "2026-02-29", "2026-01-00", "2026-01-02T", "2026-01-02T24:00:00Z", "2026-01-02T03:60",
    "2026-01-02T03:04:05.", "2026-01-02T03:04:05.1234567890Z", "2026-01-02T03:04:05ZZ", "2026-01-02T03:04:05+2:00",
    "2026-01-02X03:04", "9999-01-01", "1600-01-01", " 2026-01-02", "2026-01-02T03:04:05.5é",
  ])
  func notTimestamps(_ text: String) { #expect(TextFormats.timestamp(text) == nil) }

  @Test func everyDayRoundTrips() {
    for day in stride(from: Int64(-106_000), to: 106_000, by: 37) {
      let time = day * 86_400_000_000_000 + 3_723_000_000_007
      #expect(TextFormats.timestamp(TextFormats.timestamp(time)) == time)
    }
  }

  @Test(arguments: [
    ("250ms", 250_000_000), ("1.5h", 5_400_000_000_000), ("-2s", -2_000_000_000), ("7d", 604_800_000_000_000),
    ("0.000000001s", 1), ("+3us", 3_000), ("-9223372036854775808ns", Int64.min), ("0.5m", 30_000_000_000),
  ])
  func durations(_ text: String, _ nanoseconds: Int64) { #expect(TextFormats.duration(text) == nanoseconds) }

  @Test(arguments: ["", "5", "ms", "1.5ns", "0.0000000001s", "9223372037s", "1e3s", "5 s", "1..5s", "٣s", "--5s"])
  func notDurations(_ text: String) { #expect(TextFormats.duration(text) == nil) }

  @Test(arguments: [
    ("0.0025", 2_500_000), ("12", 12_000_000_000), ("-0.000000001", -1), ("9223372036.854775807", Int64.max),
    ("-9223372036.854775808", Int64.min), ("0", 0), ("1.5", 1_500_000_000),
  ])
  func money(_ text: String, _ nanos: Int64) {
    #expect(TextFormats.money(text) == nanos)
    #expect(TextFormats.money(nanos) == text)
  }

  @Test func notMoney() {
    for text in ["", "1,5", "0.0000000001", "9223372036.854775808", "$1", "1."] {
      #expect(TextFormats.money(text) == nil)
    }
  }

  @Test func otherTexts() {
    #expect(TextFormats.text(.float64(-.nan), .float64) == "nan")
    #expect(TextFormats.text(.int64(-1), .id8) == "ffffffffffffffff")
    #expect(TextFormats.text(.id128(7), .id16) == "00000000000000000000000000000007")
    #expect(TextFormats.text(.bytes([0xFF]), .bytes) == nil)
    #expect(TextFormats.text(.int64(9), .enumeration(RandomTable.level)) == "9")
    #expect(ExpressionText.duration(0) == "0ns" && ExpressionText.duration(-90_000_000_000) == "-90s")
  }
}
