/// Appends fields of a few bits each, low bits first; the last byte is filled up with zeros.
struct BitFieldWriter {
  private var pending: UInt64 = 0
  private var fill = 0

  /// Appends the low `width` (at most 64) bits of `value`, of which no others are set.
  mutating func append(_ value: UInt64, width: Int, into out: inout [UInt8]) {
    if width > 32 {
      append(value & 0xFFFF_FFFF, width: 32, into: &out)
      return append(value &>> 32, width: width &- 32, into: &out)
    }
    pending |= value &<< UInt64(fill)
    fill &+= width
    while fill >= 8 {
      out.append(UInt8(truncatingIfNeeded: pending))
      pending &>>= 8
      fill &-= 8
    }
  }

  mutating func finish(into out: inout [UInt8]) {
    if fill > 0 { out.append(UInt8(truncatingIfNeeded: pending)) }
    self = BitFieldWriter()
  }
}

/// Reads what ``BitFieldWriter`` writes.
struct BitFieldReader {
  private var pending: UInt64 = 0
  private var available = 0

  /// The next `width` (at most 64) bits, taken off `reader` byte by byte.
  mutating func field(_ width: Int, _ reader: inout ByteReader) throws(ColumnError) -> UInt64 {
    if width > 32 {
      let low = try field(32, &reader)
      return low | (try field(width &- 32, &reader)) &<< 32
    }
    while available < width {
      pending |= UInt64(try reader.byte()) &<< UInt64(available)
      available &+= 8
    }
    let value = pending & (1 &<< UInt64(width) &- 1)
    pending &>>= UInt64(width)
    available &-= width
    return value
  }
}
