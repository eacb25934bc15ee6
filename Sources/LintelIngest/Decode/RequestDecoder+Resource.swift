internal import Lintel
internal import LintelColumns

/// A resource while its spans are read.
struct ResourceState {
  var list = AttributeList()
  var droppedAttributes: UInt32 = 0
  var schemaURL = WireSlice.nothing
  var user = UserCandidate()
  var hasInvalidText = false

  /// Per convention that a resource can fill: what this one gives.
  var winners: [Winner?] = []
  /// Codes of the resource's map, by the set of winners that a span overrides; -1 where not known yet.
  var mapCodes: [Int32] = []
  /// The moves that remain under the same set.
  var moves: [MoveSet] = []
  /// Whether values may be moved out of the map.
  var isMovable = true

  struct Winner {
    let attribute: Int
    /// `MoveSet` number, or `nil` when the attribute stays.
    let move: UInt8?
    let code: UInt32
  }
}

/// A scope while its spans are read.
struct ScopeState {
  var name = WireSlice.nothing
  var version = WireSlice.nothing
  var list = AttributeList()
  var droppedAttributes: UInt32 = 0
  var schemaURL = WireSlice.nothing
  var user = UserCandidate()
  var hasInvalidText = false
  /// Number of the record in ``SpanColumns/scopes``.
  var record: UInt32 = 0
}

extension RequestDecoder {
  /// Reads a ResourceSpans in two passes, for the resource may stand behind its spans.
  mutating func decodeResourceSpans(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    resource.list.removeAll()
    resource.droppedAttributes = 0
    resource.schemaURL = WireSlice.nothing
    values.user = UserCandidate()
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x0a: try readResource(try reader.readSlice(), in: reader)
      case 0x12: _ = try reader.readSlice()
      case 0x1a:
        resource.schemaURL = try reader.readSlice()
        checkText(resource.schemaURL)
      default: try values.skip(tag, lastKnown: 3, &reader)
      }
    }
    resource.user = values.user
    resource.hasInvalidText = try takeInvalidText(in: reader)
    prepareResource(in: reader)
    reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      if tag == 0x12 {
        try decodeScopeSpans(try reader.readSlice(), in: reader)
      } else {
        try reader.skip(tag)
      }
    }
  }

  private mutating func readResource(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x0a:
        try values.readAttribute(
          try reader.readSlice(), in: reader, depth: 3, owner: .resource, into: &resource.list)
      case 0x10: resource.droppedAttributes = UInt32(truncatingIfNeeded: try reader.readVarint())
      case 0x1a: _ = try reader.readSlice()
      default: try values.skip(tag, lastKnown: 3, &reader)
      }
    }
  }

  mutating func checkText(_ slice: WireSlice) {
    if !UTF8Check.isValid(slice) { values.hasInvalidText = true }
  }

  /// Finds what the resource gives to the columns that say who sent a span.
  private mutating func prepareResource(in reader: borrowing WireReader) {
    let count = known.identityCount
    resource.winners = Array(repeating: nil, count: count)
    resource.mapCodes = Array(repeating: -1, count: 1 << count)
    resource.moves = Array(repeating: MoveSet(), count: 1 << count)
    let bytes = resource.list.items.reduce(resource.list.arena.count) { $0 &+ $1.key.count &+ $1.text.count }
    resource.isMovable = bytes <= limits.movableResourceBytes
    var ranks = [UInt8](repeating: .max, count: count)
    var seen: Set<UInt32> = []
    for (index, attribute) in resource.list.items.enumerated() where attribute.keyNumber < UInt32(known.count) {
      guard seen.insert(attribute.keyNumber).inserted else { continue }
      let rule = known.resourceRules[Int(attribute.keyNumber)]
      let slot = Int(rule.slot)
      guard slot >= 0, slot < count, !(slot == Self.organizationSlot && organization != nil), rule.rank < ranks[slot],
        let value = known.value(of: attribute, rule, in: reader)
      else { continue }
      ranks[slot] = rule.rank
      resource.winners[slot] = ResourceState.Winner(
        attribute: index, move: resource.isMovable ? rule.move : nil,
        code: columns.identities[slot].table.code(for: value.text))
    }
  }

  /// The code of the resource's map and the resource's moves, for spans that themselves fill the columns in `overridden`.
  @inline(__always)
  mutating func resourceMap(overridden: Int) -> (code: UInt32, moves: MoveSet) {
    let code = resource.mapCodes[overridden]
    return code >= 0
      ? (UInt32(truncatingIfNeeded: code), resource.moves[overridden]) : encodeResourceMap(overridden: overridden)
  }

  @inline(never)
  private mutating func encodeResourceMap(overridden: Int) -> (code: UInt32, moves: MoveSet) {
    var moves = MoveSet()
    var moved: Set<Int> = []
    for (slot, winner) in resource.winners.enumerated() where overridden >> slot & 1 == 0 {
      guard let winner, let move = winner.move else { continue }
      moves.insert(move)
      moved.insert(winner.attribute)
    }
    let code = columns.resourceMaps.code(forMapOf: resource.list, except: moved)
    resource.mapCodes[overridden] = Int32(truncatingIfNeeded: code)
    resource.moves[overridden] = moves
    return (code, moves)
  }
}

extension ByteTable {
  /// The number of an attribute list as an encoded map.
  mutating func code(forMapOf list: borrowing AttributeList, except left: Set<Int> = []) -> UInt32 {
    var bytes: [UInt8] = []
    let place = VariantBytes.open(VariantBytes.map, into: &bytes)
    var count = 0
    for (index, attribute) in list.items.enumerated() where !left.contains(index) {
      list.encodeEntry(attribute, into: &bytes)
      count += 1
    }
    VariantBytes.close(place, count: count, in: &bytes)
    return bytes.withUnsafeBytes { self.code(for: $0) }
  }
}
