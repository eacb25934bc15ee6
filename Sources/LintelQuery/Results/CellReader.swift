internal import LintelColumns

/// Reads the cells of one result column and writes them in one of three ways.
///
/// The vector is taken apart once, so that a cell costs a switch and an array access.
struct CellReader {
  enum Kind {
    case integer, time, duration, money, enumeration, id8, id16, float, bool, text, bytes, variant
  }

  let kind: Kind
  private let count: Int
  private let validity: Bitmap?
  private let codes: [UInt32]?
  private var integers: [Int64] = []
  private var floats: [Double] = []
  private var bools: [Bool] = []
  private var ids: [UInt128] = []
  private var strings = ByteStrings()
  private var labels: [[UInt8]] = []

  init(_ column: QueryResult.Column) {
    let vector = column.values
    kind = Self.kind(column.type, vector.physicalType)
    if case .enumeration(let enumeration) = column.type { labels = enumeration.labels.map { Array($0.utf8) } }
    var lanes = vector.count
    if let validity = vector.validity { lanes = min(lanes, validity.count) }
    count = lanes
    validity = vector.validity
    var codes: [UInt32]?
    switch vector.storage {
    case .int64(let lanes): integers = lanes
    case .float64(let lanes): floats = lanes
    case .bool(let lanes): bools = lanes
    case .bytes(let lanes): strings = lanes
    case .id128(let lanes): ids = lanes
    case .codes(let lanes, let dictionary):
      codes = lanes
      switch dictionary.values {
      case .bytes(let values): strings = values
      case .id128(let values): ids = values
      }
    }
    self.codes = codes
  }

  /// How to show a lane. Lanes of another kind than the type's show as what they are.
  private static func kind(_ type: ColumnType, _ physical: PhysicalType) -> Kind {
    switch (type, physical) {
    case (.timestamp, .int64): .time
    case (.duration, .int64): .duration
    case (.money, .int64): .money
    case (.enumeration, .int64): .enumeration
    case (.id8, .int64): .id8
    case (_, .int64): .integer
    case (_, .float64): .float
    case (_, .bool): .bool
    case (_, .id128): .id16
    case (.bytes, .bytes): .bytes
    case (.variant, .bytes), (.map, .bytes): .variant
    case (_, .bytes): .text
    }
  }

  /// Numbers align right, and are never clipped.
  var isNumber: Bool {
    switch kind {
    case .integer, .duration, .money, .float: true
    case .time, .enumeration, .id8, .id16, .bool, .text, .bytes, .variant: false
    }
  }

  /// Whether the cell's text can be empty or hold any character, so that it may need quoting.
  var isText: Bool { kind == .text || kind == .variant || kind == .enumeration || kind == .bytes }

  func isNull(_ row: Int) -> Bool {
    guard row < count else { return true }
    if let validity, !validity[row] { return true }
    guard let codes else { return false }
    return codes[row] >= (kind == .id16 ? ids.count : strings.count)
  }

  /// Whether this is a value that says nothing, not NULL: both are `null` in JSON.
  func isEmptyValue(_ row: Int) -> Bool {
    guard kind == .variant, !isNull(row) else { return false }
    let range = strings.range(position(row))
    return range.count == 1 && strings.bytes[range.lowerBound] == Self.emptyValue
  }

  /// The encoding of ``Variant/empty``.
  static let emptyValue: UInt8 = 0

  /// A JSON value.
  func appendJSON(_ row: Int, _ out: inout TextBuffer) {
    if isNull(row) { return out.append("null") }
    switch kind {
    case .integer, .time, .duration, .money: out.append(decimal: integers[row])
    case .float: out.append(jsonDouble: floats[row])
    case .bool: out.append(bools[row] ? "true" : "false")
    case .text: withText(row) { out.append(jsonString: $0) }
    case .variant: withText(row) { out.append(jsonVariant: UnsafeRawBufferPointer($0)) }
    case .enumeration: withLabel(row, &out) { $1.append(jsonString: $0) }
    case .bytes, .id8, .id16:
      out.append(UInt8(ascii: "\""))
      appendRaw(row, &out)
      out.append(UInt8(ascii: "\""))
    }
  }

  /// The cell for programs, neither quoted nor escaped. Nothing for NULL.
  func appendRaw(_ row: Int, _ out: inout TextBuffer) {
    if isNull(row) { return }
    switch kind {
    case .integer, .time, .duration, .money: out.append(decimal: integers[row])
    case .float: out.append(double: floats[row])
    case .bool: out.append(bools[row] ? "true" : "false")
    case .id8: out.append(hex: UInt64(bitPattern: integers[row]))
    case .id16: out.append(hex: ids[position(row)])
    case .text: withText(row) { out.append($0) }
    case .bytes: withText(row) { Base64.append(UnsafeRawBufferPointer($0), to: &out.bytes) }
    case .variant: withText(row) { out.append(jsonVariant: UnsafeRawBufferPointer($0)) }
    case .enumeration: withLabel(row, &out) { $1.append($0) }
    }
  }

  /// The cell for people: units, `NULL`, and no character that could spoil a terminal.
  func appendPeople(_ row: Int, _ out: inout TextBuffer) {
    if isNull(row) { return out.append("NULL") }
    switch kind {
    case .time: out.append(time: integers[row])
    case .duration: out.append(duration: integers[row])
    case .money: out.append(money: integers[row])
    case .text: withText(row) { out.append(visible: $0) }
    case .enumeration: withLabel(row, &out) { $1.append(visible: $0) }
    case .variant:
      var json = TextBuffer()
      withText(row) { json.append(jsonVariant: UnsafeRawBufferPointer($0)) }
      json.bytes.withUnsafeBufferPointer { out.append(visible: $0) }
    case .integer, .float, .bool, .id8, .id16, .bytes: appendRaw(row, &out)
    }
  }

  private func position(_ row: Int) -> Int { codes.map { Int($0[row]) } ?? row }

  private func withText(_ row: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    let range = strings.range(position(row))
    strings.bytes.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
  }

  /// The label, or the number's digits where the enumeration has no label for it.
  private func withLabel(
    _ row: Int, _ out: inout TextBuffer, _ body: (UnsafeBufferPointer<UInt8>, inout TextBuffer) -> Void
  ) {
    let number = integers[row]
    if number >= 0, number < labels.count {
      labels[Int(number)].withUnsafeBufferPointer { body($0, &out) }
    } else {
      var digits = TextBuffer()
      digits.append(decimal: number)
      digits.bytes.withUnsafeBufferPointer { body($0, &out) }
    }
  }
}
