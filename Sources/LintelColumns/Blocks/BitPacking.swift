internal import CLintelKernels

/// Runs of values at a fixed number of bits each.
///
///     packed(m, w) := for m = 1024: 128 * w bytes, vertical: up to 32 bits wide 32 lanes of 32-bit words, beyond 16 lanes
///                       of 64-bit words; value i in lane i % lanes at bit i / lanes * w; word j of lane l is word
///                       j * lanes + l
///                     for m < 1024: (m * w + 7) / 8 bytes, one stream of bits, value i at bit i * w, low bits first
///
/// The vertical layout decodes a vector of lanes with each instruction; the stream serves what is left at the end of a
/// block. Both are written to disk and never change.
enum BitPacking {
  /// Values of a full chunk.
  static let chunk = 1024

  /// How many bits the value takes.
  @inline(__always)
  static func width(_ value: UInt64) -> Int { 64 &- value.leadingZeroBitCount }

  /// Bytes of `count` (at most ``chunk``) values of `width` bits.
  @inline(__always)
  static func byteCount(_ count: Int, width: Int) -> Int { (count &* width &+ 7) &>> 3 }

  /// Appends the low `width` bits of each value less `base`; at most ``chunk`` values.
  static func pack(_ values: UnsafeBufferPointer<Int64>, width: Int, base: Int64, into out: inout [UInt8]) {
    guard width > 0, let source = values.baseAddress else { return }
    out.append(count: byteCount(values.count, width: width)) { target in
      guard let start = target.baseAddress else { return }
      if values.count == chunk {
        lintel_pack_i64(source, UInt32(truncatingIfNeeded: width), base, start)
      } else {
        packStream(values, width, base, target)
      }
    }
  }

  /// Decodes `out.count` (at most ``chunk``) values, `base` added.
  @inline(__always)
  static func unpack<Lane: PackedLane>(
    _ reader: inout ByteReader, width: Int, base: Lane, into out: UnsafeMutableBufferPointer<Lane>
  ) throws(ColumnError) {
    guard width >= 0, width <= Lane.maximumWidth else {
      throw ColumnError(.malformed, "values of \(width) bits don't fit their lanes")
    }
    let packed = try reader.take(byteCount(out.count, width: width))
    guard let target = out.baseAddress else { return }
    if width == 0 {
      out.update(repeating: base)
    } else if out.count == chunk, let start = packed.baseAddress {
      Lane.unpackChunk(start, width: width, base: base, into: target)
    } else {
      unpackStream(packed, width, base, out)
    }
  }

  /// Value `place` of the full chunk whose bytes begin at `start`.
  @inline(__always)
  static func bits(_ packed: UnsafeRawBufferPointer, at start: Int, width: Int, place: Int) -> UInt64 {
    if width == 0 { return 0 }
    let mask = UInt64.max &>> UInt64(64 &- width)
    if width <= 32 {
      let bit = place &>> 5 &* width
      let shift = bit & 31
      let low = start &+ ((bit &>> 5) &* 32 &+ (place & 31)) &* 4
      let high = shift &+ width > 32 ? low &+ 128 : low
      let word =
        UInt64(packed.loadUnaligned(fromByteOffset: low, as: UInt32.self))
        | UInt64(packed.loadUnaligned(fromByteOffset: high, as: UInt32.self)) &<< 32
      return word &>> UInt64(shift) & mask
    }
    let bit = place &>> 4 &* width
    let shift = UInt64(bit & 63)
    let low = start &+ ((bit &>> 6) &* 16 &+ (place & 15)) &* 8
    var word = packed.loadUnaligned(fromByteOffset: low, as: UInt64.self) &>> shift
    if Int(shift) &+ width > 64 {
      word |= packed.loadUnaligned(fromByteOffset: low &+ 128, as: UInt64.self) &<< (64 &- shift)
    }
    return word & mask
  }

  private static func packStream(
    _ values: UnsafeBufferPointer<Int64>, _ width: Int, _ base: Int64, _ target: UnsafeMutableRawBufferPointer
  ) {
    let mask = UInt64.max &>> UInt64(64 &- width)
    let wordCount = (values.count &* width &+ 63) &>> 6 &+ 1
    withScratch(of: UInt64.self, count: wordCount) { words in
      words.initialize(repeating: 0)
      var bit = 0
      for value in values {
        let bits = UInt64(bitPattern: value &- base) & mask
        let shift = UInt64(bit & 63)
        words[bit &>> 6] |= bits &<< shift
        words[bit &>> 6 &+ 1] |= (bits &>> 1) &>> (63 &- shift)
        bit &+= width
      }
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(words)[..<target.count]))
    }
  }

  @inline(__always)
  private static func unpackStream<Lane: PackedLane>(
    _ packed: UnsafeRawBufferPointer, _ width: Int, _ base: Lane, _ out: UnsafeMutableBufferPointer<Lane>
  ) {
    let mask = UInt64.max &>> UInt64(64 &- width)
    // One word more than the bits need, so that reading the next word is always allowed.
    let wordCount = packed.count &>> 3 &+ 2
    withScratch(of: UInt64.self, count: wordCount) { words in
      words.initialize(repeating: 0)
      UnsafeMutableRawBufferPointer(words).copyMemory(from: packed)
      var bit = 0
      for index in 0..<out.count {
        let shift = UInt64(bit & 63)
        let word = bit &>> 6
        let bits = (words[word] &>> shift | (words[word &+ 1] &<< 1) &<< (63 &- shift)) & mask
        out[index] = base &+ Lane(truncatingIfNeeded: bits)
        bit &+= width
      }
    }
  }
}
