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
    var dropped: UInt32 = 0
    var attributeBytes: [UInt8] = []
    var attributeCount = 0
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x09: time = try reader.readFixed64()
      case 0x12: name = try reader.readSlice()
      case 0x1a:
        let entry = try reader.readSlice()
        if try values.encodeEntry(entry, in: reader, depth: 5, into: &attributeBytes) { attributeCount += 1 }
      case 0x20: dropped = UInt32(truncatingIfNeeded: try reader.readVarint())
      default: try values.skip(tag, lastKnown: 4, &reader)
      }
    }
    checkText(name)
    span.eventCount += 1
    var fields = FieldMap(into: span.events)
    span.events = []
    fields.add("time", Int64(bitPattern: time))
    fields.add("name", text: name)
    fields.add("attributes", map: attributeBytes, count: attributeCount)
    fields.add("dropped_attributes_count", Int64(dropped))
    span.events = fields.finish()
  }

  mutating func readLink(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    var traceID = WireSlice.nothing
    var spanID = WireSlice.nothing
    var traceState = WireSlice.nothing
    var flags: UInt32 = 0
    var dropped: UInt32 = 0
    var attributeBytes: [UInt8] = []
    var attributeCount = 0
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x0a: traceID = try reader.readSlice()
      case 0x12: spanID = try reader.readSlice()
      case 0x1a: traceState = try reader.readSlice()
      case 0x22:
        let entry = try reader.readSlice()
        if try values.encodeEntry(entry, in: reader, depth: 5, into: &attributeBytes) { attributeCount += 1 }
      case 0x28: dropped = UInt32(truncatingIfNeeded: try reader.readVarint())
      case 0x35: flags = try reader.readFixed32()
      default: try values.skip(tag, lastKnown: 6, &reader)
      }
    }
    checkText(traceState)
    // What the JSON transcoder writes for an id that isn't hexadecimal.
    if traceID.elementsEqual([0]) || spanID.elementsEqual([0]) { span.hasBadLink = true }
    span.linkCount += 1
    var fields = FieldMap(into: span.links)
    span.links = []
    fields.add("trace_id", hex: traceID)
    fields.add("span_id", hex: spanID)
    fields.add("trace_state", text: traceState)
    fields.add("flags", Int64(flags))
    fields.add("attributes", map: attributeBytes, count: attributeCount)
    fields.add("dropped_attributes_count", Int64(dropped))
    span.links = fields.finish()
  }
}

/// A map of few fields under construction at the end of some bytes; fields with default values are left out.
private struct FieldMap {
  private var out: [UInt8]
  private let place: Int
  private var count: UInt8 = 0

  init(into out: consuming [UInt8]) {
    self.out = out
    place = VariantBytes.open(VariantBytes.map, into: &self.out)
  }

  consuming func finish() -> [UInt8] {
    out[place] = count
    return out
  }

  private mutating func key(_ name: StaticString) {
    count &+= 1
    VariantBytes.text(name, into: &out)
  }

  mutating func add(_ name: StaticString, _ value: Int64) {
    guard value != 0 else { return }
    key(name)
    VariantBytes.int(value, into: &out)
  }

  mutating func add(_ name: StaticString, text: WireSlice) {
    guard !text.isEmpty else { return }
    key(name)
    VariantBytes.string(text, into: &out)
  }

  mutating func add(_ name: StaticString, hex bytes: WireSlice) {
    guard !bytes.isEmpty else { return }
    key(name)
    out.append(5)
    VariantBytes.varint(UInt64(bytes.count) &* 2, into: &out)
    for byte in bytes {
      out.append(hexDigits[Int(byte >> 4)])
      out.append(hexDigits[Int(byte & 15)])
    }
  }

  mutating func add(_ name: StaticString, map entries: [UInt8], count entryCount: Int) {
    guard entryCount > 0 else { return }
    key(name)
    out.append(VariantBytes.map)
    VariantBytes.varint(UInt64(entryCount), into: &out)
    out.append(contentsOf: entries)
  }
}

let hexDigits = Array("0123456789abcdef".utf8)
