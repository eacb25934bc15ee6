extension ByteStrings {
  /// Values `range`, as strings of their own.
  public func slice(_ range: Range<Int>) -> ByteStrings {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "the slice lies outside the column")
    let start = offsets[range.lowerBound]
    let end = offsets[range.upperBound]
    var result = ByteStrings()
    result.offsets = offsets[range.lowerBound...range.upperBound].map { $0 &- start }
    result.bytes = [UInt8](bytes[Int(start)..<Int(end)])
    return result
  }

  /// Bytes of the values at `rows`, repeats counted.
  func totalLength(of rows: [UInt32]) -> Int {
    let count = count
    return offsets.withUnsafeBufferPointer { offsets in
      var total = 0
      for row in rows {
        precondition(Int(row) < count, "a gathered row lies outside the column")
        total &+= Int(offsets[Int(row) &+ 1] &- offsets[Int(row)])
      }
      return total
    }
  }

  /// Value `rows[i]` becomes value `i`. `nil` when that takes more than 4 GiB.
  func gathered(_ rows: [UInt32]) -> ByteStrings? {
    let total = totalLength(of: rows)
    guard total <= Int(UInt32.max) else { return nil }
    return ByteStrings.expanding(rows, self, nil, byteCount: total)
  }

  /// Value `codes[i]` of `values` becomes value `i`; rows that `validity` clears become empty, as do codes out of range.
  /// The caller has made sure that the result takes no more than 4 GiB.
  static func expanding(
    _ codes: [UInt32], _ values: ByteStrings, _ validity: Bitmap?, byteCount: Int? = nil
  ) -> ByteStrings {
    var result = ByteStrings()
    result.reserveCapacity(codes.count, bytes: byteCount ?? codes.count &* 16)
    let count = UInt32(truncatingIfNeeded: values.count)
    values.bytes.withUnsafeBytes { bytes in
      values.offsets.withUnsafeBufferPointer { offsets in
        for (row, code) in codes.enumerated() {
          if code < count, validity?[row] ?? true {
            let range = Int(offsets[Int(code)])..<Int(offsets[Int(code) &+ 1])
            result.append(UnsafeRawBufferPointer(rebasing: bytes[range]))
          } else {
            result.appendEmpty(count: 1)
          }
        }
      }
    }
    return result
  }

  /// Appends all values of another column. The caller has asked ``hasRoom(for:)``.
  mutating func append(all other: ByteStrings) {
    let base = UInt32(truncatingIfNeeded: bytes.count)
    bytes.append(contentsOf: other.bytes)
    other.offsets.withUnsafeBufferPointer { source in
      offsets.append(contentsOf: source.dropFirst().lazy.map { $0 &+ base })
    }
  }
}

extension ByteStrings {
  /// Values of the given lengths, which add up to the bytes: the caller has checked that.
  init(checkedLengths lengths: [UInt32], bytes: [UInt8]) {
    self.init()
    offsets = [UInt32](unsafeUninitializedCapacity: lengths.count &+ 1) { out, count in
      var offset: UInt32 = 0
      out[0] = 0
      lengths.withUnsafeBufferPointer { lengths in
        for index in 0..<lengths.count {
          offset &+= lengths[index]
          out[index &+ 1] = offset
        }
      }
      count = lengths.count &+ 1
    }
    self.bytes = bytes
  }

  /// `nil` when the lengths don't add up to the bytes.
  init?(lengths: [UInt32], bytes: UnsafeRawBufferPointer) {
    var total: UInt64 = 0
    for length in lengths { total &+= UInt64(length) }
    guard total == UInt64(bytes.count), total <= UInt64(UInt32.max) else { return nil }
    self.init(checkedLengths: lengths, bytes: [UInt8](bytes))
  }
}
