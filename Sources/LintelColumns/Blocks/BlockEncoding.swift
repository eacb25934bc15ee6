/// How the values of a block are written. Raw values are on disk and never change.
enum BlockEncoding: UInt8, CaseIterable {
  case plain = 0
  case constant = 1
  case runs = 2
  case bitpack = 3
  case delta = 4
  case patched = 5
  case scaled = 6
  case bitmap = 7
  case strings = 8
  case stringsLZ4 = 9
  case stringsZstd = 10
  /// No valid row.
  case empty = 11
  case binned = 12
  case fresh = 13
  case templates = 14
  case lists = 15
  // What follows from other columns' blocks; see the folder Related.
  case keyed = 32
  case ordinals = 33
  case offsets = 34
  case linear = 35
  case classes = 36
  case enclosing = 37

  var name: String {
    switch self {
    case .plain: "plain"
    case .constant: "constant"
    case .runs: "rle"
    case .bitpack: "bitpack"
    case .delta: "delta"
    case .patched: "patched"
    case .scaled: "scaled"
    case .bitmap: "bitmap"
    case .strings: "plain"
    case .stringsLZ4: "lz4"
    case .stringsZstd: "zstd"
    case .empty: "null"
    case .binned: "binned"
    case .fresh: "fresh"
    case .templates: "template"
    case .lists: "lists"
    case .keyed: "keyed"
    case .ordinals: "ordinals"
    case .offsets: "offsets"
    case .linear: "linear"
    case .classes: "classes"
    case .enclosing: "enclosing"
    }
  }

  static func read(_ reader: inout ByteReader) throws(ColumnError) -> BlockEncoding {
    let tag = try reader.byte()
    guard let encoding = BlockEncoding(rawValue: tag) else {
      throw ColumnError(.unsupportedEncoding, "block encoding \(tag) was written by a newer Lintel, or is damaged")
    }
    return encoding
  }
}

/// `count` lanes that `fill` writes, all of them unless it throws.
@inline(__always)
func filledLanes<Lane: BitwiseCopyable>(
  _ count: Int, _ fill: (UnsafeMutableBufferPointer<Lane>) throws(ColumnError) -> Void
) throws(ColumnError) -> [Lane] {
  var failure: ColumnError?
  let lanes = [Lane](unsafeUninitializedCapacity: count) { buffer, initialized in
    let out = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
    do throws(ColumnError) {
      try fill(out)
      initialized = count
    } catch {
      failure = error
    }
  }
  if let failure { throw failure }
  return lanes
}
