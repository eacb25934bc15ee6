internal import LintelColumns

/// Sends rows to shards by the value of the table's shard key column. Null goes to the first shard.
enum ShardSplit {
  /// The rows of each shard, ascending.
  static func rows(of batch: Batch, shardCount: Int) -> [[UInt32]] {
    let vector = batch.columns[batch.schema.shardKey]
    let hashes = hashes(vector)
    var rows = Array(repeating: [UInt32](), count: shardCount)
    for row in 0..<batch.rowCount {
      let hash = vector.isValid(row) ? hashes(row) : 0
      rows[Int(hash % UInt64(shardCount))].append(UInt32(truncatingIfNeeded: row))
    }
    return rows
  }

  private static func hashes(_ vector: ColumnVector) -> (Int) -> UInt64 {
    switch vector.storage {
    case .int64(let lanes): return { mix(UInt64(bitPattern: lanes[$0])) }
    case .float64(let lanes): return { mix(lanes[$0].bitPattern) }
    case .bool(let lanes): return { lanes[$0] ? 1 : 0 }
    case .id128(let lanes): return { mix(UInt64(truncatingIfNeeded: lanes[$0] ^ lanes[$0] >> 64)) }
    case .bytes(let strings): return { hash(strings[$0]) }
    case .codes(let codes, let dictionary):
      let entries: [UInt64]
      switch dictionary.values {
      case .bytes(let strings): entries = (0..<strings.count).map { hash(strings[$0]) }
      case .id128(let ids): entries = ids.map { mix(UInt64(truncatingIfNeeded: $0 ^ $0 >> 64)) }
      }
      return { Int(codes[$0]) < entries.count ? entries[Int(codes[$0])] : 0 }
    }
  }

  /// FNV-1a, mixed: the same on every machine, so that a tenant stays in its shard.
  private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return mix(hash)
  }

  private static func mix(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ value >> 33) &* 0xff51_afd7_ed55_8ccd
    value = (value ^ value >> 33) &* 0xc4ce_b9fe_1a85_ec53
    return value ^ value >> 33
  }
}
