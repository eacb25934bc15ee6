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

  private struct Named<Column> {
    let key: UInt32
    var column: Column
  }

  private var places: [Places] = []
  private var strings: [Named<SparseText>] = []
  private var ints: [Named<SparseInt>] = []
  private var doubles: [Named<SparseDouble>] = []
  private var bools: [Named<SparseBool>] = []
  private var variants: [Named<SparseText>] = []

  /// Appends the value of a numbered key. At most one call for each row and key.
  @inline(__always)
  mutating func append(_ attribute: ParsedAttribute, of list: borrowing AttributeList, row: UInt32) {
    let key = attribute.keyNumber
    if Int(key) >= places.count { addPlaces(upTo: key) }
    switch attribute.kind {
    case .string:
      var place = Int(places[Int(key)].string)
      if place < 0 {
        place = strings.count
        places[Int(key)].string = Int32(place)
        strings.append(Named(key: key, column: SparseText()))
      }
      strings[place].column.append(attribute.text, row: row)
    case .int:
      var place = Int(places[Int(key)].int)
      if place < 0 {
        place = ints.count
        places[Int(key)].int = Int32(place)
        ints.append(Named(key: key, column: SparseInt()))
      }
      ints[place].column.append(Int64(bitPattern: attribute.bits), row: row)
    case .double:
      var place = Int(places[Int(key)].double)
      if place < 0 {
        place = doubles.count
        places[Int(key)].double = Int32(place)
        doubles.append(Named(key: key, column: SparseDouble()))
      }
      doubles[place].column.append(Double(bitPattern: attribute.bits), row: row)
    case .bool:
      var place = Int(places[Int(key)].bool)
      if place < 0 {
        place = bools.count
        places[Int(key)].bool = Int32(place)
        bools.append(Named(key: key, column: SparseBool()))
      }
      bools[place].column.append(attribute.bits != 0, row: row)
    case .variant:
      var place = Int(places[Int(key)].variant)
      if place < 0 {
        place = variants.count
        places[Int(key)].variant = Int32(place)
        variants.append(Named(key: key, column: SparseText()))
      }
      list.withEncoded(attribute) { variants[place].column.append($0, row: row) }
    }
  }

  @inline(never)
  private mutating func addPlaces(upTo key: UInt32) {
    while places.count <= Int(key) { places.append(Places()) }
  }

  /// The columns, sorted by name and kind.
  func columns(names: ByteStrings) -> [AttributeColumn] {
    var columns: [AttributeColumn] = []
    columns.reserveCapacity(strings.count + ints.count + doubles.count + bools.count + variants.count)
    func add(_ key: UInt32, _ kind: AttributeKind, _ rows: [UInt32], _ values: ColumnVector) {
      columns.append(
        AttributeColumn(key: AttributeKey(names.string(Int(key)), kind), rows: rows, values: values))
    }
    for each in strings { add(each.key, .string, each.column.rows, each.column.values()) }
    for each in ints { add(each.key, .int, each.column.rows, ColumnVector(.int64(each.column.lanes))) }
    for each in doubles { add(each.key, .double, each.column.rows, ColumnVector(.float64(each.column.lanes))) }
    for each in bools { add(each.key, .bool, each.column.rows, ColumnVector(.bool(each.column.lanes))) }
    for each in variants { add(each.key, .variant, each.column.rows, each.column.values()) }
    columns.sort { $0.key < $1.key }
    return columns
  }
}
