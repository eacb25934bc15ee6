import LintelColumns

/// Bytes a value and speed of each block encoding, on one core, beside what copying the decoded bytes takes.
///
///     swift run -c release --package-path Benchmarks encoding-bench [name]
@main
struct EncodingBench {
  static let blockRows = 16384
  static let blockCount = 64

  static func main() {
    let filter = CommandLine.arguments.dropFirst().first
    let copyRate = copyGigabytesPerSecond()
    print("blocks of \(blockRows) values; memcpy of a decoded block: \(fixed(copyRate, 1)) GB/s\n")
    print(
      pad("data", 26), pad("encoding", 10), left("B/value", 8), left("encode Mv/s", 12), left("GB/s", 7),
      left("decode Mv/s", 12), left("GB/s", 7), left("x memcpy", 9))
    for sample in Sample.all where filter.map({ sample.name.contains($0) }) ?? true {
      let blocks = sample.blocks(blockCount, rows: blockRows)
      for effort in sample.efforts { measure(sample, blocks, effort, copyRate) }
    }
  }

  private static func measure(
    _ sample: Sample, _ blocks: [ColumnVector], _ effort: EncodingEffort, _ copyRate: Double
  ) {
    var encoded: [[UInt8]] = []
    for block in blocks {
      var out: [UInt8] = []
      _ = BlockCodec.encode(block, effort: effort, into: &out)
      encoded.append(out)
    }
    var buffer: [UInt8] = []
    let encodeTime = best {
      for block in blocks {
        buffer.removeAll(keepingCapacity: true)
        _ = BlockCodec.encode(block, effort: effort, into: &buffer)
      }
    }
    var checksum = 0
    let decodeTime = best {
      for (block, bytes) in zip(blocks, encoded) {
        let back = try? bytes.withUnsafeBytes {
          try BlockCodec.decode($0, type: block.physicalType, rowCount: blockRows, dictionary: sample.dictionary)
        }
        checksum &+= back?.count ?? 0
      }
    }
    guard checksum % (blockRows * blockCount) == 0, checksum > 0 else { return print(sample.name, "does not decode") }
    let values = Double(blockRows * blockCount)
    let bytes = Double(blocks.reduce(0) { $0 + sample.decodedBytes($1) })
    let name = encoded[0].withUnsafeBytes { BlockCodec.encodingName($0) }
    print(
      pad(sample.name, 26), pad(name, 10), left(fixed(Double(encoded.reduce(0) { $0 + $1.count }) / values, 3), 8),
      left(fixed(values / encodeTime / 1e6, 0), 12), left(fixed(bytes / encodeTime / 1e9, 2), 7),
      left(fixed(values / decodeTime / 1e6, 0), 12), left(fixed(bytes / decodeTime / 1e9, 2), 7),
      left(fixed(bytes / decodeTime / 1e9 / copyRate, 2), 9))
  }

  private static func copyGigabytesPerSecond() -> Double {
    let source = [UInt64](repeating: 7, count: blockRows)
    var target = [UInt64](repeating: 0, count: blockRows)
    let time = best {
      for _ in 0..<blockCount {
        target.withUnsafeMutableBytes { target in source.withUnsafeBytes { target.copyMemory(from: $0) } }
      }
    }
    return Double(blockRows * blockCount * 8) / time / 1e9
  }

  /// Seconds of the fastest of several runs.
  private static func best(_ body: () -> Void) -> Double {
    var least = Double.infinity
    let clock = ContinuousClock()
    let start = clock.now
    repeat {
      let time = clock.measure(body)
      least = min(least, Double(time.components.attoseconds) / 1e18 + Double(time.components.seconds))
    } while clock.now - start < .milliseconds(250)
    return least
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func left(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private static func fixed(_ value: Double, _ places: Int) -> String {
    var scale = 1
    for _ in 0..<places { scale *= 10 }
    let scaled = Int(value * Double(scale) + 0.5)
    if places == 0 { return String(scaled) }
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: places - fraction.count) + fraction
  }
}
