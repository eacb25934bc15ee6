internal import LintelColumns

// The entities that a resource refers to are stored as a variant:
//
//     resource_entity_refs := [{schema_url: string, type: string, id_keys: [string, ..], description_keys: [string, ..]}, ..]
//
// Fields with protobuf's default are left out. A resource without entities, as nearly all are, has null.
extension RequestDecoder {
  mutating func readEntityRef(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) {
    var schemaURL = WireSlice.nothing
    var type = WireSlice.nothing
    var idKeys = KeyList()
    var descriptionKeys = KeyList()
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x0a: schemaURL = try reader.readSlice()
      case 0x12: type = try reader.readSlice()
      case 0x1a: add(try reader.readSlice(), to: &idKeys)
      case 0x22: add(try reader.readSlice(), to: &descriptionKeys)
      default: try values.skip(tag, lastKnown: 4, &reader)
      }
    }
    checkText(schemaURL)
    checkText(type)
    resource.entityRefCount += 1
    var fields = FieldMap(&resource.entityRefs)
    fields.add("schema_url", text: schemaURL, to: &resource.entityRefs)
    fields.add("type", text: type, to: &resource.entityRefs)
    fields.add("id_keys", array: idKeys.items, count: idKeys.count, to: &resource.entityRefs)
    fields.add("description_keys", array: descriptionKeys.items, count: descriptionKeys.count, to: &resource.entityRefs)
    fields.finish(&resource.entityRefs)
  }

  private mutating func add(_ key: WireSlice, to list: inout KeyList) {
    checkText(key)
    list.items.append(utf8: key)
    list.count += 1
  }

  /// The code of the resource's entities in the column.
  mutating func entityRefsCode() -> UInt32 {
    guard resource.entityRefCount > 0 else { return CodedColumn.null }
    scratch.removeAll()
    scratch.beginArray(count: resource.entityRefCount)
    resource.entityRefs.bytes.withUnsafeBytes { scratch.append(encoded: $0) }
    return scratch.bytes.withUnsafeBytes { columns.entityRefs.values.code(for: $0) }
  }
}

/// Names of attributes, encoded one after another.
private struct KeyList {
  var items = VariantWriter()
  var count = 0
}
