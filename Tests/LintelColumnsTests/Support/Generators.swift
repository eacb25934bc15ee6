@testable import LintelColumns

/// A small seeded generator; a failing test prints the seed that brings the case back.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// Sequences that push an encoder into each of its corners.
enum IntegerShape: CaseIterable {
  case constant, alternating, ascending, timestamps, small, outliers, extremes, random, longRuns, negative, wrapping,
    wide, multiples, skewed

  func values(_ count: Int, _ random: inout SplitMix64) -> [Int64] {
    var last: Int64 = 1_700_000_000_000_000_000
    return (0..<count).map { index in
      switch self {
      case .constant: return -7
      case .alternating: return index % 2 == 0 ? 1 : -1
      case .ascending: return Int64(index) * 1000
      case .timestamps:
        last += Int64(random.below(5_000_000))
        return last
      case .small: return Int64(random.below(200))
      case .outliers: return random.chance(1) ? Int64(random.below(.max)) : Int64(random.below(100))
      case .extremes: return [Int64.min, .max, 0, -1, 1][random.below(5)]
      case .random: return Int64(bitPattern: random.next())
      case .longRuns: return Int64(index / 97 % 5) << 40
      case .negative: return -Int64(random.below(1 << 20)) - (1 << 50)
      case .wide: return Int64(random.below(1 << (4 + random.below(30))))
      case .multiples: return Int64(random.below(1 << (1 + random.below(12)))) * 1280 - 77
      case .skewed: return random.chance(90) ? 1 << 33 : Int64(random.below(3)) << 20
      case .wrapping: return index % 2 == 0 ? Int64.min + Int64(index) : Int64.max - Int64(random.below(9))
      }
    }
  }
}

enum DoubleShape: CaseIterable {
  case money, wholes, random, special, constant, tiny, huge, negativeZero, thirds

  func values(_ count: Int, _ random: inout SplitMix64) -> [Double] {
    (0..<count).map { _ in
      switch self {
      case .money: return Double(random.below(1_000_000)) / 10_000
      case .wholes: return Double(random.below(5000)) - 2500
      case .random: return Double(bitPattern: random.next())
      case .special:
        return [
          Double.nan, Double(bitPattern: 0x7FF8_0000_0000_BEEF), -.nan, .infinity, -.infinity, 0, -0.0,
          .leastNonzeroMagnitude,
          .greatestFiniteMagnitude, 0.1,
        ][random.below(10)]
      case .constant: return 0.1 + 0.2
      case .tiny: return Double(random.below(1000)) * 1e-18
      case .huge: return Double(random.next()) * 1e3
      case .negativeZero: return random.chance(50) ? -0.0 : 1.5
      case .thirds: return Double(random.below(1000)) / 3
      }
    }
  }
}

enum StringShape: CaseIterable {
  case empty, words, text, random, longAndShort, hex

  func values(_ count: Int, _ random: inout SplitMix64) -> [[UInt8]] {
    let words = ["chat", "gpt-4o", "embeddings", "agent", "tool_call", ""]
    return (0..<count).map { index in
      switch self {
      case .empty: return []
      case .words: return Array(words[random.below(words.count)].utf8)
      case .text: return Array("The quick model \(index) answered \(random.below(50)) questions in one go. ".utf8)
      case .random: return (0..<random.below(20)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      case .longAndShort: return Array(repeating: UInt8(index & 255), count: random.chance(3) ? 5000 : 1)
      case .hex: return Array(String(random.next(), radix: 16).utf8)
      }
    }
  }
}

extension ColumnVector {
  /// What the vector says, row by row; two vectors say the same when these are equal, whatever their form.
  var rows: [[UInt8]?] {
    (0..<count).map { row in
      guard isValid(row) else { return nil }
      switch storage {
      case .int64(let lanes): return withUnsafeBytes(of: lanes[row]) { Array($0) }
      case .float64(let lanes): return withUnsafeBytes(of: lanes[row].bitPattern) { Array($0) }
      case .bool(let lanes): return [lanes[row] ? 1 : 0]
      case .bytes: return bytes(at: row).map { Array($0) }
      case .codes where physicalType == .bytes: return bytes(at: row).map { Array($0) }
      default: return id128(at: row).map { id in withUnsafeBytes(of: id) { Array($0) } }
      }
    }
  }

  /// The same vector with some rows null, their lanes zero.
  func withNulls(_ percent: Int, _ random: inout SplitMix64) -> ColumnVector {
    if percent == 0 { return self }
    var validity = Bitmap(count: count)
    for row in 0..<count { validity[row] = !random.chance(percent) }
    return ColumnVector(storage, validity: validity.isAllSet ? nil : validity)
  }

  static func strings(_ values: [[UInt8]]) -> ColumnVector {
    var strings = ByteStrings()
    for value in values { strings.append(value) }
    return ColumnVector(.bytes(strings))
  }
}

func encoded(_ vector: ColumnVector, effort: EncodingEffort = .light) -> [UInt8] {
  var out: [UInt8] = []
  _ = BlockCodec.encode(vector, effort: effort, into: &out)
  return out
}

func decoded(_ bytes: [UInt8], like vector: ColumnVector) throws -> ColumnVector {
  var dictionary: ValueDictionary?
  if case .codes(_, let own) = vector.storage { dictionary = own }
  return try bytes.withUnsafeBytes { bytes in
    try BlockCodec.decode(bytes, type: vector.physicalType, rowCount: vector.count, dictionary: dictionary)
  }
}

func encodingName(_ bytes: [UInt8]) -> String { bytes.withUnsafeBytes { BlockCodec.encodingName($0) } }

/// Vectors of every storage, from a few rows to several chunks.
func sampleVectors(_ random: inout SplitMix64, sizes: [Int] = [0, 1, 2, 63, 64, 65, 1023, 1024, 1025, 2500])
  -> [ColumnVector]
{
  var vectors: [ColumnVector] = []
  for size in sizes {
    for shape in IntegerShape.allCases { vectors.append(ColumnVector(.int64(shape.values(size, &random)))) }
    for shape in DoubleShape.allCases { vectors.append(ColumnVector(.float64(shape.values(size, &random)))) }
    for shape in StringShape.allCases {
      let vector = ColumnVector.strings(shape.values(size, &random))
      vectors.append(vector)
      vectors.append(vector.coded())
    }
    for percent in [0, 1, 50, 100] {
      vectors.append(ColumnVector(.bool((0..<size).map { _ in random.chance(percent) })))
    }
    for distinct in [1, 20, 100_000] {
      let pool = (0..<min(distinct, size + 1)).map { _ in UInt128(random.next()) << 64 | UInt128(random.next()) }
      let ids = ColumnVector(.id128((0..<size).map { pool[min(pool.count - 1, $0 * pool.count / max(1, size))] }))
      vectors.append(ids)
      vectors.append(ids.coded())
    }
  }
  return vectors
}
