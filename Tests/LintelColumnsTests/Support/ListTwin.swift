@testable import LintelColumns

/// Takes lists apart through the tree of variants, and compares each with all lists before it.
enum ListTwin {
  static func form(_ value: [UInt8]) -> ListForm {
    guard case .array(let elements)? = try? Variant(decoding: value), Variant.array(elements).encoded == value else {
      return .other
    }
    if elements.allSatisfy({ if case .int = $0 { true } else { false } }) { return .integers }
    if elements.allSatisfy({ if case .double = $0 { true } else { false } }) { return .doubles }
    if elements.allSatisfy({ if case .string = $0 { true } else { false } }) { return .strings }
    return .other
  }

  static func integers(_ value: [UInt8]) -> [Int64] {
    guard case .array(let elements)? = try? Variant(decoding: value) else { return [] }
    return elements.compactMap { if case .int(let number) = $0 { number } else { nil } }
  }

  /// For each list how far back the nearest of those lies that begin like it the longest, and how long.
  static func beginnings(_ lists: [[Int64]]) -> [(distance: Int, length: Int)] {
    lists.indices.map { list in
      var best = (distance: 0, length: 0)
      for other in (0..<list).reversed() {
        let length = zip(lists[list], lists[other]).prefix { $0 == $1 }.count
        if length > best.length { best = (list - other, length) }
      }
      return best
    }
  }
}
