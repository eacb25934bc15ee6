internal import Lintel
internal import LintelColumns

extension RequestDecoder {
  /// Appends the span just read as a row. Nothing in here can fail.
  mutating func storeSpan(in reader: borrowing WireReader) {
    let row = columns.rowCount
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
    columns.flags.append(Int64(span.flags))
    columns.droppedAttributes.append(Int64(span.droppedAttributes))
    columns.droppedEvents.append(Int64(span.droppedEvents))
    columns.droppedLinks.append(Int64(span.droppedLinks))
    if span.eventCount > 0 { Self.append(span.events, count: span.eventCount, to: &columns.events, row: row) }
    if span.linkCount > 0 { Self.append(span.links, count: span.linkCount, to: &columns.links, row: row) }
    let filled = storeAttributes(row: row, in: reader)
    storeSlots(filled, row: row, moves: &moves)
    storeIdentity(filled, moves: &moves)
    storeUser(row: row)
    columns.originOfRow.append(columns.origins.code(for: moves))
    columns.scopeOfRow.append(scope.record)
    // Last, for it counts the rows.
    columns.spanIDs.append(bigEndian64(span.spanID))
  }

  /// Appends items as an array.
  private static func append(
    _ items: VariantWriter, count: Int, to column: inout BytesColumnBuilder, row: Int
  ) {
    var array = VariantWriter()
    array.bytes.reserveCapacity(items.count + 6)
    array.beginArray(count: count)
    items.bytes.withUnsafeBytes { array.append(encoded: $0) }
    column.pad(to: row)
    column.append(array.bytes)
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
  private mutating func storeTimes(row: Int) {
    let start = Int64(truncatingIfNeeded: span.start)
    let end = Int64(truncatingIfNeeded: span.end)
    columns.startTimes.append(start)
    let isOdd = end < start
    columns.durations.append(isOdd ? 0 : end &- start)
    columns.anomalies.append(!isOdd ? 0 : end == 0 ? 1 : 2)
    guard isOdd else { return }
    columns.reportedEnds.pad(to: row)
    columns.reportedEnds.append(end)
  }

  /// A parent id of all zeros means none; that it was sent is kept among the origins.
  @inline(__always)
  private mutating func storeParent(row: Int, moves: inout MoveSet) {
    guard !span.parentID.isEmpty else { return }
    let parent = bigEndian64(span.parentID)
    guard parent != 0 else { return moves.insert(MoveSet.zeroParent) }
    columns.parents.pad(to: row)
    columns.parents.append(parent)
  }

  /// Appends the attributes that no convention wants, and returns the set of conventions that found a value.
  @inline(__always)
  private mutating func storeAttributes(row: Int, in reader: borrowing WireReader) -> UInt64 {
    var filled: UInt64 = 0
    let number = UInt32(truncatingIfNeeded: row)
    var repeatCount = 0
    for index in span.attributes.items.indices {
      let attribute = span.attributes.items[index]
      guard values.isFirst(attribute.keyNumber, row: number) else {
        if repeatCount == 0 { scratch.removeAll() }
        span.attributes.encodeEntry(attribute, into: &scratch)
        repeatCount &+= 1
        continue
      }
      if attribute.keyNumber < UInt32(known.count) {
        filled |= offer(index, attribute, row: number, in: reader)
      } else {
        columns.dynamic.append(attribute, of: span.attributes, row: number)
      }
    }
    if repeatCount > 0 { storeRepeats(repeatCount, row: row) }
    return filled
  }

  /// Keeps the later ones of attributes with the same key, which `scratch` holds.
  private mutating func storeRepeats(_ count: Int, row: Int) {
    var map = VariantWriter()
    map.beginMap(count: count)
    scratch.bytes.withUnsafeBytes { map.append(encoded: $0) }
    columns.repeats.pad(to: row)
    columns.repeats.append(map.bytes)
  }

  /// Offers an attribute to its convention; returns the convention as a set, empty when it wasn't taken.
  @inline(__always)
  private mutating func offer(
    _ index: Int, _ attribute: ParsedAttribute, row number: UInt32, in reader: borrowing WireReader
  ) -> UInt64 {
    let rule = known.spanRules[Int(attribute.keyNumber)]
    let slot = Int(rule.slot)
    guard slot >= 0, !(slot == Self.organizationSlot && organization != nil),
      let value = known.value(of: attribute, rule, in: reader)
    else {
      columns.dynamic.append(attribute, of: span.attributes, row: number)
      return 0
    }
    if slots[slot].row == number {
      guard rule.rank < slots[slot].rank else {
        columns.dynamic.append(attribute, of: span.attributes, row: number)
        return 0
      }
      // The one that held the place so far stays an attribute.
      let loser = span.attributes.items[slots[slot].attribute]
      columns.dynamic.append(loser, of: span.attributes, row: number)
    }
    slots[slot] = SlotState(row: number, rank: rule.rank, move: rule.move, attribute: index, value: value)
    return 1 << UInt64(slot)
  }

  /// Moves or copies the winners' values into their columns.
  @inline(__always)
  private mutating func storeSlots(_ filled: UInt64, row: Int, moves: inout MoveSet) {
    var rest = filled
    while rest != 0 {
      let slot = rest.trailingZeroBitCount
      rest &= rest &- 1
      let state = slots[slot]
      if state.value.conversion >= 0 {
        moves.insert(state.move &+ UInt8(truncatingIfNeeded: state.value.conversion))
      } else {
        columns.dynamic.append(
          span.attributes.items[state.attribute], of: span.attributes, row: UInt32(truncatingIfNeeded: row))
      }
      if slot >= known.identityCount { columns.append(state.value, slot: slot, row: row) }
    }
  }

  /// Fills the columns that say who sent the span: from the span, or else from its resource.
  @inline(__always)
  private mutating func storeIdentity(_ filled: UInt64, moves: inout MoveSet) {
    var overridden = 0
    for slot in 0..<known.identityCount {
      var code = resource.winners[slot].code
      if slot == Self.organizationSlot, let organizationCode {
        code = organizationCode
      } else if filled >> UInt64(slot) & 1 != 0 {
        code = columns.identities[slot].values.code(for: slots[slot].value.text)
        if resource.winners[slot].isMoved { overridden |= 1 << slot }
      }
      columns.identities[slot].append(code)
    }
    let map = resourceMap(overridden: overridden)
    columns.resourceMaps.append(map.code)
    moves.formUnion(map.moves)
  }

  @inline(__always)
  private mutating func storeUser(row: Int) {
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
    columns.users.pad(to: row)
    columns.users.append(hash)
  }
}
