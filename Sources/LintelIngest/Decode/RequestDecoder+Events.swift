internal import LintelColumns

// Events and links are stored as variants:
//
//     events := [{time: int, name: string, attributes: {..}, dropped_attributes_count: int}, ..]
//     links  := [{trace_id: hex, span_id: hex, trace_state: string, flags: int, attributes: {..},
//                 dropped_attributes_count: int}, ..]
//
// Fields with protobuf's default (0, the empty string, no attributes) are left out. Ids of links may have any length.
extension RequestDecoder {
  mutating func readEvent(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    var time: UInt64 = 0
    var name = WireSlice.nothing
    let common = try readCommon(slice, in: parent, attributesTag: 0x1a, droppedTag: 0x20, lastKnown: 4) {
      (tag, reader) throws(WireError) in
      switch tag {
      case 0x09: time = try reader.readFixed64()
      case 0x12: name = try reader.readSlice()
      default: return false
      }
      return true
    }
    checkText(name)
    span.eventCount += 1
    var fields = FieldMap(&span.events)
    fields.add("time", Int64(bitPattern: time), to: &span.events)
    fields.add("name", text: name, to: &span.events)
    fields.add("attributes", map: scratch, count: common.attributeCount, to: &span.events)
    fields.add("dropped_attributes_count", Int64(common.dropped), to: &span.events)
    fields.finish(&span.events)
  }

  mutating func readLink(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    var traceID = WireSlice.nothing
    var spanID = WireSlice.nothing
    var traceState = WireSlice.nothing
    var flags: UInt32 = 0
    let common = try readCommon(slice, in: parent, attributesTag: 0x22, droppedTag: 0x28, lastKnown: 6) {
      (tag, reader) throws(WireError) in
      switch tag {
      case 0x0a: traceID = try reader.readSlice()
      case 0x12: spanID = try reader.readSlice()
      case 0x1a: traceState = try reader.readSlice()
      case 0x35: flags = try reader.readFixed32()
      default: return false
      }
      return true
    }
    checkText(traceState)
    // What the JSON transcoder writes for an id that isn't hexadecimal.
    if traceID.elementsEqual([0]) || spanID.elementsEqual([0]) { span.hasBadLink = true }
    span.linkCount += 1
    var fields = FieldMap(&span.links)
    fields.add("trace_id", hex: traceID, to: &span.links)
    fields.add("span_id", hex: spanID, to: &span.links)
    fields.add("trace_state", text: traceState, to: &span.links)
    fields.add("flags", Int64(flags), to: &span.links)
    fields.add("attributes", map: scratch, count: common.attributeCount, to: &span.links)
    fields.add("dropped_attributes_count", Int64(common.dropped), to: &span.links)
    fields.finish(&span.links)
  }

  /// Reads an event or a link: the attributes, which both have, into `scratch`, under the given tags.
  /// - Parameter ownField: Reads a field that only one of them has, or says that it is none.
  @inline(__always)
  private mutating func readCommon(
    _ slice: WireSlice, in parent: borrowing WireReader, attributesTag: UInt32, droppedTag: UInt32, lastKnown: UInt32,
    _ ownField: (UInt32, inout WireReader) throws(WireError) -> Bool
  ) throws(WireError) -> (attributeCount: Int, dropped: UInt32) {
    scratch.removeAll()
    var attributeCount = 0
    var dropped: UInt32 = 0
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      if tag == attributesTag {
        let entry = try reader.readSlice()
        if try values.encodeEntry(entry, in: reader, depth: 5, into: &scratch) { attributeCount += 1 }
      } else if tag == droppedTag {
        dropped = UInt32(truncatingIfNeeded: try reader.readVarint())
      } else if try !ownField(tag, &reader) {
        try values.skip(tag, lastKnown: lastKnown, &reader)
      }
    }
    return (attributeCount, dropped)
  }
}
