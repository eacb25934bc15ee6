/// The sum of a group's integers and how many there are, in one cache line.
struct SumState: BitwiseCopyable {
  var sum: Int128 = 0
  var count: Int64 = 0
}

/// The inner loops of counts and sums.
///
/// Rows of one group come in runs, and adding to one memory cell again and again waits for the store before. With few
/// groups each block therefore adds into four tables in turn, folded at its end.
enum GroupKernels {
  /// Groups up to which four tables pay.
  private static let interleavedGroups = 512
  /// Values below 2^47 in magnitude: a block's sum of them stays within 64 bits.
  private static let narrowBits: UInt64 = 1 << 47

  private struct NarrowState: BitwiseCopyable {
    var sum: Int64
    var count: Int64
  }

  // MARK: Counts

  static func count(
    _ groups: [UInt32], _ validity: [Bool]?, into counts: UnsafeMutablePointer<Int64>, groupCount: Int
  ) {
    groups.withUnsafeBufferPointer { groups in
      withFlags(validity) { valid in
        if groupCount <= interleavedGroups, groups.count >= groupCount {
          countInterleaved(groups, valid, counts, groupCount)
        } else if let valid {
          for lane in 0..<groups.count { counts[Int(groups[lane])] &+= Int64(valid[lane]) }
        } else {
          for lane in 0..<groups.count { counts[Int(groups[lane])] &+= 1 }
        }
      }
    }
  }

  private static func countInterleaved(
    _ groups: UnsafeBufferPointer<UInt32>, _ valid: UnsafePointer<UInt8>?, _ counts: UnsafeMutablePointer<Int64>,
    _ groupCount: Int
  ) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: groupCount * 4) { tables in
      tables.initialize(repeating: 0)
      if let valid {
        for lane in 0..<groups.count { tables[Int(groups[lane]) &* 4 &+ (lane & 3)] &+= UInt32(valid[lane]) }
      } else {
        for lane in 0..<groups.count { tables[Int(groups[lane]) &* 4 &+ (lane & 3)] &+= 1 }
      }
      for group in 0..<groupCount {
        let base = group &* 4
        counts[group] &+= Int64(tables[base] &+ tables[base &+ 1] &+ tables[base &+ 2] &+ tables[base &+ 3])
      }
    }
  }

  static func countValid(_ validity: [Bool]) -> Int64 {
    var count: Int64 = 0
    validity.withUnsafeBytes { valid in for flag in valid { count &+= Int64(flag) } }
    return count
  }

  // MARK: Sums

  static func add(
    _ values: [Int64], _ groups: [UInt32], _ validity: [Bool]?, into states: UnsafeMutablePointer<SumState>,
    groupCount: Int
  ) {
    values.withUnsafeBufferPointer { values in
      groups.withUnsafeBufferPointer { groups in
        withFlags(validity) { valid in
          if groupCount <= interleavedGroups, groups.count >= groupCount, isNarrow(values) {
            addInterleaved(values, groups, valid, states, groupCount)
          } else if let valid {
            for lane in 0..<values.count {
              let state = states + Int(groups[lane])
              state.pointee.sum &+= Int128(values[lane] & (0 &- Int64(valid[lane])))
              state.pointee.count &+= Int64(valid[lane])
            }
          } else {
            for lane in 0..<values.count {
              let state = states + Int(groups[lane])
              state.pointee.sum &+= Int128(values[lane])
              state.pointee.count &+= 1
            }
          }
        }
      }
    }
  }

  private static func isNarrow(_ values: UnsafeBufferPointer<Int64>) -> Bool {
    var bits: UInt64 = 0
    for value in values { bits |= UInt64(bitPattern: value ^ (value >> 63)) }
    return bits < narrowBits
  }

  private static func addInterleaved(
    _ values: UnsafeBufferPointer<Int64>, _ groups: UnsafeBufferPointer<UInt32>, _ valid: UnsafePointer<UInt8>?,
    _ states: UnsafeMutablePointer<SumState>, _ groupCount: Int
  ) {
    withUnsafeTemporaryAllocation(of: NarrowState.self, capacity: groupCount * 4) { tables in
      tables.initialize(repeating: NarrowState(sum: 0, count: 0))
      if let valid {
        for lane in 0..<values.count {
          let slot = Int(groups[lane]) &* 4 &+ (lane & 3)
          tables[slot].sum &+= values[lane] & (0 &- Int64(valid[lane]))
          tables[slot].count &+= Int64(valid[lane])
        }
      } else {
        for lane in 0..<values.count {
          let slot = Int(groups[lane]) &* 4 &+ (lane & 3)
          tables[slot].sum &+= values[lane]
          tables[slot].count &+= 1
        }
      }
      for group in 0..<groupCount {
        for table in group &* 4..<group &* 4 &+ 4 {
          states[group].sum &+= Int128(tables[table].sum)
          states[group].count &+= tables[table].count
        }
      }
    }
  }

  /// The sum of all values: as unsigned numbers above the least integer, upper and lower halves apart, so that 64 bits
  /// suffice for a block and every step is one that vectorises.
  static func sum(_ values: [Int64], _ validity: [Bool]?) -> Int128 {
    let bias: UInt64 = 1 << 63
    var low: UInt64 = 0
    var high: UInt64 = 0
    values.withUnsafeBufferPointer { values in
      withFlags(validity) { valid in
        if let valid {
          for lane in 0..<values.count {
            let value = (UInt64(bitPattern: values[lane]) & (0 &- UInt64(valid[lane]))) ^ bias
            low &+= value & 0xFFFF_FFFF
            high &+= value >> 32
          }
        } else {
          for value in values {
            let biased = UInt64(bitPattern: value) ^ bias
            low &+= biased & 0xFFFF_FFFF
            high &+= biased >> 32
          }
        }
      }
    }
    return (Int128(high) << 32) &+ Int128(low) &- (Int128(values.count) << 63)
  }

  /// Lends the validity as bytes, 1 where valid.
  @inline(__always)
  static func withFlags<R>(_ validity: [Bool]?, _ body: (UnsafePointer<UInt8>?) -> R) -> R {
    guard let validity else { return body(nil) }
    return validity.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: UInt8.self)) }
  }
}
