import Testing

@testable import LintelStorage

/// The search for keys against the plain one: at each place each form of each key.
@Suite("Search for keys") struct ByteScanTests {
  private static func forms(_ key: UInt128) -> [[UInt8]] {
    let bytes = (0..<16).map { UInt8(truncatingIfNeeded: key >> UInt128(120 - 8 * $0)) }
    let digits = String(key, radix: 16)
    let padded = String(repeating: "0", count: 32 - digits.utf8.count) + digits
    return [bytes, bytes.reversed(), Array(padded.utf8), Array(padded.uppercased().utf8)]
  }

  private static func plain(_ keys: [UInt128], _ bytes: [UInt8]) -> Bool {
    keys.flatMap(forms).contains { form in
      bytes.count >= form.count
        && (0...bytes.count - form.count).contains { bytes[$0..<$0 + form.count].elementsEqual(form) }
    }
  }

  @Test func findsWhatThePlainOneFinds() {
    let seed = UInt64.random(in: 0..<1 << 40)
    var dice = Dice(seed)
    for round in 0..<600 {
      let keys = (0..<[0, 1, 2, 30][dice.below(4)]).map { _ in
        dice.chance(30) ? UInt128(dice.below(256)) : UInt128(dice.next()) << 64 | UInt128(dice.next())
      }
      var bytes = (0..<dice.below(120)).map { _ in
        dice.chance(40) ? UInt8(0) : UInt8(truncatingIfNeeded: dice.next())
      }
      if let key = keys.first, dice.chance(70) {
        var form = Self.forms(key)[dice.below(4)]
        // Whole, cut, or with a byte changed; anywhere, also at the very end.
        if dice.chance(30) { form.removeLast() }
        if dice.chance(30) { form[dice.below(form.count)] ^= 1 }
        bytes.insert(contentsOf: form, at: dice.chance(40) ? bytes.count : dice.below(bytes.count + 1))
      }
      #expect(ByteScan(keys).finds(in: bytes) == Self.plain(keys, bytes), "seed \(seed), round \(round)")
    }
  }

  /// In a file that is read in several windows.
  @Test(arguments: [-40, -33, -32, -31, -16, -15, -1, 0, 1])
  func findsAcrossSeams(distance: Int) throws {
    let key = Samples.user(5)
    let seam = 4 << 20
    for form in Self.forms(key) {
      let disk = SimulatedFileSystem()
      var bytes = [UInt8](repeating: 7, count: seam + 100)
      bytes.replaceSubrange(seam + distance..<seam + distance + form.count, with: form)
      let file = try disk.create("/file")
      try file.append(bytes)
      try file.close()
      #expect(try ByteScan([key]).finds(in: disk.open("/file"), size: bytes.count))
      #expect(try !ByteScan([Samples.user(6)]).finds(in: disk.open("/file"), size: bytes.count))
    }
  }
}
