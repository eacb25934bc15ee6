import LintelColumns

/// Exact sums of doubles, one per group: fixed-point accumulators of signed 32-bit digits in 64-bit lanes.
///
/// A group's lanes cover a window of 256 bits around its first value; values outside it go to a full accumulator that few
/// groups ever need. Digit 0 weighs 2^-1074.
struct ExactSums {
  private static let window = 8
  /// Room for the highest window whole: its last lane holds the sign of a negative sum once carried.
  private static let fullDigits = 72
  /// Additions between carries: lanes hold sums of digits below 2^32.
  private static let carryInterval = 1 << 28

  private var lanes: [Int64] = []
  /// First digit of each group's window, -1 before the first value.
  private var bases: [Int16] = []
  private var overflowed: [Int: [Int64]] = [:]
  /// Bit 0: NaN; bit 1: infinity; bit 2: -infinity.
  private var specials: [UInt8] = []
  private var pending = 0

  var byteCount: Int { bases.count * (Self.window * 8 + 3) + overflowed.count * Self.fullDigits * 8 }

  mutating func resize(_ groups: Int) {
    guard groups > bases.count else { return }
    lanes += repeatElement(0, count: groups * Self.window - lanes.count)
    bases += repeatElement(-1, count: groups - bases.count)
    specials += repeatElement(0, count: groups - specials.count)
  }

  mutating func add(_ value: Double, to group: Int) {
    let bits = value.bitPattern
    let biased = Int(bits >> 52 & 0x7FF)
    if biased == 0x7FF {
      specials[group] |= value.isNaN ? 1 : value > 0 ? 2 : 4
      return
    }
    let mantissa = bits & (1 << 52 - 1) | (biased == 0 ? 0 : 1 << 52)
    if mantissa == 0 { return }
    let place = max(biased, 1) - 1
    add(mantissa, digit: place >> 5, shift: UInt64(place & 31), isNegative: bits >> 63 != 0, to: group)
  }

  private mutating func add(_ mantissa: UInt64, digit: Int, shift: UInt64, isNegative: Bool, to group: Int) {
    pending += 1
    if pending >= Self.carryInterval { carry() }
    let sign: Int64 = isNegative ? -1 : 1
    let low = Int64(mantissa << shift & 0xFFFF_FFFF) * sign
    let middle = Int64(mantissa >> (32 - shift) & 0xFFFF_FFFF) * sign
    let high = Int64(shift == 0 ? 0 : mantissa >> (64 - shift)) * sign
    if bases[group] < 0 { bases[group] = Int16(max(0, digit - 2)) }
    let local = digit - Int(bases[group])
    if local >= 0, local < Self.window - 3 {
      let index = group * Self.window + local
      lanes[index] &+= low
      lanes[index + 1] &+= middle
      lanes[index + 2] &+= high
    } else {
      var full = overflowed[group] ?? Array(repeating: 0, count: Self.fullDigits)
      full[digit] &+= low
      full[digit + 1] &+= middle
      full[digit + 2] &+= high
      overflowed[group] = full
    }
  }

  /// Adds every valid value to its group, or to group 0 where there are none. The loop handles what lies in the windows; the
  /// little that doesn't goes by ``add(_:to:)`` afterwards, and the sum is exact in any order.
  mutating func add(_ values: [Double], _ validity: [Bool]?, _ groups: [UInt32]?) {
    guard values.count < Self.carryInterval else {
      for lane in values.indices where validity?[lane] ?? true {
        add(values[lane], to: groups.map { Int($0[lane]) } ?? 0)
      }
      return
    }
    if pending + values.count >= Self.carryInterval { carry() }
    pending += values.count
    var (lanes, bases) = ([Int64](), [Int16]())
    swap(&lanes, &self.lanes)
    swap(&bases, &self.bases)
    var others: [Int] = []
    lanes.withUnsafeMutableBufferPointer { lanes in
      bases.withUnsafeMutableBufferPointer { bases in
        values.withUnsafeBufferPointer { values in
          if let groups {
            groups.withUnsafeBufferPointer { groups in
              Self.add(values, validity, lanes, bases, &others) { Int(groups[$0]) }
            }
          } else {
            Self.add(values, validity, lanes, bases, &others) { _ in 0 }
          }
        }
      }
    }
    swap(&lanes, &self.lanes)
    swap(&bases, &self.bases)
    for lane in others { add(values[lane], to: groups.map { Int($0[lane]) } ?? 0) }
  }

  /// Adds to the windows; `others` gets the lanes of infinities, of NaN, and of what a window doesn't cover.
  @inline(__always)
  private static func add(
    _ values: UnsafeBufferPointer<Double>, _ validity: [Bool]?, _ lanes: UnsafeMutableBufferPointer<Int64>,
    _ bases: UnsafeMutableBufferPointer<Int16>, _ others: inout [Int], _ group: (Int) -> Int
  ) {
    for lane in 0..<values.count where validity?[lane] ?? true {
      let bits = values[lane].bitPattern
      let biased = Int(truncatingIfNeeded: bits &>> 52) & 0x7FF
      let mantissa = bits & (1 << 52 - 1) | (biased == 0 ? 0 : 1 << 52)
      // Zero has no place: a window around it would be of no use to the values that follow.
      if mantissa == 0 { continue }
      let group = group(lane)
      let place = max(biased, 1) &- 1
      let (digit, shift) = (place &>> 5, UInt64(truncatingIfNeeded: place & 31))
      var base = Int(bases[group])
      if base < 0, biased != 0x7FF {
        base = max(0, digit &- 2)
        bases[group] = Int16(truncatingIfNeeded: base)
      }
      let local = digit &- base
      guard biased != 0x7FF, local >= 0, local < Self.window &- 3 else {
        others.append(lane)
        continue
      }
      let index = group &* Self.window &+ local
      // All ones where the value is negative: then the digits are subtracted.
      let sign = Int64(bitPattern: bits) &>> 63
      let low = Int64(bitPattern: mantissa &<< shift & 0xFFFF_FFFF)
      let middle = Int64(bitPattern: mantissa &>> (32 &- shift) & 0xFFFF_FFFF)
      let high = Int64(bitPattern: (mantissa &>> 32) &>> (32 &- shift))
      lanes[index] &+= (low ^ sign) &- sign
      lanes[index &+ 1] &+= (middle ^ sign) &- sign
      lanes[index &+ 2] &+= (high ^ sign) &- sign
    }
  }

  /// Brings every lane but the last of each window below 2^32.
  private mutating func carry() {
    pending = 0
    for group in bases.indices { Self.carry(&lanes, group * Self.window, Self.window) }
    for (group, var full) in overflowed {
      Self.carry(&full, 0, full.count)
      overflowed[group] = full
    }
  }

  private static func carry(_ lanes: inout [Int64], _ start: Int, _ count: Int) {
    for index in start..<start + count - 1 {
      let excess = lanes[index] >> 32
      lanes[index] &= 0xFFFF_FFFF
      lanes[index + 1] &+= excess
    }
  }

  mutating func merge(
    _ other: ExactSums, mapping: [UInt32], _ interrupt: Interrupt = .never
  ) throws(ExecutionFailure) {
    // Each lane gets one carried digit more.
    pending += 1
    if pending >= Self.carryInterval { carry() }
    var digits = Array(repeating: Int64(0), count: Self.window)
    for (group, base) in other.bases.enumerated() {
      try interrupt.check(atStep: group)
      let target = Int(mapping[group])
      specials[target] |= other.specials[group]
      if base >= 0 {
        for index in 0..<Self.window { digits[index] = other.lanes[group * Self.window + index] }
        Self.carry(&digits, 0, Self.window)
        if bases[target] < 0 { bases[target] = base }
        if bases[target] == base {
          for index in 0..<Self.window { lanes[target * Self.window + index] &+= digits[index] }
        } else {
          add(digits.prefix(Self.fullDigits - Int(base)), from: Int(base), to: target)
        }
      }
      if var rest = other.overflowed[group] {
        Self.carry(&rest, 0, rest.count)
        add(rest[...], from: 0, to: target)
      }
    }
  }

  /// Adds digits to a group's full accumulator.
  private mutating func add(_ digits: ArraySlice<Int64>, from first: Int, to group: Int) {
    var full = overflowed[group] ?? Array(repeating: 0, count: Self.fullDigits)
    for (index, digit) in digits.enumerated() { full[first + index] &+= digit }
    overflowed[group] = full
  }

  // MARK: Putting sums aside

  /// Base and specials of a group, its window, and its full accumulator or nothing.
  static let stateTypes: [PhysicalType] = [.int64, .bytes, .bytes]

  /// Makes the lanes what ``restore(_:from:)`` takes.
  mutating func seal(_ interrupt: Interrupt) throws(ExecutionFailure) {
    pending = 0
    for group in bases.indices {
      try interrupt.check(atStep: group)
      Self.carry(&lanes, group * Self.window, Self.window)
    }
    for (group, var full) in overflowed {
      Self.carry(&full, 0, full.count)
      overflowed[group] = full
    }
  }

  func states(of groups: [UInt32]) -> [Vector] {
    var windows = ByteStrings()
    var full = ByteStrings()
    for group in groups {
      let start = Int(group) * Self.window
      windows.append(bases[Int(group)] < 0 ? [] : Array(lanes[start..<start + Self.window]).memory)
      full.append(overflowed[Int(group)]?.memory ?? [])
    }
    let heads = mapLanes(groups) { Int64(bases[Int($0)]) << 8 | Int64(specials[Int($0)]) }
    return [Vector(.int64(heads)), Vector(.bytes(windows)), Vector(.bytes(full))]
  }

  /// Takes in what ``states(of:)`` gave, in the columns from `column` on. False when they can't be that.
  mutating func restore(_ rows: StateRows, from column: Int) -> Bool {
    guard let heads = rows.integers(column), let windows = rows.bytes(column + 1), let full = rows.bytes(column + 2)
    else { return false }
    resize(heads.count)
    for group in heads.indices {
      let base = heads[group] >> 8
      guard (-1..<Int64(Self.fullDigits)).contains(base), let own = [Int64](memory: windows[group]),
        own.count == (base < 0 ? 0 : Self.window), Self.isCarried(own),
        let rest = [Int64](memory: full[group]), rest.isEmpty || rest.count == Self.fullDigits, Self.isCarried(rest)
      else { return false }
      bases[group] = Int16(base)
      specials[group] = UInt8(truncatingIfNeeded: heads[group])
      for (index, lane) in own.enumerated() { lanes[group * Self.window + index] = lane }
      if !rest.isEmpty { overflowed[group] = rest }
    }
    return true
  }

  private static func isCarried(_ lanes: [Int64]) -> Bool {
    lanes.dropLast().allSatisfy { $0 >> 32 == 0 } && (lanes.last ?? 0).magnitude < 1 << 61
  }

  /// The exact sum in units of 2^-1074.
  func exact(_ group: Int) -> BigInteger {
    var full = overflowed[group] ?? Array(repeating: 0, count: Self.fullDigits)
    let base = Int(bases[group])
    if base >= 0 {
      for index in 0..<Self.window where base + index < full.count {
        full[base + index] &+= lanes[group * Self.window + index]
      }
    }
    return BigInteger(carrying: full)
  }

  /// NaN or an infinity when one takes part.
  func special(_ group: Int) -> Double? {
    switch specials[group] {
    case 0: nil
    case 2: .infinity
    case 4: -.infinity
    default: .nan
    }
  }

  func sum(_ group: Int) -> Double { special(group) ?? exact(group).rounded(exponent: -1074) }
}
