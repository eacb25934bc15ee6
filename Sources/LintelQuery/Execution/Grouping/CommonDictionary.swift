import LintelColumns
import LintelStorage

/// One dictionary in the place of several that the segments of a query have for a key, or have none: codes of the largest
/// stay what they are, other values are looked up. Then groups are numbered by codes, as they are in a single part, and no
/// thread hashes a million identifiers because a few thousand came in since the last merge.
///
/// Only what isn't in the largest dictionary's segments is hashed; that dictionary is gone through once, to see what of it
/// they have.
final class CommonDictionary: @unchecked Sendable {
  private let largest: ValueDictionary
  private let all: ValueDictionary
  /// The codes here of each smaller dictionary's entries.
  private let codes: [ObjectIdentifier: [UInt32]]
  /// The values outside the largest dictionary's segments; only read once this is made.
  private let values: WideValues
  /// The code here of each of them.
  private let codesOfValues: [UInt32]

  /// Fewer entries are as quickly hashed.
  private static let worthwhile = 1 << 12

  /// What a key's values are kept in.
  struct Sources {
    var dictionaries: [ValueDictionary] = []
    /// Blocks that have no dictionary, by segment and number, and their rows.
    var plain: [(segment: Int, block: Int)] = []
    var plainRows = 0
    /// Rows that are to be grouped.
    var rows = 0
  }

  /// `nil` where it doesn't pay: there is but one dictionary, the others are no smaller, or hashing the values that occur
  /// is less.
  init?(
    _ sources: Sources, _ query: QueryContext, read: (_ segment: Int, _ block: Int) throws(ExecutionFailure) -> Vector
  ) throws(ExecutionFailure) {
    var distinct: [ObjectIdentifier: ValueDictionary] = [:]
    for dictionary in sources.dictionaries { distinct[ObjectIdentifier(dictionary)] = dictionary }
    guard let largest = distinct.values.max(by: { $0.count < $1.count }), distinct.count > 1 || sources.plainRows > 0
    else { return nil }
    distinct[ObjectIdentifier(largest)] = nil
    let others = distinct.values.reduce(0) { $0 + $1.count }
    let pays =
      largest.count >= Self.worthwhile && others <= largest.count && sources.plainRows <= 2 * largest.count
      && largest.count + others <= sources.rows
    guard pays || query.options.alwaysSharesDictionaries else { return nil }
    self.largest = largest

    values = WideValues(largest.physicalType, query.interrupt)
    var entries: [ObjectIdentifier: [UInt32]] = [:]
    for (identity, dictionary) in distinct { entries[identity] = try values.intern(dictionary, query.interrupt) }
    for (segment, block) in sources.plain {
      try query.check()
      values.intern(try read(segment, block))
    }
    try query.check()
    var final = try values.codes(in: largest, query)
    let added = final.indices.filter { final[$0] == IdentifierTable.none }
    for (index, entry) in added.enumerated() { final[entry] = UInt32(truncatingIfNeeded: largest.count + index) }
    codes = entries.mapValues { entries in mapLanes(entries) { final[Int($0)] } }
    codesOfValues = final
    all = largest.appending(values.lanes(added.map { UInt32(truncatingIfNeeded: $0) }))
    try query.reserve(byteCount)
  }

  private var byteCount: Int {
    let copied =
      switch all.values {
      case .id128(let ids): ids.count * 16
      case .bytes(let strings): strings.bytes.count + strings.offsets.count * 4
      }
    return copied + values.byteCount + codesOfValues.count * 4 + codes.values.reduce(0) { $0 + $1.count * 4 }
  }

  /// The same values by codes of the common dictionary, if they have one of its dictionaries or none.
  func translate(_ vector: Vector) -> Vector {
    let translated: [UInt32]?
    switch vector.lanes {
    case .codes(let lanes, let dictionary):
      translated = dictionary === largest ? lanes : codes[ObjectIdentifier(dictionary)].map { Self.look(lanes, up: $0) }
    case .id128(let ids):
      translated = values.codes(of: vector, codesOfValues) {
        ids[$0] == ids[$1]
      } find: {
        values.find(ids[$0])
      }
    case .bytes(let strings):
      translated = strings.withView { view in
        values.codes(of: vector, codesOfValues) {
          equalBytes(view[$0], view[$1])
        } find: {
          values.find(view[$0])
        }
      }
    default: return vector
    }
    return translated.map { Vector(.codes($0, all), validity: vector.validity) } ?? vector
  }

  private static func look(_ lanes: [UInt32], up codes: [UInt32]) -> [UInt32] {
    // Codes of null rows may be anything.
    let last = codes.count &- 1
    return last < 0 ? lanes : codes.withUnsafeBufferPointer { codes in mapLanes(lanes) { codes[min(Int($0), last)] } }
  }
}

extension WideValues {
  /// Takes in a vector's values.
  fileprivate func intern(_ vector: Vector) {
    let plain = vector.plain
    switch plain.lanes {
    case .id128(let ids):
      for lane in ids.indices where plain.isValid(lane) && (lane == 0 || ids[lane] != ids[lane - 1]) {
        _ = intern(ids[lane])
      }
    case .bytes(let strings):
      strings.withView { view in
        for lane in 0..<strings.count where plain.isValid(lane) { _ = intern(view[lane]) }
      }
    default: break
    }
  }

  /// For each lane the code of its value, 0 where it is null; `nil` when a value isn't among these.
  @inline(__always)
  fileprivate func codes(
    of vector: Vector, _ codes: [UInt32], isSame: (Int, Int) -> Bool, find: (Int) -> UInt32?
  ) -> [UInt32]? {
    var found = [UInt32](repeating: 0, count: vector.count)
    var last: Int?
    for lane in 0..<vector.count where vector.isValid(lane) {
      if let last, isSame(lane, last) {
        found[lane] = found[last]
      } else {
        guard let entry = find(lane) else { return nil }
        found[lane] = codes[Int(entry)]
      }
      last = lane
    }
    return found
  }

  /// The entries of a dictionary's values.
  fileprivate func intern(_ dictionary: ValueDictionary, _ interrupt: Interrupt) throws(ExecutionFailure) -> [UInt32] {
    switch dictionary.values {
    case .id128(let ids): try interrupt.mapLanes(ids) { intern($0) }
    case .bytes(let strings):
      try strings.withView { (view) throws(ExecutionFailure) in
        try interrupt.makeLanes(strings.count) { intern(view[$0]) }
      }
    }
  }

  /// For each entry its code in a dictionary, or ``IdentifierTable/none``.
  fileprivate func codes(in dictionary: ValueDictionary, _ query: QueryContext) throws(ExecutionFailure) -> [UInt32] {
    let stretch = Interrupt.interval
    let stretches = (dictionary.count + stretch - 1) / stretch
    let found = Results<[(entry: UInt32, code: UInt32)]>(count: stretches)
    try query.parallel(stretches) { (_, number) throws(ExecutionFailure) in
      try query.check()
      var hits: [(entry: UInt32, code: UInt32)] = []
      let codes = number * stretch..<min((number + 1) * stretch, dictionary.count)
      switch dictionary.values {
      case .id128(let ids):
        for code in codes {
          if let entry = self.find(ids[code]) { hits.append((entry, UInt32(truncatingIfNeeded: code))) }
        }
      case .bytes(let strings):
        strings.withView { view in
          for code in codes {
            if let entry = self.find(view[code]) { hits.append((entry, UInt32(truncatingIfNeeded: code))) }
          }
        }
      }
      found.put(hits, at: number)
    }
    var known = [UInt32](repeating: IdentifierTable.none, count: count)
    for (entry, code) in found.all.joined() { known[Int(entry)] = code }
    return known
  }
}

extension ValueDictionary {
  /// These values, and then others.
  fileprivate func appending(_ others: Vector.Lanes) -> ValueDictionary {
    switch (values, others) {
    case (.id128(let ids), .id128(let more)): return ValueDictionary(.id128(ids + more))
    case (.bytes(var strings), .bytes(let more)):
      more.withView { view in
        for entry in 0..<more.count { strings.append(UnsafeRawBufferPointer(view[entry])) }
      }
      return ValueDictionary(.bytes(strings))
    default: return self
    }
  }
}
