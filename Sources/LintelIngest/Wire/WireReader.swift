/// Why bytes are not a protobuf message. Always about the whole request: past such a place nothing can be trusted.
struct WireError: Error, Hashable {
  enum Code: Hashable {
    case truncated, overlongVarint, lengthPastEnd, illegalTag, wrongWireType, groupMismatch, tooDeep, tooLarge,
      invalidText
  }

  let code: Code
  /// Where, in bytes from the start of the request.
  let offset: Int
}

/// A run of bytes inside the request.
typealias WireSlice = UnsafeRawBufferPointer

extension WireSlice {
  /// No bytes.
  static var nothing: WireSlice { WireSlice(start: nil, count: 0) }
}

/// Reads protobuf fields from bytes that it doesn't own, without copying.
///
///     message := field*        field := tag payload        tag := varint(number << 3 | type)
///     type    := 0 varint | 1 eight bytes | 2 length and bytes | 3 group start | 4 group end | 5 four bytes
///
/// As strict as the official decoder: tags and lengths take at most five bytes, other varints at most ten and 64 bits,
/// field number 0 and types 6 and 7 are illegal, a length may not pass the end of its message, groups must balance.
struct WireReader {
  /// Nesting of groups that is skipped before the message is refused, as in the official decoder.
  static let maximumGroupDepth = 100

  private(set) var cursor: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>
  /// Start of the request, for offsets in errors.
  let origin: UnsafePointer<UInt8>

  /// Stands in where a slice has no memory of its own.
  private static var nowhere: UnsafePointer<UInt8> { ("" as StaticString).utf8Start }

  init(_ bytes: WireSlice) {
    cursor = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? Self.nowhere
    end = cursor + bytes.count
    origin = cursor
  }

  /// A reader of `slice`, which lies inside what `parent` reads.
  @inline(__always)
  init(_ slice: WireSlice, in parent: borrowing WireReader) {
    let nowhere = parent.end
    cursor = slice.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nowhere
    end = cursor + slice.count
    origin = parent.origin
  }

  @inline(__always)
  var isAtEnd: Bool { cursor == end }

  @inline(__always)
  var remaining: Int { end - cursor }

  func failure(_ code: WireError.Code) -> WireError { WireError(code: code, offset: cursor - origin) }

  /// A field's number and wire type, as one number: `number << 3 | type`.
  @inline(__always)
  mutating func readTag() throws(WireError) -> UInt32 {
    guard cursor != end else { throw failure(.truncated) }
    let first = cursor.pointee
    if first < 0x80 {
      // Numbers from 1 to 15; a byte below 8 would be field number 0.
      guard first >= 8 else { throw failure(.illegalTag) }
      cursor += 1
      return UInt32(first)
    }
    return try readLongTag()
  }

  private mutating func readLongTag() throws(WireError) -> UInt32 {
    let tag = try readSmallVarint()
    guard tag >= 8 else { throw failure(.illegalTag) }
    return tag
  }

  /// A varint of at most five bytes and 32 bits: a tag or a length.
  private mutating func readSmallVarint() throws(WireError) -> UInt32 {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 35 {
      guard cursor != end else { throw failure(.truncated) }
      let byte = cursor.pointee
      cursor += 1
      result |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 {
        guard result <= UInt64(UInt32.max) else { throw failure(.overlongVarint) }
        return UInt32(truncatingIfNeeded: result)
      }
      shift &+= 7
    }
    throw failure(.overlongVarint)
  }

  @inline(__always)
  mutating func readVarint() throws(WireError) -> UInt64 {
    guard cursor != end else { throw failure(.truncated) }
    let first = cursor.pointee
    if first < 0x80 {
      cursor += 1
      return UInt64(first)
    }
    return try readLongVarint()
  }

  private mutating func readLongVarint() throws(WireError) -> UInt64 {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 70 {
      guard cursor != end else { throw failure(.truncated) }
      let byte = cursor.pointee
      cursor += 1
      // The tenth byte holds bit 63 alone.
      guard shift < 63 || byte <= 1 else { throw failure(.overlongVarint) }
      result |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return result }
      shift &+= 7
    }
    throw failure(.overlongVarint)
  }

  @inline(__always)
  mutating func readFixed64() throws(WireError) -> UInt64 {
    guard remaining >= 8 else { throw failure(.truncated) }
    let value = UnsafeRawPointer(cursor).loadUnaligned(as: UInt64.self)
    cursor += 8
    return UInt64(littleEndian: value)
  }

  @inline(__always)
  mutating func readFixed32() throws(WireError) -> UInt32 {
    guard remaining >= 4 else { throw failure(.truncated) }
    let value = UnsafeRawPointer(cursor).loadUnaligned(as: UInt32.self)
    cursor += 4
    return UInt32(littleEndian: value)
  }

  /// The payload of a field of type 2.
  @inline(__always)
  mutating func readSlice() throws(WireError) -> WireSlice {
    guard cursor != end else { throw failure(.truncated) }
    let first = cursor.pointee
    let length: Int
    if first < 0x80 {
      cursor += 1
      length = Int(first)
    } else {
      length = Int(try readSmallVarint())
    }
    guard length <= remaining else { throw failure(.lengthPastEnd) }
    let slice = WireSlice(start: cursor, count: length)
    cursor += length
    return slice
  }

  /// Passes over the payload of a field that the reader doesn't know.
  mutating func skip(_ tag: UInt32) throws(WireError) {
    switch tag & 7 {
    case 0: _ = try readVarint()
    case 1: _ = try readFixed64()
    case 2: _ = try readSlice()
    case 3: try skipGroup(tag >> 3)
    case 5: _ = try readFixed32()
    case 4: throw failure(.groupMismatch)
    default: throw failure(.illegalTag)
    }
  }

  /// Groups are skipped with a stack of their numbers, not by recursion.
  private mutating func skipGroup(_ number: UInt32) throws(WireError) {
    var open = [number]
    while let innermost = open.last {
      let tag = try readTag()
      switch tag & 7 {
      case 3:
        guard open.count < Self.maximumGroupDepth else { throw failure(.tooDeep) }
        open.append(tag >> 3)
      case 4:
        guard tag >> 3 == innermost else { throw failure(.groupMismatch) }
        open.removeLast()
      default: try skip(tag)
      }
    }
  }

  /// For a field of a known number that came with a wire type it can't have. The official decoder takes it for an unknown
  /// field and goes on with the value missing; Lintel refuses the request, for no sender writes this on purpose.
  func wrongType(_ tag: UInt32) -> WireError {
    tag & 7 == 4 ? failure(.groupMismatch) : failure(tag & 7 > 5 ? .illegalTag : .wrongWireType)
  }
}
