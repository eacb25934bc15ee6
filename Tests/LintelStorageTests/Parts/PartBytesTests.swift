import LintelColumns
import Testing

@testable import LintelStorage

/// What a part's metadata is read with meets bytes whose checksum holds and whose lengths lie.
@Suite struct PartBytesTests {
  @Test func aLengthThatCountsItselfIsRefused() {
    for left in [0, 1, 4] {
      let bytes = [UInt8(left + 1)] + [UInt8](repeating: 65, count: left)
      var reader = PartBytesReader(bytes)
      #expect(throws: ColumnError.self) { try reader.string() }
      // The same inside a longer run: nothing behind the end is read.
      var inner = PartBytesReader(bytes + [66, 67], from: 0, to: bytes.count)
      #expect(throws: ColumnError.self) { try inner.run() }
    }
  }

  @Test(
    arguments: [
      [0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [],
    ] as [[UInt8]])
  func hugeAndBrokenLengthsAreRefused(_ bytes: [UInt8]) {
    var reader = PartBytesReader(bytes)
    #expect(throws: ColumnError.self) { try reader.string() }
  }

  @Test func whatIsWrittenComesBack() throws {
    var writer = PartBytesWriter()
    for text in ["", "a", "größe", String(repeating: "x", count: 300)] { writer.string(text) }
    var reader = PartBytesReader(writer.bytes)
    for text in ["", "a", "größe", String(repeating: "x", count: 300)] { #expect(try reader.string() == text) }
    #expect(reader.remaining == 0)
  }

  @Test func aRareAttributeLongerThanItsRowIsRefused() {
    var rows = ByteStrings()
    // Key 0, then a text of three bytes of which two are there.
    rows.append([0, 3, 65, 66] as [UInt8])
    rows.append([0, 1, 67] as [UInt8])
    #expect(throws: ColumnError.self) {
      try AttributeTail.unfold(ColumnVector(.bytes(rows)), key: 0, kinds: [.string])
    }
  }

  @Test func damagedDirectoriesNeverTrap() throws {
    let directory = PartDirectory.sample
    let bytes = directory.encoded()
    let back = try PartDirectory(decoding: bytes, fileLength: 4096)
    #expect(back.encoded() == bytes)
    var dice = Dice(103)
    for _ in 0..<20_000 {
      var damaged = bytes
      for _ in 0...dice.below(3) {
        switch dice.below(3) {
        case 0: damaged[dice.below(damaged.count)] = UInt8(dice.below(256))
        case 1: damaged.remove(at: dice.below(damaged.count))
        default: damaged.insert(UInt8(dice.below(256)), at: dice.below(damaged.count + 1))
        }
      }
      _ = try? PartDirectory(decoding: damaged, fileLength: 4096)
    }
    for end in bytes.indices {
      #expect(throws: ColumnError.self) { try PartDirectory(decoding: Array(bytes[..<end]), fileLength: 4096) }
    }
  }
}

extension PartDirectory {
  fileprivate static var sample: PartDirectory {
    let chunk = PartChunk(offset: 900, length: 40, checksum: 0x0102_0304)
    func column(_ role: PartColumnRole, _ physical: PhysicalType, dictionary: PartChunk?) -> PartColumn {
      PartColumn(
        role: role, typeName: "string", physical: physical, valueCount: 90, dataOffset: 64, dataLength: 800,
        rawLength: 4000, index: chunk, dictionary: dictionary, dictionaryCount: dictionary == nil ? 0 : 7,
        encodings: ["constant": 1, "packed": 2])
    }
    return PartDirectory(
      table: "events", rowCount: 100, blockRows: 64, minTime: -5, maxTime: 1 << 40,
      columns: [
        column(.schema("name"), .bytes, dictionary: chunk),
        column(.attribute(AttributeKey("http.route", .string)), .bytes, dictionary: nil),
        column(.tail, .bytes, dictionary: nil),
      ],
      tailKeys: [
        TailKey(key: AttributeKey("rare", .int), valueCount: 1),
        TailKey(key: AttributeKey("", .variant), valueCount: 2),
      ])
  }
}
