/// The indices of the true lanes (of `base`'s rows where given), ascending.
///
/// Eight flags at a time: words without a true flag cost one test.
func selectTrue(_ flags: [Bool], validity: [Bool]?, base: [UInt32]?) -> [UInt32] {
  let count = flags.count
  return [UInt32](unsafeUninitializedCapacity: count) { out, initialized in
    guard let start = out.baseAddress else { return }
    let length = flags.withUnsafeBytes { flags in
      if let validity {
        return validity.withUnsafeBytes { selectTrue(flags, $0, start) }
      }
      return selectTrue(flags, nil, start)
    }
    if let base {
      base.withUnsafeBufferPointer { base in
        for index in 0..<length { start[index] = base[Int(start[index])] }
      }
    }
    initialized = length
  }
}

@inline(__always)
private func selectTrue(
  _ flags: UnsafeRawBufferPointer, _ validity: UnsafeRawBufferPointer?, _ out: UnsafeMutablePointer<UInt32>
) -> Int {
  let all: UInt64 = 0x0101_0101_0101_0101
  var length = 0
  var index = 0
  while index &+ 8 <= flags.count {
    var word = flags.loadUnaligned(fromByteOffset: index, as: UInt64.self)
    if let validity { word &= validity.loadUnaligned(fromByteOffset: index, as: UInt64.self) }
    if word == all {
      for lane in 0..<8 { out[length &+ lane] = UInt32(truncatingIfNeeded: index &+ lane) }
      length &+= 8
    } else {
      while word != 0 {
        out[length] = UInt32(truncatingIfNeeded: index &+ (word.trailingZeroBitCount >> 3))
        length &+= 1
        word &= word &- 1
      }
    }
    index &+= 8
  }
  while index < flags.count {
    let flag = flags[index] & (validity?[index] ?? 1)
    if flag != 0 {
      out[length] = UInt32(truncatingIfNeeded: index)
      length &+= 1
    }
    index &+= 1
  }
  return length
}
