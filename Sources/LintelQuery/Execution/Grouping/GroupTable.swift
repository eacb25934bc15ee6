internal import CLintelKernels
import LintelColumns

/// Numbers the distinct combinations of group keys: groups are 0, 1, 2 .. in order of appearance on this thread.
///
/// Each key's values are numbered by its interner; then pairs of numbers are numbered, left to right, so that no step
/// hashes more than 64 bits. A single key may number the whole of a dictionary: then groups are marked when a row has them,
/// and those without are none.
final class GroupTable {
  private let keys: [ValueInterner]
  /// `pairs[i]` numbers (combination of the keys up to i, key i + 1).
  private let pairs: [PairInterner]
  /// 1 for groups that rows have; `nil` while all are such.
  private var marks: StateBuffer<UInt8>?

  private let interrupt: Interrupt

  init(keyTypes: [PhysicalType], _ interrupt: Interrupt = .never) {
    self.interrupt = interrupt
    keys = keyTypes.map { ValueInterner($0, interrupt) }
    pairs = keyTypes.dropFirst().map { _ in PairInterner(interrupt) }
  }

  /// Numbers given, to groups without rows as well.
  var count: Int { pairs.last?.count ?? keys.last?.count ?? 0 }

  /// Groups that rows have.
  var presentCount: Int {
    guard let marks else { return count }
    marks.grow(count)
    return Int(lintel_count_flags(marks.pointer, count))
  }

  var byteCount: Int {
    keys.reduce(0) { $0 + $1.byteCount } + pairs.reduce(0) { $0 + $1.byteCount } + (marks?.byteCount ?? 0)
  }

  /// Makes room for every group: merging from this then changes nothing in it.
  func settle() { marks?.grow(count) }

  /// The groups that rows have, ascending.
  func present() throws(ExecutionFailure) -> [UInt32] {
    guard let marks else { return try interrupt.makeLanes(count) { UInt32(truncatingIfNeeded: $0) } }
    marks.grow(count)
    return selectTrue(try interrupt.makeLanes(count) { marks[$0] != 0 }, validity: nil, base: nil)
  }

  /// The group of every lane.
  ///
  /// - Parameter expectedRows: about how many lanes will come in all.
  func groups(of vectors: [Vector], expectedRows: Int) -> [UInt32] {
    guard let first = vectors.first, let firstKey = keys.first else { return [] }
    var groups = firstKey.intern(first, expectedRows: expectedRows)
    for index in pairs.indices {
      let right = keys[index + 1].intern(vectors[index + 1], expectedRows: expectedRows)
      groups = pairs[index].intern(groups, right, rightCount: keys[index + 1].count)
    }
    if pairs.isEmpty { mark(groups, firstKey) }
    return groups
  }

  private func mark(_ groups: [UInt32], _ key: ValueInterner) {
    if marks == nil, key.numbersAreCodes { marks = StateBuffer(0) }
    guard let marks else { return }
    marks.grow(count)
    let pointer = marks.pointer
    if count <= 64 {
      let used = ScanKernels.members(groups)
      for group in 0..<count where used >> UInt64(group) & 1 != 0 { pointer[group] = 1 }
      return
    }
    groups.withUnsafeBufferPointer { groups in for group in groups { pointer[Int(group)] = 1 } }
  }

  /// For each group of `other`, the group of its keys here.
  func merge(_ other: GroupTable) throws(ExecutionFailure) -> [UInt32] {
    guard let firstKey = keys.first, let otherFirst = other.keys.first else { return [0] }
    let before = count
    var mapping = try firstKey.merge(otherFirst)
    for index in pairs.indices {
      let keyMapping = try keys[index + 1].merge(other.keys[index + 1])
      mapping = try pairs[index].merge(other.pairs[index], mapping, keyMapping)
    }
    try mergeMarks(other, mapping, before: before)
    return mapping
  }

  private func mergeMarks(_ other: GroupTable, _ mapping: [UInt32], before: Int) throws(ExecutionFailure) {
    guard marks != nil || other.marks != nil else { return }
    let own = marks ?? StateBuffer(0)
    own.grow(count)
    if marks == nil { for group in 0..<before { own[group] = 1 } }
    marks = own
    other.marks?.grow(other.count)
    let theirs = other.marks
    try interrupt.forEachStretch(of: mapping.count) { stretch in
      for group in stretch where theirs.map({ $0[group] != 0 }) ?? true { own[Int(mapping[group])] = 1 }
    }
  }

  /// The key values of some groups, one vector a key.
  func keyVectors(of groups: [UInt32]) -> [Vector] {
    var numbers = groups
    var result: [Vector] = []
    for index in pairs.indices.reversed() {
      let (left, right) = pairs[index].parts(numbers)
      result.append(keys[index + 1].vector(right))
      numbers = left
    }
    if let first = keys.first { result.append(first.vector(numbers)) }
    return result.reversed()
  }
}
