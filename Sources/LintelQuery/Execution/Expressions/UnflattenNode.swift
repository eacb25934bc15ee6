import LintelColumns
import LintelStorage

/// Puts the values of attributes with dotted names together, row by row.
final class UnflattenNode: EvaluationNode, @unchecked Sendable {
  private let tree: DottedNames
  /// In the order of the tree.
  private let values: [EvaluationNode]
  /// Columns without which a value is null.
  private let slots: [[Int]]

  /// - Parameter values: As `variant`; by name.
  init(_ values: [(name: [UInt8], value: EvaluationNode, slots: [Int])]) {
    let (tree, order) = DottedNames.make(values.map(\.name))
    self.tree = tree
    self.values = order.map { values[$0].value }
    slots = order.map { values[$0].slots }
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    var bytes: [UInt8] = []
    var pieces = [[DottedNames.Piece]](repeating: [], count: context.count)
    for (number, value) in values.enumerated() {
      try context.interrupt.check()
      if !slots[number].isEmpty, slots[number].allSatisfy(context.isAbsent) { continue }
      let vector = try value.evaluate(context)
      vector.withBytes { view in
        for lane in 0..<min(vector.count, pieces.count) where vector.isValid(lane) {
          let start = bytes.count
          bytes.append(contentsOf: view[lane])
          pieces[lane].append(DottedNames.Piece(name: number, range: start..<bytes.count))
        }
      }
    }
    var builder = BytesBuilder(capacity: pieces.count)
    var encoded: [UInt8] = []
    for row in pieces {
      if row.isEmpty {
        builder.appendNull()
        continue
      }
      encoded.removeAll(keepingCapacity: true)
      tree.append(row[...], of: bytes, to: &encoded)
      builder.append(encoded)
    }
    return builder.finish()
  }
}

/// Dotted names as a tree, numbered in its order: numbers by their value, before other names by their bytes.
struct DottedNames {
  /// Levels of a name; what is behind the last is one name, dots and all.
  static let depth = 16

  /// A row's value under a name.
  struct Piece {
    let name: Int
    let range: Range<Int>
  }

  private struct Component: Comparable {
    let name: [UInt8]
    let index: Int?

    init(_ name: [UInt8]) {
      self.name = name
      let isIndex =
        (1...9).contains(name.count) && name.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
        && (name.count == 1 || name[0] != 0x30)
      index = isIndex ? name.reduce(0) { $0 * 10 + Int($1 - 0x30) } : nil
    }

    static func < (left: Component, right: Component) -> Bool {
      switch (left.index, right.index) {
      case (let left?, let right?): left < right
      case (nil, nil): left.name.lexicographicallyPrecedes(right.name)
      case (let left, _): left != nil
      }
    }
  }

  /// Whether a name begins with the number of a list's element: digits, none of them a 0 in front.
  static func isNumbered(_ name: some Collection<UInt8>) -> Bool {
    Component(Array(name.prefix { $0 != UInt8(ascii: ".") })).index != nil
  }

  private let component: Component
  /// Numbers of the names below, and of the name that ends here, if one does: it is the first.
  private let names: Range<Int>
  private let endsHere: Bool
  private let children: [DottedNames]

  /// The tree, and for each number which of the names it stands for. Names are distinct.
  static func make(_ names: [[UInt8]]) -> (DottedNames, order: [Int]) {
    let paths = names.map { name in
      name.split(separator: UInt8(ascii: "."), maxSplits: depth - 1, omittingEmptySubsequences: false)
        .map { Component(Array($0)) }
    }
    let order = names.indices.sorted { paths[$0].lexicographicallyPrecedes(paths[$1]) }
    let sorted = order.map { paths[$0] }
    return (DottedNames(Component([]), sorted, 0..<sorted.count, level: 0), order)
  }

  private init(_ component: Component, _ paths: [[Component]], _ names: Range<Int>, level: Int) {
    self.component = component
    self.names = names
    var rest = names
    endsHere = names.first.map { paths[$0].count == level } ?? false
    if endsHere { rest.removeFirst() }
    var children: [DottedNames] = []
    while let first = rest.first {
      let end = rest.first { paths[$0][level] != paths[first][level] } ?? rest.upperBound
      children.append(DottedNames(paths[first][level], paths, first..<end, level: level + 1))
      rest = end..<rest.upperBound
    }
    self.children = children
  }

  /// Appends the encoding of a row's values; there are some, ascending by name.
  func append(_ pieces: ArraySlice<Piece>, of bytes: [UInt8], to out: inout [UInt8]) {
    var rest = pieces
    var own: Piece?
    if endsHere, rest.first?.name == names.lowerBound { own = rest.removeFirst() }
    var members: [(child: DottedNames, pieces: ArraySlice<Piece>)] = []
    for child in children {
      let end = rest.firstIndex { $0.name >= child.names.upperBound } ?? rest.endIndex
      if end > rest.startIndex { members.append((child, rest[..<end])) }
      rest = rest[end...]
      if rest.isEmpty { break }
    }
    if members.isEmpty {
      if let own { out.append(contentsOf: bytes[own.range]) }
      return
    }
    let isArray = own == nil && members.allSatisfy { $0.child.component.index != nil }
    out.append(isArray ? EncodedVariant.arrayTag : EncodedVariant.mapTag)
    EncodedVariant.appendVarint(UInt64(members.count + (own == nil ? 0 : 1)), to: &out)
    if let own {
      // A value beside values below it has no name there.
      EncodedVariant.appendVarint(0, to: &out)
      out.append(contentsOf: bytes[own.range])
    }
    for (child, pieces) in members {
      if !isArray {
        EncodedVariant.appendVarint(UInt64(child.component.name.count), to: &out)
        out.append(contentsOf: child.component.name)
      }
      child.append(pieces, of: bytes, to: &out)
    }
  }
}
