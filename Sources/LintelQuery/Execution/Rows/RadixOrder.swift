/// Stable order of 64-bit keys: least significant byte first, bytes that are the same in all keys skipped.
enum RadixOrder {
  private struct Item {
    var key: UInt64
    var index: UInt32
  }

  /// Few keys are sorted by comparing.
  private static let comparisonLimit = 512

  /// Indices of the keys in ascending order; equal keys stay in theirs.
  static func order(_ keys: [UInt64]) -> [UInt32] {
    if keys.count <= comparisonLimit {
      let indices = makeLanes(keys.count) { UInt32(truncatingIfNeeded: $0) }
      return indices.sorted { (keys[Int($0)], $0) < (keys[Int($1)], $1) }
    }
    var items = makeLanes(keys.count) { Item(key: keys[$0], index: UInt32(truncatingIfNeeded: $0)) }
    var other = items
    var differing: UInt64 = 0
    for key in keys { differing |= key ^ keys[0] }
    for byte in 0..<8 where differing >> UInt64(byte * 8) & 0xFF != 0 {
      pass(items, into: &other, shift: UInt64(byte * 8))
      swap(&items, &other)
    }
    return mapLanes(items) { $0.index }
  }

  private static func pass(_ items: [Item], into out: inout [Item], shift: UInt64) {
    withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { places in
      places.initialize(repeating: 0)
      items.withUnsafeBufferPointer { items in
        for item in items { places[Int(item.key >> shift & 0xFF)] &+= 1 }
        var next = 0
        for digit in 0..<256 {
          let count = places[digit]
          places[digit] = next
          next &+= count
        }
        out.withUnsafeMutableBufferPointer { out in
          for item in items {
            let digit = Int(item.key >> shift & 0xFF)
            out[places[digit]] = item
            places[digit] &+= 1
          }
        }
      }
    }
  }
}
