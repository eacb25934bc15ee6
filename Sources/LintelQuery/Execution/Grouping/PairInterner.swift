/// Numbers pairs of numbers in order of appearance: by a table of all pairs while those are few, else by hashing.
final class PairInterner {
  /// Entries of the table at most: it stays in the second-level cache.
  private static let tableLimit = 1 << 16
  private static let unknown = UInt32.max

  private let pairs: NumberInterner
  private let interrupt: Interrupt
  /// The number of (left, right) at `left << shift | right`.
  private var table: [UInt32] = []
  private var shift: UInt32 = 0
  private var usesTable = true

  init(_ interrupt: Interrupt = .never) {
    self.interrupt = interrupt
    pairs = NumberInterner(interrupt)
  }

  var count: Int { pairs.count }

  var byteCount: Int { pairs.byteCount + table.count * 4 }

  /// - Parameter rightCount: above every number in `right`.
  func intern(_ left: [UInt32], _ right: [UInt32], rightCount: Int) -> [UInt32] {
    guard prepare(leftCount: Int(ScanKernels.greatest(left)) + 1, rightCount: rightCount) else {
      return hashed(left, right)
    }
    var greatest: UInt32 = 0
    let shift = shift
    var numbers = table.withUnsafeBufferPointer { table in
      zipLanes(left, right) { left, right in
        let number = table[Int(left << shift | right)]
        greatest = max(greatest, number)
        return number
      }
    }
    guard greatest == Self.unknown else { return numbers }
    for lane in numbers.indices where numbers[lane] == Self.unknown {
      let place = Int(left[lane] << shift | right[lane])
      if table[place] == Self.unknown { table[place] = pairs.intern(Self.pair(left[lane], right[lane])) }
      numbers[lane] = table[place]
    }
    return numbers
  }

  /// Makes the table large enough, if it may be; else it is given up for good.
  private func prepare(leftCount: Int, rightCount: Int) -> Bool {
    guard usesTable else { return false }
    let bits = UInt32(truncatingIfNeeded: Int.bitWidth - max(rightCount - 1, 1).leadingZeroBitCount)
    if bits <= shift, leftCount << Int(shift) <= table.count { return true }
    let newShift = max(shift, bits)
    guard leftCount <= Self.tableLimit, newShift <= 16, leftCount << Int(newShift) <= Self.tableLimit else {
      return giveUp()
    }
    shift = newShift
    var size = 256
    while size < leftCount << Int(newShift) { size *= 2 }
    table = Array(repeating: Self.unknown, count: size)
    for number in 0..<pairs.count {
      let place = (pairs.values[number] >> 32) << UInt64(newShift) | pairs.values[number] & 0xFFFF_FFFF
      guard place < UInt64(size) else { return giveUp() }
      table[Int(place)] = UInt32(truncatingIfNeeded: number)
    }
    return true
  }

  private func giveUp() -> Bool {
    table = []
    usesTable = false
    return false
  }

  private func hashed(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
    var last: UInt64 = .max
    var number: UInt32 = 0
    let pairs = pairs
    return zipLanes(left, right) { left, right in
      let pair = Self.pair(left, right)
      if pair != last {
        last = pair
        number = pairs.intern(pair)
      }
      return number
    }
  }

  @inline(__always)
  private static func pair(_ left: UInt32, _ right: UInt32) -> UInt64 { UInt64(left) << 32 | UInt64(right) }

  /// For each pair of `other`, whose parts have the numbers `left` and `right` here, the number here.
  func merge(
    _ other: PairInterner, _ left: [UInt32], _ right: [UInt32]
  ) throws(ExecutionFailure) -> [UInt32] {
    _ = giveUp()
    let (source, pairs) = (other.pairs, pairs)
    return try interrupt.makeLanes(source.count) { number in
      let pair = source.values[number]
      return pairs.intern(Self.pair(left[Int(pair >> 32)], right[Int(pair & 0xFFFF_FFFF)]))
    }
  }

  /// The parts of the pairs `numbers`.
  func parts(_ numbers: [UInt32]) -> (left: [UInt32], right: [UInt32]) {
    let pairs = pairs
    return (
      mapLanes(numbers) { UInt32(truncatingIfNeeded: pairs.values[Int($0)] >> 32) },
      mapLanes(numbers) { UInt32(truncatingIfNeeded: pairs.values[Int($0)]) }
    )
  }
}
