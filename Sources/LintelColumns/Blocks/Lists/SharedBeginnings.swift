/// What lists of integers have in common with lists before them: their first elements.
struct SharedBeginnings {
  /// For each list how many of them back the one stands that it begins like; 0 for none.
  private(set) var distances: [Int64]
  /// For each list with a distance how many elements it has in common.
  private(set) var lengths: [Int64] = []
  /// The other elements of all lists.
  private var rest: [Int64]
  /// Elements had in common.
  private(set) var sharedCount = 0

  /// Beginnings that are remembered, each with the last list that has it.
  static let maximumBeginnings = 1 << 19

  /// Nothing is had in common.
  init(none counts: [Int], elements: [Int64]) {
    distances = Array(repeating: 0, count: counts.count)
    rest = elements
  }

  /// The longest beginnings, of the nearest lists.
  init(of counts: [Int], elements: [Int64]) {
    distances = []
    distances.reserveCapacity(counts.count)
    rest = []
    rest.reserveCapacity(elements.count)
    var table = BeginningTable(count: min(elements.count, Self.maximumBeginnings))
    var starts: [Int] = []
    starts.reserveCapacity(counts.count)
    var start = 0
    for (list, count) in counts.enumerated() {
      let own = elements[start..<start + count]
      starts.append(start)
      var shared = 0
      if let other = table.enter(list, own) {
        let earlier = elements[starts[other]..<starts[other] + counts[other]]
        // Hashes found it; what is really had in common shows here.
        shared = zip(own, earlier).prefix { $0 == $1 }.count
        if shared > 0 { lengths.append(Int64(shared)) }
        distances.append(shared > 0 ? Int64(list - other) : 0)
      } else {
        distances.append(0)
      }
      rest.append(contentsOf: own.dropFirst(shared))
      sharedCount += shared
      start += count
    }
  }

  func write(into out: inout [UInt8]) {
    for values in [distances, lengths, rest] {
      values.withUnsafeBufferPointer { _ = IntegerEncoder.encode($0, effort: .compact, into: &out) }
    }
  }
}

/// Which list was the last to begin in some way: open addressing over the hashes of beginnings.
private struct BeginningTable {
  private struct Slot {
    var hash: UInt64 = 0
    /// The list and 1; 0 in an empty slot.
    var list: UInt32 = 0
  }

  private var slots: [Slot]
  private let mask: Int
  private var room: Int

  init(count: Int) {
    var size = 64
    while size < count * 2 { size *= 2 }
    slots = Array(repeating: Slot(), count: size)
    mask = size - 1
    room = count
  }

  /// Enters the list under all its beginnings; the list before it that had the longest of them comes back.
  mutating func enter(_ list: Int, _ elements: ArraySlice<Int64>) -> Int? {
    var hash = ByteHash.processSeed | 1
    var isKnown = true
    var last: Int?
    let entry = UInt32(truncatingIfNeeded: list &+ 1)
    for element in elements {
      hash = ByteHash.fold(hash ^ UInt64(bitPattern: element), 0x9E37_79B9_7F4A_7C15) &+ 0x2545_F491_4F6C_DD1D
      var slot = Int(truncatingIfNeeded: hash &>> 20) & mask
      while slots[slot].list != 0, slots[slot].hash != hash { slot = (slot &+ 1) & mask }
      if slots[slot].list == 0 {
        isKnown = false
        if room == 0 { break }
        room &-= 1
      } else if isKnown {
        last = Int(slots[slot].list) &- 1
      }
      slots[slot] = Slot(hash: hash, list: entry)
    }
    return last
  }
}
