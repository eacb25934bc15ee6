import CLintelKernels

/// Swift's face of the C kernels that scans use. Lanes of `Bool` are bytes 0 and 1, as C reads them.
enum ScanKernels {
  /// Lanes that ``select(_:_:into:)`` may write beyond the last.
  static let selectionSlack = 16

  /// Writes the indices of the true valid lanes; how many. `out` has room for every lane and the slack.
  static func select(_ flags: [Bool], _ validity: [Bool]?, into out: UnsafeMutablePointer<UInt32>) -> Int {
    flags.withUnsafeBytes { flags in
      guard let base = flags.bytes else { return 0 }
      return withBytes(validity) { lintel_select(base, $0, flags.count, out) }
    }
  }

  /// `values` at `rows`.
  @inline(__always)
  static func gather<Lane: BitwiseCopyable>(
    _ values: UnsafeBufferPointer<Lane>, _ rows: UnsafeBufferPointer<UInt32>, into out: UnsafeMutableBufferPointer<Lane>
  ) {
    guard let places = rows.baseAddress, let from = UnsafeRawPointer(values.baseAddress),
      let to = UnsafeMutableRawPointer(out.baseAddress)
    else { return }
    let count = rows.count
    switch MemoryLayout<Lane>.stride {
    case 1:
      lintel_gather_u8(from.assumingMemoryBound(to: UInt8.self), places, count, to.assumingMemoryBound(to: UInt8.self))
    case 4:
      lintel_gather_u32(
        from.assumingMemoryBound(to: UInt32.self), places, count, to.assumingMemoryBound(to: UInt32.self))
    case 8:
      lintel_gather_u64(
        from.assumingMemoryBound(to: UInt64.self), places, count, to.assumingMemoryBound(to: UInt64.self))
    default: for index in 0..<count { out[index] = values[Int(places[index])] }
    }
  }

  /// Lanes `value R constant`, the relations in the order = <> < <= > >=.
  static func compare(_ values: [Int64], _ relation: ScalarFunction, _ constant: Int64) -> [Bool] {
    let number: Int32 =
      switch relation {
      case .equal: 0
      case .notEqual: 1
      case .less: 2
      case .lessOrEqual: 3
      case .greater: 4
      default: 5
      }
    return flags(values) { lintel_compare_i64($0, values.count, constant, number, $1) }
  }

  static func equal(_ codes: [UInt32], _ code: UInt32) -> [Bool] {
    flags(codes) { lintel_equal_u32($0, codes.count, code, $1) }
  }

  /// Bit `code` of `members`, of at most 64 codes; the last where a lane is null or its code greater.
  static func isMember(_ codes: [UInt32], _ validity: [Bool]?, _ members: UInt64, last: UInt32) -> [Bool] {
    withBytes(validity) { valid in
      flags(codes) { lintel_member_u32($0, valid, codes.count, members, last, $1) }
    }
  }

  private static func flags<Lane>(
    _ lanes: [Lane], _ body: (UnsafePointer<Lane>, UnsafeMutablePointer<UInt8>) -> Void
  ) -> [Bool] {
    [Bool](unsafeUninitializedCapacity: lanes.count) { out, initialized in
      lanes.withUnsafeBufferPointer { lanes in
        guard let base = lanes.baseAddress, let raw = UnsafeMutableRawPointer(out.baseAddress) else { return }
        body(base, raw.assumingMemoryBound(to: UInt8.self))
      }
      initialized = lanes.count
    }
  }

  /// The codes, with `last` where a lane is null or its code greater.
  static func clamp(_ codes: [UInt32], _ validity: [Bool], last: UInt32) -> [UInt32] {
    lanes(codes) { codes, out in
      withBytes(validity) { lintel_clamp_u32(codes.baseAddress, $0, codes.count, last, out) }
    }
  }

  static func greatest(_ codes: [UInt32]) -> UInt32 {
    codes.withUnsafeBufferPointer { codes in codes.baseAddress.map { lintel_max_u32($0, codes.count) } ?? 0 }
  }

  /// Bit `code` is set for each of the codes, which are below 64.
  static func members(_ codes: [UInt32]) -> UInt64 {
    codes.withUnsafeBufferPointer { codes in codes.baseAddress.map { lintel_members_u32($0, codes.count) } ?? 0 }
  }

  static func sum(_ values: [Int64], _ validity: [Bool]?) -> Int128 {
    var high: Int64 = 0
    var low: UInt64 = 0
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      withBytes(validity) { lintel_sum_i64(base, $0, values.count, &high, &low) }
    }
    return Int128(high) << 32 &+ Int128(low)
  }

  static func countTrue(_ flags: [Bool]) -> Int64 {
    flags.withUnsafeBytes { flags in
      flags.bytes.map { Int64(truncatingIfNeeded: lintel_count_flags($0, flags.count)) } ?? 0
    }
  }

  /// The least of the valid lanes' bits after XOR with `flip`; all ones of none.
  static func least(_ values: [Int64], _ validity: [Bool]?, flip: UInt64) -> UInt64 {
    values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return .max }
      return withBytes(validity) { lintel_min_flipped_u64(base, $0, values.count, flip) }
    }
  }

  /// No value is greater than this or less than its complement.
  static func magnitude(_ values: [Int64]) -> UInt64 {
    values.withUnsafeBufferPointer { values in
      values.baseAddress.map { lintel_magnitude_i64($0, values.count) } ?? 0
    }
  }

  /// Starts of the buckets of times between `base`, the start of one, and `limit`, less than 2^51 ns later.
  static func timeBuckets(_ times: [Int64], base: Int64, limit: Int64, width: Int64) -> [Int64] {
    lanes(times) { times, out in
      lintel_time_bucket(times.baseAddress, times.count, base, limit, width, 1 / Double(width), out)
    }
  }

  private static func lanes<Lane>(
    _ lanes: [Lane], _ body: (UnsafeBufferPointer<Lane>, UnsafeMutablePointer<Lane>) -> Void
  ) -> [Lane] {
    [Lane](unsafeUninitializedCapacity: lanes.count) { out, initialized in
      lanes.withUnsafeBufferPointer { lanes in
        if let start = out.baseAddress, !lanes.isEmpty { body(lanes, start) }
      }
      initialized = lanes.count
    }
  }

  static func withBytes<Result>(_ flags: [Bool]?, _ body: (UnsafePointer<UInt8>?) -> Result) -> Result {
    guard let flags else { return body(nil) }
    return flags.withUnsafeBytes { body($0.bytes) }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate var bytes: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}
