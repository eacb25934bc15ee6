import LintelColumns

/// Conversions over vectors. What can't be converted is null.
enum Convert {
  static func toInteger(_ function: ScalarFunction, _ vector: Vector, _ type: ColumnType) -> Vector {
    switch vector.lanes {
    case .int64: return vector
    case .float64(let values):
      let fits = mapLanes(values) { Conversions.integer($0) != nil }
      let lanes = mapLanes(values) { Conversions.integer($0) ?? 0 }
      return Vector(.int64(lanes), validity: bothValid(vector.validity, fits.contains(false) ? fits : nil))
    case .bool(let values): return Vector(.int64(mapLanes(values) { $0 ? 1 : 0 }), validity: vector.validity)
    case .id128: return .nulls(.int64, count: vector.count)
    case .bytes, .codes:
      return optionals(vector, zero: 0, { .int64($0) }) { bytes in
        switch type {
        case .variant, .map:
          switch EncodedVariant.scalar(bytes) {
          case .int(let value): value
          case .double(let value): Conversions.integer(value)
          case .bool(let flag): flag ? 1 : 0
          case .string(let text): integer(text, function)
          default: nil
          }
        default: integer(bytes, function)
        }
      }
    }
  }

  private static func integer(_ text: UnsafeBufferPointer<UInt8>, _ function: ScalarFunction) -> Int64? {
    let string = String(decoding: text, as: UTF8.self)
    return switch function {
    case .toTimestamp: TextFormats.timestamp(string)
    case .toDuration: TextFormats.duration(string)
    case .toMoney: TextFormats.money(string)
    default: Int64(string)
    }
  }

  static func toFloat64(_ vector: Vector, _ type: ColumnType) -> Vector {
    switch vector.lanes {
    case .float64: return vector
    case .int64, .bool: return Vector(.float64(Arithmetic.doubles(vector)), validity: vector.validity)
    case .id128: return .nulls(.float64, count: vector.count)
    case .bytes, .codes:
      return optionals(vector, zero: 0, { .float64($0) }) { bytes in
        switch type {
        case .variant, .map:
          switch EncodedVariant.scalar(bytes) {
          case .int(let value): Double(value)
          case .double(let value): value
          case .bool(let flag): flag ? 1 : 0
          case .string(let text): Conversions.double(text)
          default: nil
          }
        default: Conversions.double(bytes)
        }
      }
    }
  }

  static func toBool(_ vector: Vector, _ type: ColumnType) -> Vector {
    switch vector.lanes {
    case .bool: return vector
    case .int64(let values): return Vector(.bool(mapLanes(values) { $0 != 0 }), validity: vector.validity)
    case .float64(let values): return Vector(.bool(mapLanes(values) { $0 != 0 }), validity: vector.validity)
    case .id128: return .nulls(.bool, count: vector.count)
    case .bytes, .codes:
      return optionals(vector, zero: false, { .bool($0) }) { bytes in
        switch type {
        case .variant, .map:
          switch EncodedVariant.scalar(bytes) {
          case .int(let value): value != 0
          case .double(let value): value != 0
          case .bool(let flag): flag
          case .string(let text): Conversions.bool(text)
          default: nil
          }
        default: Conversions.bool(bytes)
        }
      }
    }
  }

  /// `variantText`, `variantBool`, `variantNumber`: the value where it is of that kind.
  static func read(_ function: ScalarFunction, _ vector: Vector) -> Vector {
    switch function {
    case .variantBool:
      return optionals(vector, zero: false, { .bool($0) }) { bytes in
        if case .bool(let flag) = EncodedVariant.scalar(bytes) { flag } else { nil }
      }
    case .variantNumber:
      return optionals(vector, zero: 0, { .float64($0) }) { bytes in
        switch EncodedVariant.scalar(bytes) {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
      }
    default:
      var builder = BytesBuilder(capacity: vector.count)
      vector.withBytes { view in
        for lane in 0..<vector.count {
          if vector.isValid(lane), case .string(let text) = EncodedVariant.scalar(view[lane]) {
            builder.append(text)
          } else {
            builder.appendNull()
          }
        }
      }
      return builder.finish()
    }
  }

  @inline(__always)
  private static func optionals<T: BitwiseCopyable>(
    _ vector: Vector, zero: T, _ lanes: ([T]) -> Vector.Lanes, _ body: (UnsafeBufferPointer<UInt8>) -> T?
  ) -> Vector {
    var values = Array(repeating: zero, count: vector.count)
    var validity = Array(repeating: true, count: vector.count)
    var hasNull = false
    vector.withBytes { view in
      for lane in 0..<vector.count {
        if vector.isValid(lane), let value = body(view[lane]) {
          values[lane] = value
        } else {
          validity[lane] = false
          hasNull = true
        }
      }
    }
    return Vector(lanes(values), validity: hasNull ? validity : nil)
  }

  static func toText(_ vector: Vector, _ type: ColumnType) -> Vector {
    if type == .string { return vector }
    var builder = BytesBuilder(capacity: vector.count)
    for lane in 0..<vector.count {
      let value = vector.value(lane)
      let text =
        switch (type, value) {
        case (.variant, .bytes(let encoded)), (.map, .bytes(let encoded)): variantText(encoded)
        default: TextFormats.text(value, type)
        }
      if let text { builder.append(text) } else { builder.appendNull() }
    }
    return builder.finish()
  }

  /// The empty value is no text: whoever sends it says nothing. Bytes are the text that they are, otherwise base64.
  private static func variantText(_ encoded: [UInt8]) -> String? {
    encoded.withUnsafeBufferPointer { bytes in
      switch EncodedVariant.scalar(bytes) {
      case .string(let text): String(decoding: text, as: UTF8.self)
      case .int(let value): String(value)
      case .double(let value): TextFormats.text(.float64(value), .float64)
      case .bool(let flag): flag ? "true" : "false"
      case .malformed, .empty: nil
      case .bytes(let bytes):
        String(validating: bytes, as: UTF8.self)
          ?? (try? Variant(decoding: encoded)).map { String($0.json().dropFirst().dropLast()) }
      case .composite: (try? Variant(decoding: encoded))?.json()
      }
    }
  }

  static func toDigests(_ vector: Vector) -> Vector {
    var builder = BytesBuilder(capacity: vector.count)
    let digits = Array("0123456789abcdef".utf8)
    vector.withBytes { view in
      for lane in 0..<vector.count {
        guard vector.isValid(lane) else {
          builder.appendNull()
          continue
        }
        let bytes = view[lane]
        var array: [UInt8] = [7]
        EncodedVariant.appendVarint(UInt64(bytes.count / 16), to: &array)
        for digest in 0..<bytes.count / 16 {
          let text = bytes[(16 * digest)..<(16 * digest + 16)].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
          EncodedVariant.appendBytes(text, tag: 5, to: &array)
        }
        builder.append(array)
      }
    }
    return builder.finish()
  }

  static func toVariant(_ vector: Vector, _ type: ColumnType) -> Vector {
    if type == .variant || type == .map { return vector }
    var builder = BytesBuilder(capacity: vector.count)
    var buffer: [UInt8] = []
    for lane in 0..<vector.count {
      buffer.removeAll(keepingCapacity: true)
      appendVariant(vector.value(lane), type, to: &buffer)
      if buffer.isEmpty { builder.appendNull() } else { builder.append(buffer) }
    }
    return builder.finish()
  }

  /// Appends nothing for null.
  static func appendVariant(_ value: Value, _ type: ColumnType, to out: inout [UInt8]) {
    switch value {
    case .null: break
    case .int64(let number):
      switch type {
      case .enumeration, .id8:
        EncodedVariant.appendBytes(Array((TextFormats.text(value, type) ?? "").utf8), tag: 5, to: &out)
      default: EncodedVariant.appendInt(number, to: &out)
      }
    case .float64(let number): EncodedVariant.appendDouble(number, to: &out)
    case .bool(let flag): out.append(flag ? 2 : 1)
    case .id128: EncodedVariant.appendBytes(Array((TextFormats.text(value, type) ?? "").utf8), tag: 5, to: &out)
    case .bytes(let bytes):
      switch type {
      case .variant, .map: out += bytes
      default: EncodedVariant.appendBytes(bytes, tag: type == .bytes ? 6 : 5, to: &out)
      }
    }
  }
}
