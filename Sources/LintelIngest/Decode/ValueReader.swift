internal import Lintel
internal import LintelColumns

/// Reads attributes: keys to numbers, values to plain bits or to encoded variants. Takes user ids out on the way.
struct ValueReader {
  let known: KnownKeys
  let maximumDepth: Int
  let maximumKeys: Int
  /// Keys of the request's spans. The conventions' keys come first, under the numbers they have in ``KnownKeys``.
  private(set) var keys: DictionaryBuilder
  /// Per key: the last row that had it.
  private var lastRows: [UInt32] = []
  /// Set when a string was met that isn't valid UTF-8.
  var hasInvalidText = false
  /// The best user id since the caller last reset this.
  var user = UserCandidate()

  init(known: KnownKeys, limits: OTLPLimits) {
    self.known = known
    maximumDepth = limits.messageDepth
    maximumKeys = known.count + max(0, limits.attributeKeys)
    keys = known.table
  }

  /// The keys by their numbers. To be called once, at the end.
  mutating func finishKeys() -> ByteStrings {
    guard case .bytes(let names) = keys.finish().values else { return ByteStrings() }
    return names
  }

  /// Whether `row` has this key for the first time: to be asked once for each attribute that is stored.
  @inline(__always)
  mutating func isFirst(_ key: UInt32, row: UInt32) -> Bool {
    guard key != ParsedAttribute.unlisted else { return false }
    while lastRows.count <= Int(key) { lastRows.append(.max) }
    if lastRows[Int(key)] == row { return false }
    lastRows[Int(key)] = row
    return true
  }

  /// What an AnyValue message holds.
  struct AnyValue {
    enum Kind: UInt8 { case empty, string, bool, int, double, array, map, bytes }
    var kind = Kind.empty
    var bits: UInt64 = 0
    var slice = WireSlice.nothing
  }

  /// Reads the fields of an AnyValue; of several values the last one counts.
  @inline(__always)
  func readAny(_ slice: WireSlice, in parent: borrowing WireReader) throws(WireError) -> AnyValue {
    var value = AnyValue()
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x0a: value = AnyValue(kind: .string, slice: try reader.readSlice())
      case 0x10: value = AnyValue(kind: .bool, bits: try reader.readVarint() == 0 ? 0 : 1)
      case 0x18: value = AnyValue(kind: .int, bits: try reader.readVarint())
      case 0x21: value = AnyValue(kind: .double, bits: try reader.readFixed64())
      case 0x2a: value = AnyValue(kind: .array, slice: try reader.readSlice())
      case 0x32: value = AnyValue(kind: .map, slice: try reader.readSlice())
      case 0x3a: value = AnyValue(kind: .bytes, slice: try reader.readSlice())
      default: try skip(tag, lastKnown: 7, &reader)
      }
    }
    return value
  }

  /// Reads the fields of a KeyValue: key and the message of the value.
  @inline(__always)
  func readEntry(
    _ slice: WireSlice, in parent: borrowing WireReader
  ) throws(WireError) -> (key: WireSlice, value: WireSlice) {
    var key = WireSlice.nothing
    var value = WireSlice.nothing
    var reader = WireReader(slice, in: parent)
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      switch tag {
      case 0x0a: key = try reader.readSlice()
      case 0x12: value = try reader.readSlice()
      default: try skip(tag, lastKnown: 2, &reader)
      }
    }
    return (key, value)
  }

  @inline(never)
  func skip(_ tag: UInt32, lastKnown: UInt32, _ reader: inout WireReader) throws(WireError) {
    guard tag >> 3 > lastKnown else { throw reader.wrongType(tag) }
    try reader.skip(tag)
  }

  /// Which list an attribute stands in, and so what its key means.
  enum Owner {
    case span, resource, scope

    var place: UserCandidate.Place {
      switch self {
      case .span: .span
      case .resource: .resource
      case .scope: .scope
      }
    }
  }

  /// Reads one attribute and appends it to `list`, unless it is a user id. `depth` is the depth of the KeyValue message.
  mutating func readAttribute(
    _ slice: WireSlice, in parent: borrowing WireReader, depth: Int, owner: Owner, into list: inout AttributeList
  ) throws(WireError) {
    let (key, valueSlice) = try readEntry(slice, in: parent)
    let value = try readAny(valueSlice, in: parent)
    let number = keyNumber(key, numbering: owner == .span)
    if number < UInt32(known.count), known.isUserKey(number) {
      try takeUser(value, key: number, place: owner.place, in: parent, depth: depth)
      return
    }
    var attribute = ParsedAttribute(
      key: key, keyNumber: number, kind: .variant, bits: value.bits, text: value.slice, encodedCount: 0)
    switch value.kind {
    case .string:
      attribute.kind = .string
      if !UTF8Check.isValid(value.slice) { hasInvalidText = true }
    case .int: attribute.kind = .int
    case .double: attribute.kind = .double
    case .bool: attribute.kind = .bool
    case .empty, .array, .map, .bytes:
      attribute.bits = UInt64(list.arena.count)
      try encode(value, in: parent, depth: depth + 1, into: &list.arena)
      attribute.encodedCount = list.arena.count - Int(attribute.bits)
    }
    list.items.append(attribute)
  }

  /// The number of a key. New keys get one if `numbering`, as long as there are some left.
  @inline(__always)
  private mutating func keyNumber(_ key: WireSlice, numbering: Bool) -> UInt32 {
    if let number = keys.existingCode(for: key) { return number }
    guard UTF8Check.isValid(key) else {
      hasInvalidText = true
      return ParsedAttribute.unlisted
    }
    return numbering && keys.count < maximumKeys ? keys.code(for: key) : ParsedAttribute.unlisted
  }

  /// Remembers a user id instead of keeping the attribute. Values of other kinds than text and numbers say nothing.
  private mutating func takeUser(
    _ value: AnyValue, key: UInt32, place: UserCandidate.Place, in parent: borrowing WireReader, depth: Int
  ) throws(WireError) {
    let rank = known.userRanks[Int(key)]
    switch value.kind {
    case .string:
      guard UTF8Check.isValid(value.slice) else {
        hasInvalidText = true
        return
      }
      if key == known.userHash, let hash = UserCandidate.hash(hex: value.slice) {
        user.offer(.hash(hash), keyRank: rank, place: place)
      } else {
        user.offer(.text(value.slice), keyRank: rank, place: place)
      }
    case .bytes: user.offer(.text(value.slice), keyRank: rank, place: place)
    case .int: user.offer(.number(Int64(bitPattern: value.bits)), keyRank: rank, place: place)
    case .array, .map:
      // Dropped, but it must be well-formed like everything else.
      var ignored = VariantWriter()
      try encode(value, in: parent, depth: depth + 1, into: &ignored)
    case .empty, .bool, .double: break
    }
  }

  /// Appends a value as a ``Variant``. `depth` is the depth of the AnyValue message; it bounds the recursion.
  mutating func encode(
    _ value: AnyValue, in parent: borrowing WireReader, depth: Int, into out: inout VariantWriter
  ) throws(WireError) {
    guard depth < maximumDepth else { throw parent.failure(.tooDeep) }
    switch value.kind {
    case .empty: out.appendEmpty()
    case .bool: out.append(bool: value.bits != 0)
    case .int: out.append(int: Int64(bitPattern: value.bits))
    case .double: out.append(double: Double(bitPattern: value.bits))
    case .bytes: out.append(bytes: value.slice)
    case .string:
      if !UTF8Check.isValid(value.slice) { hasInvalidText = true }
      out.append(utf8: value.slice)
    case .array:
      let mark = out.beginArray()
      var count = 0
      var reader = WireReader(value.slice, in: parent)
      while !reader.isAtEnd {
        let tag = try reader.readTag()
        guard tag == 0x0a else {
          try skip(tag, lastKnown: 1, &reader)
          continue
        }
        let item = try readAny(try reader.readSlice(), in: reader)
        try encode(item, in: reader, depth: depth + 2, into: &out)
        count += 1
      }
      out.end(mark, count: count)
    case .map:
      let mark = out.beginMap()
      var count = 0
      var reader = WireReader(value.slice, in: parent)
      while !reader.isAtEnd {
        let tag = try reader.readTag()
        guard tag == 0x0a else {
          try skip(tag, lastKnown: 1, &reader)
          continue
        }
        if try encodeEntry(try reader.readSlice(), in: reader, depth: depth + 2, into: &out) { count += 1 }
      }
      out.end(mark, count: count)
    }
  }

  /// Appends a KeyValue as an entry of a map, unless it is a user id; tells whether it did. `depth` is the KeyValue's.
  mutating func encodeEntry(
    _ slice: WireSlice, in parent: borrowing WireReader, depth: Int, into out: inout VariantWriter
  ) throws(WireError) -> Bool {
    let (key, valueSlice) = try readEntry(slice, in: parent)
    let value = try readAny(valueSlice, in: parent)
    let number = keyNumber(key, numbering: false)
    if number < UInt32(known.count), known.isUserKey(number) {
      try takeUser(value, key: number, place: .nested, in: parent, depth: depth)
      return false
    }
    out.append(key: key)
    try encode(value, in: parent, depth: depth + 1, into: &out)
    return true
  }
}
