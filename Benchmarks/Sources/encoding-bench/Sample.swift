import Glibc
import LintelColumns

/// Data of one kind for the encoders.
struct Sample {
  var name: String
  var dictionary: ValueDictionary?
  var efforts: [EncodingEffort] = [.light, .compact]
  /// The storage of one block; the generator carries over from block to block.
  var make: (_ rows: Int, _ random: inout Generator) -> ColumnVector.Storage

  func blocks(_ count: Int, rows: Int) -> [ColumnVector] {
    var random = Generator(state: 1)
    return (0..<count).map { _ in ColumnVector(make(rows, &random)) }
  }

  func decodedBytes(_ vector: ColumnVector) -> Int {
    switch vector.storage {
    case .int64(let lanes): lanes.count * 8
    case .float64(let lanes): lanes.count * 8
    case .bool(let lanes): lanes.count
    case .id128(let lanes): lanes.count * 16
    case .codes(let lanes, _): lanes.count * 4
    case .bytes(let strings): strings.bytes.count
    }
  }

  private static func integers(_ name: String, _ value: @escaping (inout Generator) -> Int64) -> Sample {
    Sample(name: name) { rows, random in .int64((0..<rows).map { _ in value(&random) }) }
  }

  private static func strings(_ name: String, _ value: @escaping (inout Generator) -> String) -> Sample {
    Sample(name: name) { rows, random in .bytes(ByteStrings((0..<rows).map { _ in value(&random) })) }
  }

  private static func codes(_ name: String, entries: Int, _ code: @escaping (inout Generator) -> Int) -> Sample {
    let dictionary = ValueDictionary(.id128((0..<entries).map { UInt128($0) }))
    return Sample(name: name, dictionary: dictionary) { rows, random in
      .codes((0..<rows).map { _ in UInt32(code(&random)) }, dictionary)
    }
  }

  static var all: [Sample] {
    [
      integers("constant") { _ in 7 },
      integers("7 bits") { Int64($0.below(128)) },
      integers("12 bits") { Int64($0.below(4096)) },
      integers("40 bits") { Int64($0.below(1 << 40)) },
      integers("span ids (63 bits)") { Int64(bitPattern: $0.next() >> 1) },
      integers("long runs") { random in
        if random.below(50) == 0 { random.carried = Int64(random.below(1000)) }
        return random.carried
      },
      integers("timestamps") { random in
        random.carried += Int64(random.below(2_000_000))
        return random.carried
      },
      integers("outliers") { $0.below(100) == 0 ? Int64($0.below(1 << 40)) : Int64($0.below(256)) },
      integers("log-normal durations") { Int64(exp(17.2 + 1.3 * $0.normal())) },
      integers("log-normal microseconds") { Int64(exp(10.3 + 1.3 * $0.normal())) * 1000 },
      integers("tokens of 128") { Int64(exp(2.5 + 1.1 * $0.normal())) * 128 },
      integers("skewed small numbers") { random in
        var value: Int64 = 0
        while random.below(3) > 0, value < 60 { value += 1 }
        return value
      },
      Sample(name: "cost in dollars") { rows, random in
        .float64((0..<rows).map { _ in (exp(7 + 1.2 * random.normal())).rounded() / 1_000_000 })
      },
      Sample(name: "random doubles") { rows, random in
        .float64((0..<rows).map { _ in Double(random.below(1 << 53)) / Double(1 << 53) })
      },
      codes("codes, 50 entries", entries: 50) { $0.below(50) },
      codes("codes, Zipf of 2000", entries: 2000) { $0.zipf(2000) },
      Sample(name: "fresh codes, 80 %", dictionary: ValueDictionary(.id128((0..<2_000_000).map { UInt128($0) }))) {
        rows, random in
        // Half a million values have been seen in the blocks before.
        random.carried = max(random.carried, 500_000)
        let codes = (0..<rows).map { _ -> UInt32 in
          guard random.below(5) > 0 else { return UInt32(random.below(Int(random.carried))) }
          random.carried += 1
          return UInt32(random.carried - 1)
        }
        return .codes(codes, ValueDictionary(.id128([])))
      },
      strings("chatcmpl- and 15 digits") { "chatcmpl-" + $0.hex(15) },
      strings("UUIDs") { "\($0.hex(8))-\($0.hex(4))-4\($0.hex(3))-a\($0.hex(3))-\($0.hex(12))" },
      strings("32 hex digits") { $0.hex(16) + $0.hex(16) },
      strings("user-N") { "user-\($0.zipf(200_000))" },
      Sample(name: "lists that grow by turns") { rows, random in
        var turns = (0..<200).map { _ in [Variant.int(0)] }
        var strings = ByteStrings()
        for _ in 0..<rows {
          let conversation = random.below(turns.count)
          if turns[conversation].count > 100 { turns[conversation] = [.int(0)] }
          for _ in 0..<(1 + random.below(20)) {
            random.carried += 1
            turns[conversation].append(.int(random.carried))
          }
          strings.append(Variant.array(turns[conversation]).encoded)
        }
        return .bytes(strings)
      },
      strings("words") { "agent step \($0.below(5000)) of plan" },
    ]
  }
}

/// SplitMix64, and what is drawn from it.
struct Generator {
  var state: UInt64
  /// What a sequence carries from one value to the next.
  var carried: Int64 = 0

  init(state: UInt64) { self.state = state }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  mutating func unit() -> Double { Double(next() >> 11) / Double(1 << 53) }

  mutating func normal() -> Double {
    sqrt(-2 * log(1 - unit())) * cos(2 * Double.pi * unit())
  }

  /// The lowest hexadecimal digits of a number.
  mutating func hex(_ digits: Int) -> String {
    let text = String(next(), radix: 16)
    return String((String(repeating: "0", count: 16 - text.count) + text).suffix(digits))
  }

  /// Ranks from 0 with probabilities about 1 / (rank + 1).
  mutating func zipf(_ count: Int) -> Int { min(count - 1, Int(exp(unit() * log(Double(count + 1)))) - 1) }
}
