/// Lists' elements as they have been read.
struct StoredLists {
  let forms: [UInt32]
  /// Elements of each list.
  let counts: [UInt32]
  /// For each list of integers how many of these back the one is that it begins like; 0 for none.
  private(set) var distances: [UInt32] = []
  /// For each list with a distance how many elements it has in common.
  private(set) var shared: [UInt32] = []
  /// The other elements of all lists of integers.
  private(set) var integers: [Int64] = []
  private(set) var doubles: [Double] = []
  private(set) var texts = ByteStrings()
  private(set) var others = ByteStrings()

  /// - Parameter size: Bytes of the body, which bound what is believed.
  init(_ reader: inout ByteReader, valueCount: Int, size: Int) throws(ColumnError) {
    let forms: [UInt32] = try StoredLists.numbers(&reader, valueCount)
    guard Kernels.maximum(forms) <= ListForm.strings.rawValue else {
      throw ColumnError(.malformed, "a list of an unknown form")
    }
    var lists = [0, 0, 0, 0]
    for form in forms { lists[Int(form)] &+= 1 }
    counts = try StoredLists.numbers(&reader, valueCount - lists[0])
    self.forms = forms
    var elements = [0, 0, 0, 0]
    var list = 0
    for form in forms where form != ListForm.other.rawValue {
      elements[Int(form)] &+= Int(counts[list])
      list &+= 1
    }
    if lists[1] > 0 {
      distances = try StoredLists.numbers(&reader, lists[1])
      shared = try StoredLists.numbers(&reader, distances.count { $0 > 0 })
      for length in shared { elements[1] &-= Int(length) }
    }
    guard elements[1] >= 0, elements.reduce(0, +) / ListCodec.maximumElementsPerByte <= size else {
      throw ColumnError(.malformed, "\(size) bytes of lists claim to hold \(elements.reduce(0, +)) elements")
    }
    if lists[1] > 0 { integers = try StoredLists.numbers(&reader, elements[1]) }
    if lists[2] > 0 {
      let encoding = try BlockEncoding.read(&reader)
      doubles = try filledLanes(elements[2]) { (lanes) throws(ColumnError) in
        try DoubleCodec.decodeBody(encoding, &reader, into: lanes)
      }
    }
    if lists[3] > 0 { texts = try StoredLists.strings(&reader, elements[3]) }
    if lists[0] > 0 { others = try StoredLists.strings(&reader, lists[0]) }
  }

  private static func numbers<Lane: PackedLane>(
    _ reader: inout ByteReader, _ count: Int
  ) throws(ColumnError) -> [Lane] {
    try filledLanes(count) { (lanes) throws(ColumnError) in try IntegerDecoder.decode(&reader, into: lanes) }
  }

  private static func strings(_ reader: inout ByteReader, _ count: Int) throws(ColumnError) -> ByteStrings {
    let encoding = try BlockEncoding.read(&reader)
    guard encoding != .lists else { throw ColumnError(.malformed, "lists within lists") }
    var bytes: [UInt8] = []
    let lengths: [UInt32] = try filledLanes(count) { (lengths) throws(ColumnError) in
      bytes = try StringCodec.decodeBody(encoding, &reader, lengths: lengths)
    }
    return ByteStrings(checkedLengths: lengths, bytes: bytes)
  }
}
