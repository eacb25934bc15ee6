internal import CLintelKernels

/// A 128-bit digest of each row's content, by which a row that is sent again is recognised.
///
/// The digest of a row is the sum, modulo 2^64 in each half, of the digests of its values, each seeded by the name of its
/// column (for an attribute: name and kind), stirred once at the end. So it doesn't depend on the order of columns, on
/// whether values are dictionary-coded, on the other rows of the batch, or on columns that are null in that row. It is
/// written to disk: the function never changes. It is no cryptographic hash.
public enum RowDigest {
  /// One digest a row.
  public static func digests(of batch: Batch) -> [UInt128] {
    var sums = Sums(rowCount: batch.rowCount)
    for (definition, vector) in zip(batch.schema.columns, batch.columns) {
      sums.add(vector, seed: seed(definition.name, 0x100 + UInt64(definition.type.physical.rawValue)))
    }
    for column in batch.attributes {
      let seed = seed(column.key.name, 0x200 + UInt64(column.key.kind.rawValue))
      if column.rows.count == batch.rowCount {
        sums.add(column.values, seed: seed)
      } else {
        var own = Sums(rowCount: column.rows.count)
        own.add(column.values, seed: seed)
        sums.add(own, at: column.rows)
      }
    }
    return sums.digests()
  }

  /// A digest of each value, for telling values apart in memory; 0 stands for null.
  public static func values(of vector: ColumnVector) -> [UInt64] {
    var sums = Sums(rowCount: vector.count)
    sums.add(vector, seed: 0)
    return sums.low
  }

  static func seed(_ name: String, _ kind: UInt64) -> UInt64 {
    var name = name
    return name.withUTF8 { ByteHash.digest(UnsafeRawBufferPointer($0), seed: kind).low }
  }

  /// The two halves of every row's sum.
  private struct Sums {
    var low: [UInt64]
    var high: [UInt64]

    init(rowCount: Int) {
      low = Array(repeating: 0, count: rowCount)
      high = low
    }

    mutating func add(_ vector: ColumnVector, seed: UInt64) {
      let count = min(vector.count, low.count)
      guard count > 0, !vector.isAllNull else { return }
      switch vector.storage {
      case .int64(let lanes):
        lanes.withUnsafeBytes { add($0.bindMemory(to: UInt64.self), count, vector.validity, seed) }
      case .float64(let lanes):
        lanes.withUnsafeBytes { add($0.bindMemory(to: UInt64.self), count, vector.validity, seed) }
      case .bool(let lanes):
        let words = lanes.map { $0 ? UInt64(1) : 0 }
        words.withUnsafeBufferPointer { add($0, count, vector.validity, seed) }
      case .id128(let ids):
        addEach(count, vector.validity) { ByteHash.digest(ids[$0], seed: seed) }
      case .bytes(let strings):
        strings.bytes.withUnsafeBytes { bytes in
          addEach(count, vector.validity) {
            ByteHash.digest(UnsafeRawBufferPointer(rebasing: bytes[strings.range($0)]), seed: seed)
          }
        }
      case .codes(let codes, let dictionary):
        add(codes, RowDigest.digests(of: dictionary, seed: seed), count, vector.validity)
      }
    }

    private mutating func add(
      _ words: UnsafeBufferPointer<UInt64>, _ count: Int, _ validity: Bitmap?, _ seed: UInt64
    ) {
      low.withUnsafeMutableBufferPointer { low in
        high.withUnsafeMutableBufferPointer { high in
          guard let low = low.baseAddress, let high = high.baseAddress, let words = words.baseAddress else { return }
          if let validity {
            validity.words.withUnsafeBufferPointer {
              lintel_digest_u64(low, high, words, $0.baseAddress, count, seed)
            }
          } else {
            lintel_digest_u64(low, high, words, nil, count, seed)
          }
        }
      }
    }

    @inline(__always)
    private mutating func addEach(
      _ count: Int, _ validity: Bitmap?, _ digest: (Int) -> (low: UInt64, high: UInt64)
    ) {
      low.withUnsafeMutableBufferPointer { low in
        high.withUnsafeMutableBufferPointer { high in
          for row in 0..<count where validity?[row] ?? true {
            let value = digest(row)
            low[row] &+= value.low
            high[row] &+= value.high
          }
        }
      }
    }

    private mutating func add(
      _ codes: [UInt32], _ table: [(low: UInt64, high: UInt64)], _ count: Int, _ validity: Bitmap?
    ) {
      // A pair of words is laid out as two words.
      table.withUnsafeBytes { table in
        let words = table.bindMemory(to: UInt64.self)
        low.withUnsafeMutableBufferPointer { low in
          high.withUnsafeMutableBufferPointer { high in
            guard let low = low.baseAddress, let high = high.baseAddress, let words = words.baseAddress else { return }
            let entries = table.count / 16
            if let validity {
              validity.words.withUnsafeBufferPointer {
                lintel_digest_codes(low, high, codes, $0.baseAddress, words, entries, count)
              }
            } else {
              lintel_digest_codes(low, high, codes, nil, words, entries, count)
            }
          }
        }
      }
    }

    mutating func add(_ other: Sums, at rows: [UInt32]) {
      for (index, row) in rows.enumerated() where Int(row) < low.count {
        low[Int(row)] &+= other.low[index]
        high[Int(row)] &+= other.high[index]
      }
    }

    func digests() -> [UInt128] {
      zip(low, high).map(RowDigest.stirred)
    }
  }

  /// Lets each half of a sum depend on the other.
  static func stirred(_ low: UInt64, _ high: UInt64) -> UInt128 {
    let first = ByteHash.fold(low ^ 0x9E6C_63D0_876A_3F6B, high ^ 0xD1B5_4A32_D192_ED03)
    return UInt128(first &+ high) &<< 64 | UInt128(low)
  }

  private static func digests(of dictionary: ValueDictionary, seed: UInt64) -> [(low: UInt64, high: UInt64)] {
    var table: [(low: UInt64, high: UInt64)] = []
    table.reserveCapacity(dictionary.count)
    switch dictionary.values {
    case .bytes(let strings): strings.withEach { table.append(ByteHash.digest($1, seed: seed)) }
    case .id128(let ids): for id in ids { table.append(ByteHash.digest(id, seed: seed)) }
    }
    return table
  }
}
