/// Writes values from the elements of lists. What lists have in common is copied from where it has been written before.
struct ListWriter {
  private let out: UnsafeMutableBufferPointer<UInt8>
  private var position = 0
  /// Where the elements of each list of integers begin, and how many there are.
  private var written: [(start: Int, count: Int)] = []
  private var next = (shared: 0, integer: 0, double: 0, text: 0, other: 0)

  /// The bytes of all values, which must be so many; their lengths go into `lengths`.
  static func bytes(
    of lists: StoredLists, byteCount: Int, lengths: UnsafeMutableBufferPointer<UInt32>
  ) throws(ColumnError) -> [UInt8] {
    try filledLanes(byteCount) { (out) throws(ColumnError) in
      var writer = ListWriter(out: out)
      var counts = lists.counts.makeIterator()
      for (row, form) in lists.forms.enumerated() {
        let start = writer.position
        if let form = ListForm(rawValue: form), form != .other, let count = counts.next() {
          try writer.write(lists, form, Int(count))
        } else {
          try writer.put(lists.others, writer.next.other)
          writer.next.other &+= 1
        }
        lengths[row] = UInt32(truncatingIfNeeded: writer.position - start)
      }
      guard writer.position == byteCount else {
        throw ColumnError(.malformed, "lists of \(writer.position) bytes where \(byteCount) are claimed")
      }
    }
  }

  private init(out: UnsafeMutableBufferPointer<UInt8>) { self.out = out }

  private mutating func write(_ lists: StoredLists, _ form: ListForm, _ count: Int) throws(ColumnError) {
    try put(VariantTag.array, varint: UInt64(count))
    switch form {
    case .integers: try writeIntegers(lists, count)
    case .doubles:
      for _ in 0..<count {
        try room(9)
        out[position] = VariantTag.double
        let bits = lists.doubles[next.double].bitPattern.littleEndian
        UnsafeMutableRawBufferPointer(out).storeBytes(of: bits, toByteOffset: position &+ 1, as: UInt64.self)
        position &+= 9
        next.double &+= 1
      }
    case .strings:
      for _ in 0..<count {
        try put(VariantTag.string, varint: UInt64(lists.texts.length(next.text)))
        try put(lists.texts, next.text)
        next.text &+= 1
      }
    case .other: break
    }
  }

  private mutating func writeIntegers(_ lists: StoredLists, _ count: Int) throws(ColumnError) {
    let start = position
    let distance = Int(lists.distances[written.count])
    var own = count
    if distance > 0 {
      let length = Int(lists.shared[next.shared])
      next.shared &+= 1
      guard distance <= written.count, length <= count, length <= written[written.count &- distance].count else {
        throw ColumnError(.malformed, "a list begins with \(length) elements of a list that hasn't them")
      }
      try copyElements(length, from: written[written.count &- distance].start)
      own &-= length
    }
    // All lists together have as many as there are, but a length may be wrong that comes later.
    guard own <= lists.integers.count &- next.integer else { throw ColumnError(.malformed, "a list lacks elements") }
    for index in next.integer..<next.integer &+ own {
      try put(VariantTag.int, varint: zigZagEncoded(lists.integers[index]))
    }
    next.integer &+= own
    written.append((start, count))
  }

  /// Copies integers that have been written.
  private mutating func copyElements(_ count: Int, from start: Int) throws(ColumnError) {
    var end = start
    for _ in 0..<count {
      end &+= 1
      while out[end] >= 0x80 { end &+= 1 }
      end &+= 1
    }
    try room(end &- start)
    for index in start..<end {
      out[position] = out[index]
      position &+= 1
    }
  }

  private mutating func put(_ strings: ByteStrings, _ index: Int) throws(ColumnError) {
    let range = strings.range(index)
    try room(range.count)
    strings.bytes.withUnsafeBufferPointer { source in
      for byte in range {
        out[position] = source[byte]
        position &+= 1
      }
    }
  }

  private mutating func put(_ tag: UInt8, varint value: UInt64) throws(ColumnError) {
    try room(1 &+ (BitPacking.width(value | 1) &+ 6) / 7)
    out[position] = tag
    position &+= 1
    var rest = value
    while rest >= 0x80 {
      out[position] = UInt8(truncatingIfNeeded: rest) | 0x80
      position &+= 1
      rest &>>= 7
    }
    out[position] = UInt8(truncatingIfNeeded: rest)
    position &+= 1
  }

  private func room(_ count: Int) throws(ColumnError) {
    guard count <= out.count &- position else { throw ColumnError(.malformed, "lists of more than \(out.count) bytes") }
  }
}
