internal import LintelColumns

/// The dynamic attributes of a request: a sparse column for each key and kind that occurs.
struct DynamicColumns {
  /// Where the columns of one key are, per kind; negative where there is none.
  private struct Places {
    var string: Int32 = -1
    var int: Int32 = -1
    var double: Int32 = -1
    var bool: Int32 = -1
    var variant: Int32 = -1
  }

  private struct Sparse<Builder> {
    let key: UInt32
    var rows: [UInt32] = []
    var values: Builder
  }

  private var places: [Places] = []
  private var strings: [Sparse<BytesColumnBuilder>] = []
  private var ints: [Sparse<Int64ColumnBuilder>] = []
  private var doubles: [Sparse<Float64ColumnBuilder>] = []
  private var bools: [Sparse<BoolColumnBuilder>] = []
  private var variants: [Sparse<BytesColumnBuilder>] = []

  /// Appends the value of a numbered key. At most one call for each row and key.
  @inline(__always)
  mutating func append(_ attribute: ParsedAttribute, of list: borrowing AttributeList, row: UInt32) {
    let key = attribute.keyNumber
    if Int(key) >= places.count { addPlaces(upTo: key) }
    switch attribute.kind {
    case .string:
      let place = Self.place(&places[Int(key)].string, in: &strings, key, row, BytesColumnBuilder())
      strings[place].values.append(attribute.text)
    case .int:
      let place = Self.place(&places[Int(key)].int, in: &ints, key, row, Int64ColumnBuilder())
      ints[place].values.append(Int64(bitPattern: attribute.bits))
    case .double:
      let place = Self.place(&places[Int(key)].double, in: &doubles, key, row, Float64ColumnBuilder())
      doubles[place].values.append(Double(bitPattern: attribute.bits))
    case .bool:
      let place = Self.place(&places[Int(key)].bool, in: &bools, key, row, BoolColumnBuilder())
      bools[place].values.append(attribute.bits != 0)
    case .variant:
      let place = Self.place(&places[Int(key)].variant, in: &variants, key, row, BytesColumnBuilder())
      list.withEncoded(attribute) { variants[place].values.append($0) }
    }
  }

  /// Adds `row` to the column of a key, which is made where there is none, and returns the column's place.
  @inline(__always)
  private static func place<Builder>(
    _ place: inout Int32, in columns: inout [Sparse<Builder>], _ key: UInt32, _ row: UInt32,
    _ builder: @autoclosure () -> Builder
  ) -> Int {
    if place < 0 {
      place = Int32(truncatingIfNeeded: columns.count)
      columns.append(Sparse(key: key, values: builder()))
    }
    let at = Int(place)
    columns[at].rows.append(row)
    return at
  }

  @inline(never)
  private mutating func addPlaces(upTo key: UInt32) {
    while places.count <= Int(key) { places.append(Places()) }
  }

  /// The columns, sorted by name and kind. Nothing is left here afterwards.
  mutating func finish(names: ByteStrings) -> [AttributeColumn] {
    var columns: [AttributeColumn] = []
    columns.reserveCapacity(strings.count + ints.count + doubles.count + bools.count + variants.count)
    func add(_ key: UInt32, _ kind: AttributeKind, _ rows: [UInt32], _ values: ColumnVector) {
      columns.append(
        AttributeColumn(key: AttributeKey(names.string(Int(key)), kind), rows: rows, values: values))
    }
    for at in strings.indices { add(strings[at].key, .string, strings[at].rows, strings[at].values.finish()) }
    for at in ints.indices { add(ints[at].key, .int, ints[at].rows, ints[at].values.finish()) }
    for at in doubles.indices { add(doubles[at].key, .double, doubles[at].rows, doubles[at].values.finish()) }
    for at in bools.indices { add(bools[at].key, .bool, bools[at].rows, bools[at].values.finish()) }
    for at in variants.indices { add(variants[at].key, .variant, variants[at].rows, variants[at].values.finish()) }
    self = DynamicColumns()
    columns.sort { $0.key < $1.key }
    return columns
  }
}
