import Testing

@testable import LintelIngest

@Suite struct WholeNumberTests {
  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("18446744073709551616", 18_446_744_073_709_551_616), ("1e18", 1_000_000_000_000_000_000),
      ("12.50e1", 125), ("5.0", 5), ("-100e-2", -1), ("0.0e99999999", 0),
    ] as [(String, Int128)])
  func readsWholeNumbersExactly(_ text: String, _ value: Int128) {
    #expect(Array(text.utf8).withUnsafeBytes { wholeNumber($0) } == value)
  }

  @Test(arguments: ["0.5", "1e-1", "1e31", "1e99999999999999999999", "1234567890123456789012345678901"])
  func seesWhenANumberIsNotWholeOrTooLarge(_ text: String) {
    #expect(Array(text.utf8).withUnsafeBytes { wholeNumber($0) } == nil)
  }
}
