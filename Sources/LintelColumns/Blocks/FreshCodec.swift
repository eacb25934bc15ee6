/// Dictionary codes numbered by first use: a row has either the next code that no row before had, or an older one.
///
///     fresh := first:varint, fresh rows:varint, integers (1 where a row is fresh, otherwise 0), integers (the other rows'
///              codes)
///
/// Fresh rows have the codes first, first + 1 and so on. Where most values occur once or twice, as response ids and content
/// digests do, their codes cost nothing but the flag. Neither sequence may itself be fresh.
enum FreshCodec {
  /// Appends the body if it is shorter by a sixteenth than `rivalSize`; otherwise nothing.
  static func encodeBody(_ codes: UnsafeBufferPointer<Int64>, rivalSize: Int, into out: inout [UInt8]) -> Bool {
    guard let first = firstFresh(codes) else { return false }
    let start = out.count
    withScratch(of: Int64.self, count: codes.count * 2 + 1) { scratch in
      let flags = UnsafeMutableBufferPointer(rebasing: scratch[..<codes.count])
      let others = UnsafeMutableBufferPointer(rebasing: scratch[codes.count...])
      var next = first
      var otherCount = 0
      for row in 0..<codes.count {
        let code = codes[row]
        let isFresh = Int(unsafeBitCast(code == next, to: UInt8.self))
        flags[row] = Int64(truncatingIfNeeded: isFresh)
        others[otherCount] = code
        next &+= Int64(truncatingIfNeeded: isFresh)
        otherCount &+= 1 &- isFresh
      }
      let freshCount = codes.count - otherCount
      out.append(varint: UInt64(first))
      out.append(varint: UInt64(freshCount))
      IntegerEncoder.encodeFlags(UnsafeBufferPointer(flags), into: &out)
      IntegerEncoder.encode(
        UnsafeBufferPointer(rebasing: others[..<otherCount]), effort: .compact, into: &out)
    }
    let size = out.count - start
    if size <= rivalSize - rivalSize / 16 { return true }
    out.removeLast(size)
    return false
  }

  /// Where the codes seem to become fresh: the last that exceeds all before it by more than one. `nil` where too few come
  /// after it: one fresh row in sixteen saves too little.
  private static func firstFresh(_ codes: UnsafeBufferPointer<Int64>) -> Int64? {
    guard let start = codes.first else { return nil }
    var first = start
    var greatest = start
    for code in codes where code > greatest {
      if code > greatest &+ 1 { first = code }
      greatest = code
    }
    return greatest &- first >= codes.count / 16 ? first : nil
  }

  static func decodeBody(
    _ reader: inout ByteReader, into out: UnsafeMutableBufferPointer<UInt32>
  ) throws(ColumnError) {
    var next = UInt32(truncatingIfNeeded: try reader.varint())
    let freshCount = try reader.varint()
    guard freshCount <= UInt64(out.count) else {
      throw ColumnError(.malformed, "\(freshCount) fresh codes in \(out.count) rows")
    }
    // The flags are read into where the codes go.
    try IntegerDecoder.decode(&reader, into: out)
    var flagged: UInt64 = 0
    for flag in out { flagged &+= UInt64(flag) }
    guard Kernels.maximum(UnsafeBufferPointer(out)) <= 1, flagged == freshCount else {
      throw ColumnError(.malformed, "\(flagged) rows are flagged where \(freshCount) are fresh")
    }
    let otherCount = out.count &- Int(freshCount)
    // One lane more, which is read and not used when the last row is fresh.
    let others: [UInt32] = try filledLanes(otherCount + 1) { (lanes) throws(ColumnError) in
      lanes[otherCount] = 0
      try IntegerDecoder.decode(&reader, into: UnsafeMutableBufferPointer(rebasing: lanes[..<otherCount]))
    }
    others.withUnsafeBufferPointer { others in
      var other = 0
      for row in 0..<out.count {
        let flag = out[row]
        out[row] = flag != 0 ? next : others[other]
        next &+= flag
        other &+= Int(1 &- flag)
      }
    }
  }
}
