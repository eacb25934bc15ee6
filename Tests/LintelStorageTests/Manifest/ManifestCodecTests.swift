import LintelColumns
import Testing

@testable import LintelStorage

extension Manifest {
  static func sample(parts count: Int, seed: UInt64 = 1) -> Manifest {
    var generator = Dice(seed)
    let parts = (0..<count).map { index in
      PartEntry(
        number: UInt64(index + 1), table: ["spans", "two words", "Größe%", ""][index % 4], shard: index % 3,
        level: index % 5, fileName: "hot/\(index).part", rowCount: .random(in: 0..<1 << 48, using: &generator),
        fileBytes: .random(in: 0...1000, using: &generator), rawBytes: .random(in: 0...1000, using: &generator),
        minTime: .random(in: Int64.min...0, using: &generator), maxTime: .random(in: 0...Int64.max, using: &generator),
        arrived: .random(in: 0...Int64.max, using: &generator),
        footerChecksum: .random(in: 0...UInt32.max, using: &generator),
        isQuarantined: Bool.random(using: &generator))
    }
    return Manifest(sequence: 5, nextPartNumber: UInt64(count + 1), logFloors: [0, 7, 1 << 62 - 1], parts: parts)
  }
}

@Suite struct ManifestCodecTests {
  private func decode(_ bytes: [UInt8]) -> StorageError.Code? {
    do throws(StorageError) { _ = try ManifestCodec.decode(bytes, path: "m") } catch { return error.code }
    return nil
  }

  private func sealed(_ text: String) -> [UInt8] {
    let checksum = Array(text.utf8).withUnsafeBytes { Checksum.crc32c($0) }
    return Array((text + "end \(ManifestCodec.hex(checksum))\n").utf8)
  }

  @Test(arguments: [0, 1, 2, 50])
  func survivesEncoding(parts: Int) throws {
    let manifest = Manifest.sample(parts: parts)
    #expect(try ManifestCodec.decode(ManifestCodec.encode(manifest), path: "m") == manifest)
  }

  /// Whoever counted on from such numbers, or added sizes up, would overflow.
  @Test func numbersThatNoStoreComesToAreRefused() throws {
    let part = "part 17 spans 0 1 hot/17.part 120 1843 9600 -5 6 7 00009ab3 live"
    let content = "content 18 0 1 content/18.content 12 843 900 1f2e3d4c"
    let lines = [
      "lintel-manifest 1", "sequence 42", "next-part 19", "shard 0 7", "erased 3", "next-content 0 9", part, content,
    ]
    #expect(decode(sealed(lines.joined(separator: "\n") + "\n")) == nil)
    let fields = [
      (1, 1), (2, 1), (3, 2), (4, 1), (5, 2), (6, 4), (6, 6), (6, 7), (6, 8), (7, 3), (7, 5), (7, 6), (7, 7),
    ]
    for (line, field) in fields {
      for number in ["-1", "4611686018427387904", "9223372036854775807", "18446744073709551615"] {
        var lines = lines
        var words = lines[line].split(separator: " ").map(String.init)
        words[field] = number
        lines[line] = words.joined(separator: " ")
        #expect(decode(sealed(lines.joined(separator: "\n") + "\n")) == .incompatible, "\(lines[line])")
      }
    }
    #expect(LogFormat.segment("4611686018427387903.log") == 1 << 62 - 1)
    #expect(LogFormat.segment("4611686018427387904.log") == nil)
  }

  @Test func isTheDocumentedText() throws {
    let part = PartEntry(
      number: 17, table: "spans", shard: 0, level: 1, fileName: "hot/000000000017.part", rowCount: 120_000,
      fileBytes: 1_843_200, rawBytes: 9_600_000, minTime: -5, maxTime: 6, arrived: 7, footerChecksum: 0x9ab3,
      isQuarantined: true)
    let manifest = Manifest(sequence: 42, nextPartNumber: 18, logFloors: [7], parts: [part])
    let text = """
      lintel-manifest 1
      sequence 42
      next-part 18
      shard 0 7
      part 17 spans 0 1 hot/000000000017.part 120000 1843200 9600000 -5 6 7 00009ab3 quarantined

      """
    #expect(ManifestCodec.encode(manifest) == sealed(text))
  }

  @Test func saysWhereTiersAreThatLieElsewhere() throws {
    var manifest = Manifest(sequence: 42, nextPartNumber: 18, logFloors: [7], parts: [])
    manifest.volumes = [.cold: "/mnt/cold disk", .warm: "/mnt/warm"]
    let text = """
      lintel-manifest 1
      sequence 42
      next-part 18
      shard 0 7
      tier warm /mnt/warm
      tier cold /mnt/cold%20disk

      """
    #expect(ManifestCodec.encode(manifest) == sealed(text))
    #expect(try ManifestCodec.decode(sealed(text), path: "m") == manifest)
  }

  /// No Lintel writes them so, but opening must end.
  @Test func namesThatWereNotEscapedAreReadAllTheSame() throws {
    let text = """
      lintel-manifest 1
      sequence 42
      next-part 18
      shard 0 7
      part 17 größe%c3%a9 0 1 hot/ü.part 1 2 3 4 5 6 00009ab3 live

      """
    let part = try #require(try ManifestCodec.decode(sealed(text), path: "m").parts.first)
    #expect(part.table == "größeé")
    #expect(part.fileName == "hot/ü.part")
  }

  @Test func everyFlippedOrCutByteIsNoticed() {
    let bytes = ManifestCodec.encode(.sample(parts: 3))
    for offset in bytes.indices {
      var damaged = bytes
      damaged[offset] ^= 1
      #expect(decode(damaged) == .corrupt, "byte \(offset)")
      #expect(decode(Array(bytes[..<offset])) == .corrupt, "cut at \(offset)")
    }
    #expect(decode(bytes + [10]) == .corrupt)
  }

  @Test(arguments: [
    "lintel-manifest 2\nsequence 1\nnext-part 1\nshard 0 0\n",
    "lintel-manifest 1\nsequence 1\nnext-part 1\n",
    "lintel-manifest 1\nsequence -1\nnext-part 1\nshard 0 0\n",
    "lintel-manifest 1\nsequence 1\nnext-part 1\nshard 1 0\n",
    "lintel-manifest 1\nsequence 1\nnext-part 1\nshard 0 0\nfuture thing\n",
    "lintel-manifest 1\nsequence 1\nnext-part 1\nshard 0 0\ntier hot /a\n",
    "lintel-manifest 1\nsequence 1\nnext-part 1\nshard 0 0\ntier frozen /a\n",
    "lintel-manifest 1\nsequence 1\nnext-part 1\nshard 0 0\ntier warm \n",
    "lintel-manifest 1\nsequence 1\nnext-part 1\nshard 0 0\ntier cold /a\ntier warm /b\n",
    "lintel-manifest 1\nsequence 1\nnext-part 1\nshard 0 0\ntier warm /a\ntier warm /a\n",
    "lintel-manifest 1\nsequence 1\nnext-part 5\nshard 0 0\npart 9 t 0 0 f 1 1 1 1 1 1 00 live\n",
    "lintel-manifest 1\nsequence 1\nnext-part 5\nshard 0 0\npart 1 t 1 0 f 1 1 1 1 1 1 00 live\n",
    "lintel-manifest 1\nsequence 1\nnext-part 5\nshard 0 0\npart 1 t 0 0 f -1 1 1 1 1 1 00 live\n",
    "lintel-manifest 1\nsequence 1\nnext-part 5\nshard 0 0\npart 1 t 0 0 f 1 1 1 1 1 1 00 asleep\n",
    "lintel-manifest 1\nsequence 1\nnext-part 5\nshard 0 0\npart 1 t% 0 0 f 1 1 1 1 1 1 00 live\n",
    "lintel-manifest 1\nsequence 1\nnext-part 5\nshard 0 0\npart 1 %ff 0 0 f 1 1 1 1 1 1 00 live\n",
    "lintel-manifest 1\nsequence 1\nnext-part 5\nshard 0 0\n"
      + "part 1 t 0 0 f 1 1 1 1 1 1 00 live\npart 1 t 0 0 f 1 1 1 1 1 1 00 live\n",
  ])
  func whatIsNotUnderstoodIsRefused(text: String) {
    #expect(decode(sealed(text)) == .incompatible)
  }
}
