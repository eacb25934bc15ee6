internal import Lintel
internal import LintelColumns

/// A resource while its spans are read.
struct ResourceState {
  var list = AttributeList()
  var droppedAttributes: UInt32 = 0
  var schemaURL = WireSlice.nothing
  /// The entities it refers to, each an encoded map.
  var entityRefs = VariantWriter()
  var entityRefCount = 0
  var user = UserCandidate()
  var hasInvalidText = false

  /// Per convention that a resource can fill: what this one gives.
  var winners: [Winner]
  /// Codes of the resource's map, by the set of winners that a span overrides; -1 where not known yet.
  var mapCodes: [Int32]
  /// The moves that remain under the same set.
  var moves: [MoveSet]
  /// Distinguishes the request's resources, from 1.
  var serial: UInt32 = 0
  /// Per known key: the last resource that had it.
  var lastSerials: [UInt32]

  init(known: KnownKeys) {
    winners = Array(repeating: Winner(), count: known.identityCount)
    mapCodes = Array(repeating: -1, count: 1 << known.identityCount)
    moves = Array(repeating: MoveSet(), count: 1 << known.identityCount)
    lastSerials = Array(repeating: 0, count: known.count)
  }

  struct Winner {
    /// Index of the attribute in the list; negative when nothing fills the column.
    var attribute = -1
    var rank = UInt8.max
    /// ``MoveSet`` number; only when `isMoved`.
    var move: UInt8 = 0
    var isMoved = false
    /// The value, in the column's table.
    var code = CodedColumn.null
    var text = WireSlice.nothing
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
    resource.entityRefCount = 0
    resource.entityRefs.removeAll()
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
      case 0x1a: try readEntityRef(try reader.readSlice(), in: reader)
      default: try values.skip(tag, lastKnown: 3, &reader)
      }
    }
  }

  mutating func checkText(_ slice: WireSlice) {
    if !UTF8Check.isValid(slice) { values.hasInvalidText = true }
  }

  /// Finds what the resource gives to the columns that say who sent a span.
  private mutating func prepareResource(in reader: borrowing WireReader) {
    resource.serial &+= 1
    for slot in resource.winners.indices { resource.winners[slot] = ResourceState.Winner() }
    for set in resource.mapCodes.indices { resource.mapCodes[set] = -1 }
    var bytes = resource.list.arena.count
    for index in resource.list.items.indices {
      let attribute = resource.list.items[index]
      bytes &+= attribute.key.count &+ attribute.text.count
      let key = Int(attribute.keyNumber)
      guard key < known.count, resource.lastSerials[key] != resource.serial else { continue }
      resource.lastSerials[key] = resource.serial
      let rule = known.resourceRules[key]
      let slot = Int(rule.slot)
      guard slot >= 0, slot < known.identityCount, !(slot == Self.organizationSlot && organization != nil),
        rule.rank < resource.winners[slot].rank, let value = known.value(of: attribute, rule, in: reader)
      else { continue }
      resource.winners[slot] = ResourceState.Winner(
        attribute: index, rank: rule.rank, move: rule.move, isMoved: true,
        code: columns.identities[slot].values.code(for: value.text), text: value.text)
    }
    fillApplication()
    guard bytes > limits.movableResourceBytes else { return }
    for slot in resource.winners.indices { resource.winners[slot].isMoved = false }
  }

  /// Without an application of its own, a resource's is named after its service.
  private mutating func fillApplication() {
    let service = resource.winners[Self.serviceSlot]
    guard service.attribute >= 0, resource.winners[Self.applicationSlot].attribute < 0 else { return }
    resource.winners[Self.applicationSlot].code =
      columns.identities[Self.applicationSlot].values.code(for: service.text)
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
    for (slot, winner) in resource.winners.enumerated() where overridden >> slot & 1 == 0 && winner.isMoved {
      moves.insert(winner.move)
    }
    scratch.removeAll()
    let mark = scratch.beginMap()
    var count = 0
    for index in resource.list.items.indices where !isMoved(index, overridden: overridden) {
      resource.list.encodeEntry(resource.list.items[index], into: &scratch)
      count += 1
    }
    scratch.end(mark, count: count)
    let code = scratch.bytes.withUnsafeBytes { columns.resourceMaps.values.code(for: $0) }
    resource.mapCodes[overridden] = Int32(truncatingIfNeeded: code)
    resource.moves[overridden] = moves
    return (code, moves)
  }

  /// Whether an attribute of the resource is moved into a column, for spans that fill the columns in `overridden`.
  private func isMoved(_ index: Int, overridden: Int) -> Bool {
    for slot in resource.winners.indices where resource.winners[slot].attribute == index {
      return resource.winners[slot].isMoved && overridden >> slot & 1 == 0
    }
    return false
  }
}
