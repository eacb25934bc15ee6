internal import Lintel
internal import LintelColumns

extension RequestDecoder {
  /// Appends the span just read as a row. Nothing in here can fail.
  mutating func storeSpan(in reader: borrowing WireReader) {
    let row = UInt32(truncatingIfNeeded: columns.rowCount)
    var moves = MoveSet()
    storeTimes(row: row)
    storeParent(row: row, moves: &moves)
    columns.traceIDs.append(bigEndian128(span.traceID))
    columns.names.append(span.name)
    columns.traceStates.append(span.traceState)
    // Open enumerations are 32 bits wide, whatever the varint held.
    columns.kinds.append(Int64(Int32(truncatingIfNeeded: span.kind)))
    columns.statuses.append(Int64(Int32(truncatingIfNeeded: span.status)))
    columns.statusMessages.append(span.statusMessage)
    if span.flags != 0 { columns.flags.append(Int64(span.flags), row: row) }
    if span.droppedAttributes != 0 { columns.droppedAttributes.append(Int64(span.droppedAttributes), row: row) }
    if span.droppedEvents != 0 { columns.droppedEvents.append(Int64(span.droppedEvents), row: row) }
    if span.droppedLinks != 0 { columns.droppedLinks.append(Int64(span.droppedLinks), row: row) }
    if span.eventCount > 0 { columns.events.append(Self.array(span.eventCount, span.events), row: row) }
    if span.linkCount > 0 { columns.links.append(Self.array(span.linkCount, span.links), row: row) }
    let filled = storeAttributes(row: row, in: reader)
    storeSlots(filled, row: row, moves: &moves)
    storeIdentity(filled, row: row, moves: &moves)
    storeUser(row: row)
    columns.originOfRow.append(columns.origins.code(for: moves))
    columns.scopeOfRow.append(scope.record)
    // Last, for it counts the rows.
    columns.spanIDs.append(bigEndian64(span.spanID))
  }

  private static func array(_ count: Int, _ items: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = [VariantBytes.array]
    bytes.reserveCapacity(items.count + 6)
    VariantBytes.varint(UInt64(count), into: &bytes)
    bytes.append(contentsOf: items)
    return bytes
  }

  @inline(__always)
  private func bigEndian64(_ slice: WireSlice) -> Int64 {
    Int64(bitPattern: UInt64(bigEndian: slice.loadUnaligned(as: UInt64.self)))
  }

  @inline(__always)
  private func bigEndian128(_ slice: WireSlice) -> UInt128 {
    let high = UInt64(bigEndian: slice.loadUnaligned(as: UInt64.self))
    let low = UInt64(bigEndian: slice.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    return UInt128(high) << 64 | UInt128(low)
  }

  /// A span that has no end, or one before its start, lasts 0; what it said is kept aside.
  @inline(__always)
  private mutating func storeTimes(row: UInt32) {
    let start = Int64(truncatingIfNeeded: span.start)
    let end = Int64(truncatingIfNeeded: span.end)
    columns.startTimes.append(start)
    guard end < start else {
      columns.durations.append(end &- start)
      return
    }
    columns.durations.append(0)
    columns.anomalies.append(end == 0 ? 1 : 2, row: row)
    columns.reportedEnds.append(end, row: row)
  }

  /// A parent id of all zeros means none; that it was sent is kept among the origins.
  @inline(__always)
  private mutating func storeParent(row: UInt32, moves: inout MoveSet) {
    guard !span.parentID.isEmpty else { return }
    let parent = bigEndian64(span.parentID)
    if parent == 0 { moves.insert(MoveSet.zeroParent) } else { columns.parents.append(parent, row: row) }
  }

  /// Appends the attributes that no convention wants, and returns the set of conventions that found a value.
  @inline(__always)
  private mutating func storeAttributes(row: UInt32, in reader: borrowing WireReader) -> UInt64 {
    var filled: UInt64 = 0
    var repeats: [UInt8] = []
    var repeatCount = 0
    for index in span.attributes.items.indices {
      let attribute = span.attributes.items[index]
      guard values.isFirst(attribute.keyNumber, row: row) else {
        span.attributes.encodeEntry(attribute, into: &repeats)
        repeatCount &+= 1
        continue
      }
      if attribute.keyNumber < UInt32(known.count) {
        filled |= offer(index, attribute, row: row, in: reader)
      } else {
        columns.dynamic.append(attribute, of: span.attributes, row: row)
      }
    }
    if repeatCount > 0 {
      var map: [UInt8] = [VariantBytes.map]
      VariantBytes.varint(UInt64(repeatCount), into: &map)
      columns.repeats.append(map + repeats, row: row)
    }
    return filled
  }

  /// Offers an attribute to its convention; returns the convention as a set, empty when it wasn't taken.
  @inline(__always)
  private mutating func offer(
    _ index: Int, _ attribute: ParsedAttribute, row: UInt32, in reader: borrowing WireReader
  ) -> UInt64 {
    let rule = known.spanRules[Int(attribute.keyNumber)]
    let slot = Int(rule.slot)
    guard slot >= 0, !(slot == Self.organizationSlot && organization != nil),
      let value = known.value(of: attribute, rule, in: reader)
    else {
      columns.dynamic.append(attribute, of: span.attributes, row: row)
      return 0
    }
    if slots[slot].row == row {
      guard rule.rank < slots[slot].rank else {
        columns.dynamic.append(attribute, of: span.attributes, row: row)
        return 0
      }
      // The one that held the place so far stays an attribute.
      let loser = span.attributes.items[slots[slot].attribute]
      columns.dynamic.append(loser, of: span.attributes, row: row)
    }
    slots[slot] = SlotState(row: row, rank: rule.rank, move: rule.move, attribute: index, value: value)
    return 1 << UInt64(slot)
  }

  /// Moves or copies the winners' values into their columns.
  @inline(__always)
  private mutating func storeSlots(_ filled: UInt64, row: UInt32, moves: inout MoveSet) {
    var rest = filled
    while rest != 0 {
      let slot = rest.trailingZeroBitCount
      rest &= rest &- 1
      let state = slots[slot]
      if state.value.conversion >= 0 {
        moves.insert(state.move &+ UInt8(truncatingIfNeeded: state.value.conversion))
      } else {
        columns.dynamic.append(span.attributes.items[state.attribute], of: span.attributes, row: row)
      }
      if slot >= known.identityCount { columns.append(state.value, slot: slot, row: row) }
    }
  }

  /// Fills the columns that say who sent the span: from the span, or else from its resource.
  @inline(__always)
  private mutating func storeIdentity(_ filled: UInt64, row: UInt32, moves: inout MoveSet) {
    var overridden = 0
    for slot in 0..<known.identityCount {
      var code = TextCodes.null
      if slot == Self.organizationSlot, let organizationCode {
        code = organizationCode
      } else if filled >> UInt64(slot) & 1 != 0 {
        code = columns.identities[slot].table.code(for: slots[slot].value.text)
        if resource.winners[slot].isMoved { overridden |= 1 << slot }
      } else {
        code = resource.winners[slot].code
        if code == TextCodes.null, slot == Self.applicationSlot { code = applicationCode() }
      }
      columns.identities[slot].codes.append(code)
    }
    let map = resourceMap(overridden: overridden)
    columns.resourceMapOfRow.append(map.code)
    moves.formUnion(map.moves)
  }

  /// The service's name as an application's.
  private mutating func applicationCode() -> UInt32 {
    let service = resource.winners[Self.serviceSlot].code
    guard service != TextCodes.null else { return TextCodes.null }
    let services = columns.identities[Self.serviceSlot].table.values
    return services.bytes.withUnsafeBytes {
      columns.identities[Self.applicationSlot].table.code(
        for: UnsafeRawBufferPointer(rebasing: $0[services.range(Int(service))]))
    }
  }

  @inline(__always)
  private mutating func storeUser(row: UInt32) {
    let hash: UInt128
    switch values.user.value {
    case .none: return
    case .hash(let given): hash = given
    case .number(let number): hash = hasher.hash(String(number))
    case .text(let text):
      let code = Int(userIDs.code(for: text))
      if code == userHashes.count { userHashes.append(hasher.hash(text)) }
      hash = userHashes[code]
    }
    columns.userRows.append(row)
    columns.userHashes.append(hash)
  }
}
