import LintelColumns

/// Numbers the distinct combinations of group keys: groups are 0, 1, 2 .. in order of appearance on this thread.
///
/// Each key's values are numbered by its interner; then pairs of numbers are numbered, left to right, so that no step
/// hashes more than 64 bits.
final class GroupTable {
  private let keys: [ValueInterner]
  /// `pairs[i]` numbers (combination of the keys up to i, key i + 1).
  private let pairs: [NumberInterner]

  init(keyTypes: [PhysicalType]) {
    keys = keyTypes.map { ValueInterner($0) }
    pairs = keyTypes.dropFirst().map { _ in NumberInterner() }
  }

  var count: Int { pairs.last?.count ?? keys.last?.count ?? 0 }

  var byteCount: Int { keys.reduce(0) { $0 + $1.byteCount } + pairs.reduce(0) { $0 + $1.byteCount } }

  /// The group of every lane.
  func groups(of vectors: [Vector]) -> [UInt32] {
    guard let first = vectors.first, let firstKey = keys.first else { return [] }
    var groups = firstKey.intern(first)
    for index in pairs.indices {
      groups = combine(groups, keys[index + 1].intern(vectors[index + 1]), pairs[index])
    }
    return groups
  }

  private func combine(_ left: [UInt32], _ right: [UInt32], _ pairs: NumberInterner) -> [UInt32] {
    var last: UInt64 = .max
    var number: UInt32 = 0
    return zipLanes(left, right) { left, right in
      let pair = UInt64(left) << 32 | UInt64(right)
      if pair != last {
        last = pair
        number = pairs.intern(pair)
      }
      return number
    }
  }

  /// For each group of `other`, the group of its keys here.
  func merge(_ other: GroupTable) -> [UInt32] {
    guard let firstKey = keys.first, let otherFirst = other.keys.first else { return [0] }
    var mapping = firstKey.merge(otherFirst)
    for index in pairs.indices {
      let keyMapping = keys[index + 1].merge(other.keys[index + 1])
      let source = other.pairs[index]
      let table = pairs[index]
      let lower = mapping
      mapping = makeLanes(source.count) { number in
        let pair = source.values[number]
        let left = lower[Int(pair >> 32)]
        let right = keyMapping[Int(pair & 0xFFFF_FFFF)]
        return table.intern(UInt64(left) << 32 | UInt64(right))
      }
    }
    return mapping
  }

  /// The key values of every group, one vector a key.
  func keyVectors() -> [Vector] {
    var numbers = makeLanes(count) { UInt32(truncatingIfNeeded: $0) }
    var result: [Vector] = []
    for index in pairs.indices.reversed() {
      let table = pairs[index]
      result.append(keys[index + 1].vector(mapLanes(numbers) { UInt32(truncatingIfNeeded: table.values[Int($0)]) }))
      numbers = mapLanes(numbers) { UInt32(truncatingIfNeeded: table.values[Int($0)] >> 32) }
    }
    if let first = keys.first { result.append(first.vector(numbers)) }
    return result.reversed()
  }
}
