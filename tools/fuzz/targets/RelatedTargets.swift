@testable import LintelColumns

/// Blocks that refer to other columns: 0 has runs, 1 keys of a dictionary, 2 to 4 integers, one of them with nulls.
struct FuzzRelated: RelatedBlocks {
  let rows: Int

  func keys(_ reference: BlockReference) throws(ColumnError) -> RowKeys {
    let keys: RowKeys? =
      switch (reference.column, reference.kind) {
      case (0, .runs): RowKeys(runsOf: ColumnVector(.int64((0..<rows).map { Int64($0 / 7) })))
      case (1, .values):
        RowKeys(
          codes: (0..<rows).map { UInt32($0 * $0 % 11) }, validity: Bitmap(words: words, count: rows),
          dictionaryCount: 12)
      default: nil
      }
    guard let keys else { throw ColumnError(.malformed, "no keys") }
    return keys
  }

  func integers(_ column: Int) throws(ColumnError) -> ColumnVector {
    guard (2...4).contains(column) else { throw ColumnError(.malformed, "no integers") }
    let lanes = (0..<rows).map { Int64($0 &* 0x9E37_79B9 &* column) &* (column == 3 ? 1 << 30 : 1) }
    return ColumnVector(.int64(lanes), validity: column == 4 ? Bitmap(words: words, count: rows) : nil)
  }

  private var words: [UInt64] { Array(repeating: 0xFFFF_0FF0_7BDE_5A5A, count: (rows + 63) / 64) }
}

let relatedTargets: [String: FuzzTarget] = [
  "related-int64": { decodeRelated(.int64, $0, $1) },
  "related-codes": { decodeRelated(.bytes, $0, $1) },
  "filters": { blocks, bytes in
    guard let filters = try? BlockFilters(decoding: bytes, blockCount: blocks) else { return }
    for block in -1...blocks + 1 { _ = filters.mayContain(UInt64(block & 7) &* 0x9E37_79B9_7F4A_7C15, block: block) }
    _ = filters.dropFirst(blocks / 2).mayContain(1, block: blocks)
  },
]

extension ColumnVector.Storage {
  fileprivate var int64: [Int64]? { if case .int64(let lanes) = self { lanes } else { nil } }
}

private func decodeRelated(_ type: PhysicalType, _ rows: Int, _ bytes: UnsafeRawBufferPointer) {
  let dictionary = type == .bytes ? ValueDictionary(.bytes(ByteStrings((0..<50).map { "value \($0)" }))) : nil
  let related = FuzzRelated(rows: rows)
  if let vector = try? BlockCodec.decode(
    bytes, type: type, rowCount: rows, dictionary: dictionary, related: related)
  {
    precondition(vector.count == rows)
    if case .codes(let codes, let dictionary) = vector.storage {
      precondition(codes.allSatisfy { $0 < dictionary.count })
    }
    if type == .int64, let linked = try? LinkedVector(decoding: bytes, rowCount: rows, related: related) {
      let ids = try? related.integers(linked.idColumn)
      let followed = ids.flatMap { try? linked.vector(ids: $0) }
      precondition(followed.map { $0.storage.int64 == vector.storage.int64 } ?? false)
    }
  }
  for kind in [BlockReference.Kind.runs, .values] {
    let keys = try? BlockCodec.decodeKeys(
      bytes, type: type, rowCount: rows, dictionaryCount: 50, kind: kind, related: related)
    precondition(keys.map { $0.keys.count == rows } ?? true)
  }
}

/// What each relation gives, and a validity that follows from keys.
func relatedSeeds() -> [FuzzSeed] {
  let rows = 300
  let related = FuzzRelated(rows: rows)
  let runs = BlockReference(0, .runs)
  let values = BlockReference(1, .values)
  guard let keys = try? related.keys(values).keys, let ids = try? related.integers(3),
    let terms = try? related.integers(2), case .int64(let lanes) = ids.storage, case .int64(let tokens) = terms.storage
  else { return [] }
  let keyed = keys.map { Int64($0) * 1000 }
  let halfValid = Bitmap(words: (0..<5).map { _ in 0x5555_AAAA_0F0F_FFFF }, count: rows)
  let vectors: [(String, ColumnVector, BlockRelation)] = [
    ("keyed", ColumnVector(.int64(keyed)), .keyed(values)),
    ("keyed-nulls", ColumnVector(.int64(keyed), validity: halfValid), .keyed(values)),
    ("ordinals", ColumnVector(.int64((0..<rows).map { lanes[$0 / 7 * 7] })), .ordinals(runs: runs, ids: 3)),
    (
      "offsets", ColumnVector(.int64((0..<rows).map { Int64($0 / 7 * 7919 % 1000) << 40 + Int64($0 % 7) })),
      .offsets(runs: runs)
    ),
    (
      "linear", ColumnVector(.int64((0..<rows).map { tokens[$0] &* Int64(2 + keys[$0]) })),
      .linear(keys: values, terms: [2])
    ),
  ]
  var seeds: [FuzzSeed] = vectors.map { name, vector, relation in
    var encoder = BlockEncoder([relation])
    var out: [UInt8] = []
    _ = encoder.encode(vector, related, into: &out)
    return (name, rows, out)
  }
  let dictionary = ValueDictionary(.bytes(ByteStrings((0..<50).map { "value \($0)" })))
  var encoder = BlockEncoder([.keyed(values)])
  var out: [UInt8] = []
  _ = encoder.encode(ColumnVector(.codes(keys.map { UInt32($0) }, dictionary)), related, into: &out)
  seeds.append(("keyed-codes", rows, out))
  return seeds + classedSeeds(related, ids: lanes, keys: keys)
}

/// Values in classes of every kind, and lengths that enclose others. What doesn't pay here is written all the same.
private func classedSeeds(_ related: FuzzRelated, ids: [Int64], keys: [UInt16]) -> [FuzzSeed] {
  let contexts: [(String, ClassContext)] = [
    ("nothing", .nothing), ("key", .key(BlockReference(1, .values))), ("magnitude", .magnitude(column: 3, steps: 2)),
    ("previous", .previous(runs: BlockReference(0, .runs), steps: 1)),
  ]
  let dictionary = ValueDictionary(.bytes(ByteStrings((0..<50).map { "value \($0)" })))
  let values: [(String, ColumnVector.Storage)] = [
    ("integers", .int64(keys.indices.map { Int64(keys[$0]) << 8 | Int64($0 % 5) })),
    ("codes", .codes(keys.map { UInt32($0) * 2 }, dictionary)),
  ]
  var seeds: [FuzzSeed] = []
  for (name, context) in contexts {
    let relations: [(String, BlockRelation)] = [
      ("classes", .classes(context)), ("enclosing", .enclosing(runs: BlockReference(0, .runs), starts: 2, context)),
    ]
    for (way, relation) in relations {
      for (kind, storage) in values {
        var out: [UInt8] = [0, 0]
        guard let encoding = BlockEncoder.encodeBody(ColumnVector(storage), relation, related, into: &out) else { continue }
        out[0] = encoding.rawValue
        seeds.append(("\(way)-\(name)-\(kind)", related.rows, out))
      }
    }
  }
  precondition(seeds.count == 3 * contexts.count - 1, "some encoding has no seed")
  return seeds
}

/// Filters of each form.
func filterSeeds() -> [FuzzSeed] {
  [20, 3000, 70_000].map { keys in
    var builder = BlockFilterBuilder()
    for block in 0..<3 {
      var hashes: [UInt64] = []
      for key in 0..<keys / 3 { hashes.append(UInt64(key + block) &* 0x9E37_79B9_7F4A_7C15) }
      builder.add(hashes)
    }
    var out: [UInt8] = []
    builder.finish().encode(into: &out)
    return ("filters-\(keys)", 3, out)
  }
}
