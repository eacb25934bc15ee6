import LintelColumns
import LintelStorage
import Synchronization

/// SplitMix64: small, seeded, the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }
}

/// A segment in memory: whole columns cut into blocks, with zone maps and, for coded columns, one dictionary.
final class TestSegment: Segment {
  let name: String
  let rowCount: Int
  let blockRows: Int
  let isPart = true
  let attributeKeys: [AttributeKey]
  private let columns: [ColumnReference: [ColumnVector]]
  private let dictionaries: [ColumnReference: ValueDictionary]
  /// Reading a block of this column fails as corrupt.
  let corrupt: ColumnReference?
  let reads = Atomic<Int>(0)

  init(
    name: String = "test", rowCount: Int, blockRows: Int, columns: [ColumnReference: ColumnVector],
    corrupt: ColumnReference? = nil
  ) {
    self.name = name
    self.rowCount = rowCount
    self.blockRows = blockRows
    self.corrupt = corrupt
    attributeKeys = columns.keys.compactMap { if case .attribute(let key) = $0 { key } else { nil } }.sorted()
    var blocks: [ColumnReference: [ColumnVector]] = [:]
    var dictionaries: [ColumnReference: ValueDictionary] = [:]
    for (reference, vector) in columns {
      blocks[reference] = stride(from: 0, to: rowCount, by: blockRows).map {
        vector.cut($0..<min($0 + blockRows, rowCount))
      }
      if case .codes(_, let dictionary) = vector.storage { dictionaries[reference] = dictionary }
    }
    self.columns = blocks
    self.dictionaries = dictionaries
  }

  func storedBytes(_ column: ColumnReference, block: Int) -> Int { 1 }

  func statistics(_ column: ColumnReference, block: Int) -> BlockStatistics? {
    // What is damaged has no statistics: the query goes on to read.
    column == corrupt ? nil : columns[column].map { $0[block].zoneMap }
  }

  /// Kept of every column of byte strings and ids.
  func filters(_ column: ColumnReference) -> BlockFilters? {
    guard let blocks = columns[column], let type = blocks.first?.physicalType, type == .bytes || type == .id128 else {
      return nil
    }
    var builder = BlockFilterBuilder()
    for block in blocks { builder.add(FilterHash.values(of: block.plainValues)) }
    return builder.finish()
  }

  func dictionary(_ column: ColumnReference) throws(StorageError) -> ValueDictionary? { dictionaries[column] }

  /// As a part whose blocks have all been read before.
  func packed(_ column: ColumnReference, block: Int) -> PackedVector? {
    column == corrupt ? nil : columns[column].flatMap { PackedVector($0[block]) }
  }

  func read(_ column: ColumnReference, block: Int) throws(StorageError) -> ColumnVector {
    reads.add(1, ordering: .relaxed)
    if column == corrupt { throw StorageError(.corrupt, "block \(block) has a bad checksum", path: name) }
    if let vector = columns[column]?[block] { return vector }
    let type: PhysicalType = if case .attribute(let key) = column { key.kind.physical } else { .int64 }
    return .nulls(type, count: rowCount(ofBlock: block))
  }
}

extension ColumnVector {
  /// The rows of `range`.
  func cut(_ range: Range<Int>) -> ColumnVector {
    var bits: Bitmap?
    if let validity {
      var cut = Bitmap(repeating: false, count: range.count)
      for row in range where validity[row] { cut[row - range.lowerBound] = true }
      bits = cut
    }
    switch storage {
    case .int64(let lanes): return ColumnVector(.int64(Array(lanes[range])), validity: bits)
    case .float64(let lanes): return ColumnVector(.float64(Array(lanes[range])), validity: bits)
    case .bool(let lanes): return ColumnVector(.bool(Array(lanes[range])), validity: bits)
    case .id128(let lanes): return ColumnVector(.id128(Array(lanes[range])), validity: bits)
    case .codes(let lanes, let dictionary): return ColumnVector(.codes(Array(lanes[range]), dictionary), validity: bits)
    case .bytes(let lanes):
      var strings = ByteStrings()
      for row in range { strings.append(lanes[row]) }
      return ColumnVector(.bytes(strings), validity: bits)
    }
  }

  /// The same values without codes.
  var plainValues: ColumnVector {
    guard case .codes(let codes, let dictionary) = storage else { return self }
    func values<T>(_ empty: T, _ entry: (Int) -> T) -> [T] {
      codes.enumerated().map { isValid($0) ? entry(Int($1)) : empty }
    }
    switch dictionary.values {
    case .id128(let ids): return ColumnVector(.id128(values(0) { ids[$0] }), validity: validity)
    case .bytes(let strings):
      var plain = ByteStrings()
      for value in values([], { strings[$0] }) { plain.append(value) }
      return ColumnVector(.bytes(plain), validity: validity)
    }
  }

  var zoneMap: BlockStatistics {
    let rows = (0..<count).filter(isValid)
    var bounds = BlockStatistics.Bounds.none
    var sum: Int128?
    switch storage {
    case .int64(let lanes):
      let values = rows.map { lanes[$0] }
      if let low = values.min(), let high = values.max() { bounds = .int64(min: low, max: high) }
      sum = values.reduce(0) { $0 + Int128($1) }
    case .float64(let lanes):
      let values = rows.map { lanes[$0] }
      let numbers = values.filter { !$0.isNaN }
      if let low = numbers.min(), let high = numbers.max() {
        bounds = .float64(min: low, max: high, hasNaN: numbers.count < values.count)
      }
    case .id128(let lanes):
      let values = rows.map { lanes[$0] }
      if let low = values.min(), let high = values.max() { bounds = .id128(min: low, max: high) }
    default: break
    }
    return BlockStatistics(rowCount: count, nullCount: count - rows.count, bounds: bounds, sum: sum)
  }

  // Makers for tests: nil is null.

  static func make(_ values: [Int64?]) -> ColumnVector {
    ColumnVector(.int64(values.map { $0 ?? 77 }), validity: bitmap(values))
  }

  static func make(_ values: [Double?]) -> ColumnVector {
    ColumnVector(.float64(values.map { $0 ?? 77 }), validity: bitmap(values))
  }

  static func make(_ values: [Bool?]) -> ColumnVector {
    ColumnVector(.bool(values.map { $0 ?? true }), validity: bitmap(values))
  }

  static func make(_ values: [UInt128?]) -> ColumnVector {
    ColumnVector(.id128(values.map { $0 ?? 77 }), validity: bitmap(values))
  }

  static func make(_ values: [String?]) -> ColumnVector {
    ColumnVector(.bytes(ByteStrings(values.map { $0 ?? "" })), validity: bitmap(values))
  }

  /// The same values behind codes; null rows get a code that is out of range.
  var coded: ColumnVector {
    var codes: [UInt32] = []
    switch storage {
    case .bytes(let lanes):
      var numbers: [[UInt8]: UInt32] = [:]
      var entries = ByteStrings()
      for row in 0..<count {
        guard isValid(row) else {
          codes.append(1_000_000)
          continue
        }
        let value = Array(lanes[row])
        if numbers[value] == nil {
          numbers[value] = UInt32(entries.count)
          entries.append(value)
        }
        codes.append(numbers[value] ?? 0)
      }
      return ColumnVector(.codes(codes, ValueDictionary(.bytes(entries))), validity: validity)
    case .id128(let lanes):
      var entries: [UInt128] = []
      for row in 0..<count {
        guard isValid(row) else {
          codes.append(1_000_000)
          continue
        }
        if !entries.contains(lanes[row]) { entries.append(lanes[row]) }
        codes.append(UInt32(entries.firstIndex(of: lanes[row]) ?? 0))
      }
      return ColumnVector(.codes(codes, ValueDictionary(.id128(entries))), validity: validity)
    default: return self
    }
  }

  private static func bitmap<T>(_ values: [T?]) -> Bitmap? {
    guard values.contains(where: { $0 == nil }) else { return nil }
    var bits = Bitmap(repeating: true, count: values.count)
    for (index, value) in values.enumerated() where value == nil { bits[index] = false }
    return bits
  }
}
