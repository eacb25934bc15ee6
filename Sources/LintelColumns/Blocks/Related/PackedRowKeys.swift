/// ``RowKeys`` as they are kept while many columns are written or read by them: numbers of runs as the rows where they
/// begin, up to 256 keys in a byte a row.
public struct PackedRowKeys: Sendable {
  private enum Form {
    case starts([UInt16])
    case bytes([UInt8])
    case words([UInt16])
  }

  private let form: Form
  private let rowCount: Int
  private let count: Int

  /// - Parameter kind: How the keys were made.
  public init(_ keys: RowKeys, _ kind: BlockReference.Kind) {
    rowCount = keys.keys.count
    count = keys.count
    if kind == .runs, !keys.keys.isEmpty {
      form = .starts(Self.starts(keys))
    } else if count <= 1 << 8 {
      form = .bytes(Self.bytes(keys.keys))
    } else {
      form = .words(keys.keys)
    }
  }

  /// Bytes of memory, roughly.
  public var byteCount: Int {
    switch form {
    case .starts(let starts): 2 * starts.count
    case .bytes(let bytes): bytes.count
    case .words(let words): 2 * words.count
    }
  }

  public var keys: RowKeys {
    switch form {
    case .words(let words): return RowKeys(words, count: count)
    case .bytes(let bytes):
      let keys = [UInt16](unsafeUninitializedCapacity: rowCount) { keys, initialized in
        bytes.withUnsafeBufferPointer { bytes in
          for row in 0..<bytes.count { keys[row] = UInt16(bytes[row]) }
        }
        initialized = bytes.count
      }
      return RowKeys(keys, count: count)
    case .starts(let starts): return RowKeys(spread(starts), count: count)
    }
  }

  /// Numbers the rows of each run. A run is written sixteen rows at a time; what is too much, the next one overwrites.
  private func spread(_ starts: [UInt16]) -> [UInt16] {
    typealias Lanes = SIMD16<UInt16>
    return [UInt16](unsafeUninitializedCapacity: rowCount + Lanes.scalarCount) { keys, initialized in
      let target = UnsafeMutableRawBufferPointer(keys)
      for run in 0..<starts.count {
        let end = run + 1 < starts.count ? Int(starts[run + 1]) : rowCount
        let lanes = Lanes(repeating: UInt16(truncatingIfNeeded: run))
        var row = Int(starts[run])
        while row < end {
          target.storeBytes(of: lanes, toByteOffset: 2 &* row, as: Lanes.self)
          row &+= Lanes.scalarCount
        }
      }
      initialized = rowCount
    }
  }

  private static func bytes(_ keys: [UInt16]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: keys.count) { bytes, initialized in
      keys.withUnsafeBufferPointer { keys in
        for row in 0..<keys.count { bytes[row] = UInt8(truncatingIfNeeded: keys[row]) }
      }
      initialized = keys.count
    }
  }

  /// The first row of each run.
  private static func starts(_ keys: RowKeys) -> [UInt16] {
    var starts: [UInt16] = []
    starts.reserveCapacity(keys.count)
    starts.append(0)
    keys.keys.withUnsafeBufferPointer { keys in
      for row in 1..<max(1, keys.count) where keys[row] != keys[row &- 1] {
        starts.append(UInt16(truncatingIfNeeded: row))
      }
    }
    return starts
  }
}
