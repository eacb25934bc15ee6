internal import LintelColumns

extension RequestDecoder {
  /// Reads a ScopeSpans in two passes, for the scope may stand behind its spans.
  mutating func decodeScopeSpans(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    scope.list.removeAll()
    (scope.name, scope.version, scope.schemaURL) = (.nothing, .nothing, .nothing)
    scope.droppedAttributes = 0
    values.user = UserCandidate()
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x0a: try readScope(try reader.readSlice(), in: reader)
      case 0x12: _ = try reader.readSlice()
      case 0x1a:
        scope.schemaURL = try reader.readSlice()
        checkText(scope.schemaURL)
      default: try values.skip(tag, lastKnown: 3, &reader)
      }
    }
    scope.user = resource.user
    scope.user.merge(values.user)
    scope.hasInvalidText = try takeInvalidText(in: reader) || resource.hasInvalidText
    if !scope.hasInvalidText { addScopeRecord() }
    reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      if tag == 0x12 {
        try decodeSpan(try reader.readSlice(), in: reader)
      } else {
        try reader.skip(tag)
      }
    }
  }

  private mutating func readScope(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x0a:
        scope.name = try reader.readSlice()
        checkText(scope.name)
      case 0x12:
        scope.version = try reader.readSlice()
        checkText(scope.version)
      case 0x1a:
        try values.readAttribute(try reader.readSlice(), in: reader, depth: 4, owner: .scope, into: &scope.list)
      case 0x20: scope.droppedAttributes = UInt32(truncatingIfNeeded: try reader.readVarint())
      default: try values.skip(tag, lastKnown: 4, &reader)
      }
    }
  }

  private mutating func addScopeRecord() {
    let entityRefs = entityRefsCode()
    scratch.removeAll()
    scratch.beginMap(count: scope.list.items.count)
    for attribute in scope.list.items { scope.list.encodeEntry(attribute, into: &scratch) }
    scope.record = UInt32(truncatingIfNeeded: columns.scopes.count)
    columns.scopes.append(
      SpanColumns.ScopeRecord(
        name: columns.scopeNames.code(for: scope.name),
        version: columns.scopeVersions.code(for: scope.version),
        attributes: scratch.bytes.withUnsafeBytes { columns.scopeMaps.code(for: $0) },
        schemaURL: columns.scopeSchemaURLs.code(for: scope.schemaURL),
        droppedAttributes: Int64(scope.droppedAttributes),
        resourceSchemaURL: columns.resourceSchemaURLs.code(for: resource.schemaURL),
        resourceDroppedAttributes: Int64(resource.droppedAttributes), entityRefs: entityRefs))
  }
}
