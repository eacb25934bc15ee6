import Lintel
import LintelColumns

/// The attributes that have no column of their own, as dynamic columns: only the rows that have them.
struct AttributeColumns {
  private var failureTypes = LocalCodes(Catalogue.failures.map(\.type))
  private var routes = LocalCodes(Catalogue.routes)
  private var addresses = LocalCodes(Catalogue.serverAddresses)
  private let prefixes = Catalogue.models.map { Fragment(Array($0.responsePrefix.utf8)) }
  private var methods = LocalCodes(["GET", "POST"])

  /// Sorted by key.
  mutating func columns(_ rows: Rows, _ catalogue: Catalogue) -> [AttributeColumn] {
    let answers = places(rows, \.isAnswer)
    let chats = places(rows) { $0.operation == .chat }
    let plain = places(rows, \.isPlain)
    let calls = places(rows) { $0.operation == .call }
    let failures = places(rows) { $0.failure > 0 }
    let apps = catalogue.apps
    let columns = [
      column(
        AttributeName.errorType, .string, failures, failureTypes.column(rows, at: failures) { Int($0.failure) - 1 }),
      column(AttributeName.inputDigest, .string, answers, hex(rows, answers, \.inputDigest)),
      column(AttributeName.outputDigest, .string, answers, hex(rows, answers, \.outputDigest)),
      column(
        AttributeName.maxTokens, .int, chats,
        ColumnVector(.int64(chats.map { Int64(apps[Int(rows[Int($0)].app)].maxTokens) }))),
      column(
        AttributeName.temperature, .double, chats,
        ColumnVector(.float64(chats.map { apps[Int(rows[Int($0)].app)].temperature }))),
      column(AttributeName.responseID, .string, answers, responseIDs(rows, answers)),
      column(AttributeName.method, .string, plain, methods.column(rows, at: plain) { $0.operation == .call ? 0 : 1 }),
      column(AttributeName.statusCode, .int, plain, ColumnVector(.int64(plain.map { rows[Int($0)].httpStatus }))),
      column(AttributeName.route, .string, plain, routes.column(rows, at: plain) { Int($0.target) }),
      column(AttributeName.serverAddress, .string, calls, addresses.column(rows, at: calls) { Int($0.target) }),
    ]
    return columns.filter { !$0.rows.isEmpty }.sorted { $0.key < $1.key }
  }

  private func places(_ rows: Rows, _ isPresent: (SpanRow) -> Bool) -> [UInt32] {
    var places: [UInt32] = []
    places.reserveCapacity(rows.count)
    for index in rows.indices where isPresent(rows[index]) { places.append(UInt32(index)) }
    return places
  }

  private func column(
    _ name: String, _ kind: AttributeKind, _ places: [UInt32], _ values: ColumnVector
  ) -> AttributeColumn {
    AttributeColumn(key: AttributeKey(name, kind), rows: places, values: values)
  }

  private func hex(_ rows: Rows, _ places: [UInt32], _ value: (SpanRow) -> UInt64) -> ColumnVector {
    strings(places, bytesEach: 16) { place, text in text.append(hex: value(rows[place]), digits: 16) }
  }

  private func responseIDs(_ rows: Rows, _ places: [UInt32]) -> ColumnVector {
    strings(places, bytesEach: 40) { place, text in
      let row = rows[place]
      text.append(prefixes[Int(row.model)])
      text.append(hex: row.responseHigh, digits: 16)
      text.append(hex: UInt64(row.responseLow), digits: 8)
    }
  }

  /// Text of at most `bytesEach` bytes for each place.
  @inline(__always)
  private func strings(_ places: [UInt32], bytesEach: Int, _ write: (Int, ByteSink) -> Void) -> ColumnVector {
    let text = ByteSink(capacity: places.count * bytesEach)
    var strings = ByteStrings()
    strings.offsets.reserveCapacity(places.count + 1)
    for place in places {
      write(Int(place), text)
      strings.offsets.append(UInt32(text.count))
    }
    strings.bytes = Array(text.bytes)
    return ColumnVector(.bytes(strings))
  }
}

extension SpanRow {
  var httpStatus: Int64 { failure > 0 ? 500 : 200 }
}
