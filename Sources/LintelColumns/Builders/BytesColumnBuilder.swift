/// Builds a column of byte strings, row by row: dictionary-coded while values repeat, plain once they don't.
///
/// Appending a value that was seen before costs a comparison (the same as the row before) or one look-up in a small
/// table. When more than half of at least 128 values were new, the builder goes over to plain strings for good.
public struct BytesColumnBuilder: Sendable {
  private var dictionary = DictionaryBuilder()
  private var codes: [UInt32] = []
  private var lastCode: UInt32 = 0
  private var plain = ByteStrings()
  private var isPlain = false
  private var validity = ValidityBuilder()
  /// Bytes of all values, repeats included.
  private var totalBytes = 0

  /// Set when a value didn't fit: a column holds at most 4 GiB. Its row is null.
  public private(set) var isFull = false

  public init() {}

  /// Rows so far.
  public var count: Int { isPlain ? plain.count : codes.count }

  /// Rows so far that are null.
  public var nullCount: Int { validity.nullCount }

  public mutating func reserveCapacity(_ rows: Int) { codes.reserveCapacity(rows) }

  public mutating func append(_ value: UnsafeRawBufferPointer) {
    if !isPlain {
      if dictionary.count > 0, dictionary.matches(lastCode, value) {
        codes.append(lastCode)
        totalBytes &+= value.count
        return
      }
      return appendCoded(value)
    }
    guard plain.hasRoom(for: value.count) else { return refuse(count: 1) }
    plain.append(value)
  }

  public mutating func append(_ value: String) {
    var value = value
    value.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  public mutating func append(_ value: [UInt8]) { value.withUnsafeBytes { append($0) } }

  /// The same value for `count` rows.
  public mutating func append(_ value: UnsafeRawBufferPointer, count: Int) {
    guard count > 0 else { return }
    append(value)
    if isFull { return appendNulls(count: count &- 1) }
    let (more, overflow) = value.count.multipliedReportingOverflow(by: count &- 1)
    if !isPlain {
      codes.append(contentsOf: repeatElement(lastCode, count: count &- 1))
      totalBytes &+= overflow ? Int(UInt32.max) : more
    } else if !overflow, plain.hasRoom(for: more) {
      plain.append(value, count: count &- 1)
    } else {
      refuse(count: count &- 1)
    }
  }

  /// The same value for `count` rows.
  public mutating func append(_ value: String, count: Int) {
    var value = value
    value.withUTF8 { append(UnsafeRawBufferPointer($0), count: count) }
  }

  public mutating func appendNull() { appendNulls(count: 1) }

  /// Nulls for `count` rows.
  public mutating func appendNulls(count nulls: Int) {
    guard nulls > 0 else { return }
    validity.appendNulls(at: count, count: nulls)
    if isPlain {
      plain.appendEmpty(count: nulls)
    } else {
      codes.append(contentsOf: repeatElement(0, count: nulls))
    }
  }

  /// Nulls up to, and without, row `row`.
  public mutating func pad(to row: Int) {
    if row > count { appendNulls(count: row &- count) }
  }

  /// The column built. The builder is empty afterwards.
  public mutating func finish() -> ColumnVector {
    if !isPlain, dictionary.count &* 2 > codes.count &- nullCount { expandIfSmall() }
    let bitmap = validity.finish(rowCount: count)
    let vector: ColumnVector
    if isPlain {
      vector = ColumnVector(.bytes(plain), validity: bitmap)
    } else {
      vector = ColumnVector(.codes(codes, dictionary.finish()), validity: bitmap)
    }
    self = BytesColumnBuilder()
    return vector
  }

  private mutating func appendCoded(_ value: UnsafeRawBufferPointer) {
    let before = dictionary.count
    let code = dictionary.code(for: value)
    guard code != DictionaryBuilder.noRoom else { return refuse(count: 1) }
    codes.append(code)
    lastCode = code
    totalBytes &+= value.count
    let values = codes.count &- nullCount
    if dictionary.count > before, values >= 128, dictionary.count &* 2 > values { expandIfSmall() }
  }

  private mutating func refuse(count: Int) {
    isFull = true
    appendNulls(count: count)
  }

  /// Goes over to plain strings, unless one long value that repeats would make them much longer than the dictionary.
  private mutating func expandIfSmall() {
    guard totalBytes <= min(dictionary.byteCount &* 2 &+ 4096, Int(UInt32.max)) else { return }
    let values = dictionary.takeStrings()
    let bitmap = nullCount > 0 ? validityUpTo(codes.count) : nil
    plain = ByteStrings.expanding(codes, values, bitmap)
    codes = []
    isPlain = true
  }

  private func validityUpTo(_ rows: Int) -> Bitmap? {
    var copy = validity
    return copy.finish(rowCount: rows)
  }
}
