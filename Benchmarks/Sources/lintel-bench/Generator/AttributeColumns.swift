import Lintel
import LintelColumns

/// The attributes that have no column of their own, as dynamic columns: only the rows that have them.
struct AttributeColumns {
  private var failureTypes = LocalCodes(Catalogue.failures.map(\.type))
  private var routes = LocalCodes(Catalogue.routes)
  private var addresses = LocalCodes(Catalogue.serverAddresses)
  private var methods = LocalCodes(["GET", "POST"])

  /// Sorted by key.
  mutating func columns(_ rows: [SpanRow], _ catalogue: Catalogue) -> [AttributeColumn] {
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

  private func places(_ rows: [SpanRow], _ isPresent: (SpanRow) -> Bool) -> [UInt32] {
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

  private func hex(_ rows: [SpanRow], _ places: [UInt32], _ value: (SpanRow) -> UInt64) -> ColumnVector {
    var strings = ByteStrings()
    strings.reserveCapacity(places.count, bytes: places.count * 16)
    for place in places {
      Hex.append(value(rows[Int(place)]), digits: 16, to: &strings.bytes)
      strings.offsets.append(UInt32(strings.bytes.count))
    }
    return ColumnVector(.bytes(strings))
  }

  private func responseIDs(_ rows: [SpanRow], _ places: [UInt32]) -> ColumnVector {
    let prefixes = Catalogue.models.map { Array($0.responsePrefix.utf8) }
    var strings = ByteStrings()
    strings.reserveCapacity(places.count, bytes: places.count * 33)
    for place in places {
      let row = rows[Int(place)]
      strings.bytes.append(contentsOf: prefixes[Int(row.model)])
      Hex.append(row.responseHigh, digits: 16, to: &strings.bytes)
      Hex.append(UInt64(row.responseLow), digits: 8, to: &strings.bytes)
      strings.offsets.append(UInt32(strings.bytes.count))
    }
    return ColumnVector(.bytes(strings))
  }
}

extension SpanRow {
  var httpStatus: Int64 { failure > 0 ? 500 : 200 }
}

/// Lower-case hexadecimal.
enum Hex {
  private static let digits = Array("0123456789abcdef".utf8)

  @inline(__always)
  static func append(_ value: UInt64, digits count: Int, to bytes: inout [UInt8]) {
    var shift = UInt64(count) * 4
    while shift > 0 {
      shift -= 4
      bytes.append(digits[Int(value &>> shift & 15)])
    }
  }

  static func text(_ prefix: StaticString, _ value: UInt64) -> String {
    String(unsafeUninitializedCapacity: prefix.utf8CodeUnitCount + 16) { buffer in
      var end = 0
      for byte in UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount) {
        buffer[end] = byte
        end += 1
      }
      for position in 0..<16 {
        let nibble = UInt8(truncatingIfNeeded: value &>> UInt64(60 - 4 * position)) & 15
        buffer[end] = nibble < 10 ? 48 + nibble : 87 + nibble
        end += 1
      }
      return end
    }
  }
}
