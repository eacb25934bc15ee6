internal import LintelColumns

/// A span as it stands in the request, read but not stored.
struct ParsedSpan {
  var traceID = WireSlice.nothing
  var spanID = WireSlice.nothing
  var parentID = WireSlice.nothing
  var traceState = WireSlice.nothing
  var name = WireSlice.nothing
  var statusMessage = WireSlice.nothing
  var kind: UInt64 = 0
  var status: UInt64 = 0
  var flags: UInt32 = 0
  var start: UInt64 = 0
  var end: UInt64 = 0
  var droppedAttributes: UInt32 = 0
  var droppedEvents: UInt32 = 0
  var droppedLinks: UInt32 = 0
  var attributes = AttributeList()
  var eventCount = 0
  var events = VariantWriter()
  var linkCount = 0
  var hasBadLink = false
  var links = VariantWriter()

  @inline(__always)
  mutating func reset() {
    (traceID, spanID, parentID) = (.nothing, .nothing, .nothing)
    (traceState, name, statusMessage) = (.nothing, .nothing, .nothing)
    (kind, status, flags, start, end) = (0, 0, 0, 0, 0)
    (droppedAttributes, droppedEvents, droppedLinks) = (0, 0, 0)
    attributes.removeAll()
    (eventCount, linkCount, hasBadLink) = (0, 0, false)
    if events.count > 0 { events.removeAll() }
    if links.count > 0 { links.removeAll() }
  }
}

extension RequestDecoder {
  /// Reads a span, and stores it or counts why not.
  @inline(__always)
  mutating func decodeSpan(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    span.reset()
    values.user = scope.user
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x4a:
        try values.readAttribute(
          try reader.readSlice(), in: reader, depth: 4, owner: .span, into: &span.attributes)
      case 0x0a: span.traceID = try reader.readSlice()
      case 0x12: span.spanID = try reader.readSlice()
      case 0x1a: span.traceState = try reader.readSlice()
      case 0x22: span.parentID = try reader.readSlice()
      case 0x2a: span.name = try reader.readSlice()
      case 0x30: span.kind = try reader.readVarint()
      case 0x39: span.start = try reader.readFixed64()
      case 0x41: span.end = try reader.readFixed64()
      case 0x50: span.droppedAttributes = UInt32(truncatingIfNeeded: try reader.readVarint())
      case 0x5a: try readEvent(try reader.readSlice(), in: reader)
      case 0x60: span.droppedEvents = UInt32(truncatingIfNeeded: try reader.readVarint())
      case 0x6a: try readLink(try reader.readSlice(), in: reader)
      case 0x70: span.droppedLinks = UInt32(truncatingIfNeeded: try reader.readVarint())
      case 0x7a: try readStatus(try reader.readSlice(), in: reader)
      case 0x85: span.flags = try reader.readFixed32()
      default: try values.skip(tag, lastKnown: 16, &reader)
      }
    }
    checkText(span.name)
    if !span.traceState.isEmpty { checkText(span.traceState) }
    if !span.statusMessage.isEmpty { checkText(span.statusMessage) }
    let hasInvalidText = try takeInvalidText(in: reader) || scope.hasInvalidText
    if let reason = rejection(hasInvalidText: hasInvalidText) {
      rejected[reason.rawValue] &+= 1
    } else {
      storeSpan(in: reader)
    }
  }

  /// What speaks against storing the span just read.
  @inline(__always)
  private func rejection(hasInvalidText: Bool) -> RejectionReason? {
    guard isID(span.traceID, bytes: 16) else { return .traceID }
    guard isID(span.spanID, bytes: 8) else { return .spanID }
    guard span.parentID.isEmpty || span.parentID.count == 8 else { return .parentSpanID }
    guard span.start != 0 else { return .noStartTime }
    guard span.start <= UInt64(Int64.max), span.end <= UInt64(Int64.max) else { return .timeOutOfRange }
    guard !span.hasBadLink else { return .linkID }
    return hasInvalidText ? .invalidText : nil
  }

  @inline(__always)
  private func isID(_ slice: WireSlice, bytes: Int) -> Bool {
    guard slice.count == bytes else { return false }
    var any: UInt64 = 0
    var offset = 0
    while offset < bytes {
      any |= slice.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      offset &+= 8
    }
    return any != 0
  }

  @inline(__always)
  private mutating func readStatus(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x12: span.statusMessage = try reader.readSlice()
      case 0x18: span.status = try reader.readVarint()
      default:
        // Number 1 is reserved: whatever comes under it is passed over.
        if tag >> 3 == 1 { try reader.skip(tag) } else { try values.skip(tag, lastKnown: 3, &reader) }
      }
    }
  }
}
