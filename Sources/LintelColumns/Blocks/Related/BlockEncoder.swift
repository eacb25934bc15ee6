/// A way in which a column's blocks may follow from those of other columns.
public enum BlockRelation: Sendable, Hashable {
  /// The value, and whether there is one, mostly follows from the key.
  case keyed(BlockReference)
  /// The value is the id of another row of the same run.
  case ordinals(runs: BlockReference, ids: Int)
  /// The values ascend within the runs.
  case offsets(runs: BlockReference)
  /// The value is a sum of other columns, times factors that follow from the key.
  case linear(keys: BlockReference, terms: [Int])
  /// Rows of which the same is known have values like each other.
  case classes(ClassContext)
  /// The first of each run reaches as far as the others, counted from the values in the column of starts.
  case enclosing(runs: BlockReference, starts: Int, ClassContext)
}

/// Encodes the blocks of one column, one after the other, by themselves or as what follows from other columns.
///
/// Whatever takes fewer bytes wins. Every ``trialInterval``-th block tries all ways; those between use what won there, so
/// that many relations cost little time.
public struct BlockEncoder {
  private let relations: [BlockRelation]
  private let effort: EncodingEffort
  private var blocks = 0
  /// Numbers of the relations that won; `nil` where none did.
  private var bodyChoice: Int?
  private var validityChoice: Int?

  private static let trialInterval = 16

  /// - Parameter effort: At least compact: relations are for merges.
  public init(_ relations: [BlockRelation], effort: EncodingEffort = .compact) {
    self.relations = relations
    self.effort = effort
  }

  /// Appends the block as ``BlockCodec/encode(_:effort:into:)`` does.
  public mutating func encode(
    _ vector: ColumnVector, _ related: some RelatedBlocks, into out: inout [UInt8]
  ) -> BlockStatistics {
    let nullCount = vector.nullCount
    guard !relations.isEmpty, nullCount < vector.count else {
      return BlockCodec.encode(vector, effort: effort, into: &out)
    }
    let isTrial = blocks % Self.trialInterval == 0
    blocks += 1
    let validity = nullCount > 0 ? vector.validity : nil
    let values = BlockValues(vector, validity, count: vector.count - nullCount)
    let start = out.count
    out.append(contentsOf: [BlockEncoding.empty.rawValue, BlockCodec.flags(vector)])
    if let validity { out[start + 1] |= encodeValidity(validity, related, isTrial, into: &out) }
    let bodyStart = out.count
    var encoding = encodeBody(values, related, isTrial, into: &out)
    var bounds = values.bounds
    if encoding == nil || isTrial {
      let size = encoding == nil ? Int.max : out.count - bodyStart
      var plain: [UInt8] = []
      let result = BlockCodec.encodeBody(vector, validity, count: values.count, effort, into: &plain)
      bounds = result.1
      if plain.count <= size {
        out.removeLast(out.count - bodyStart)
        out.append(contentsOf: plain)
        encoding = result.0
        if isTrial { bodyChoice = nil }
      }
    }
    out[start] = (encoding ?? .empty).rawValue
    return BlockStatistics(
      rowCount: vector.count, nullCount: nullCount, bounds: bounds, sum: BlockStatistics.sum(of: vector, bounds))
  }

  /// Appends the validity; the bits of the flags that tell its form come back.
  private mutating func encodeValidity(
    _ validity: Bitmap, _ related: some RelatedBlocks, _ isTrial: Bool, into out: inout [UInt8]
  ) -> UInt8 {
    if !isTrial, isKeyed(validity, related, into: &out) { return BlockCodec.keyedValidityFlag }
    let start = out.count
    let form = BlockValidity.encode(validity, into: &out)
    var limit = out.count - start
    var best: (number: Int, bytes: [UInt8])?
    for (number, relation) in relations.enumerated() where isTrial || validityChoice == number {
      guard case .keyed(let reference) = relation, let keys = try? related.keys(reference) else { continue }
      guard keys.keys.count == validity.count else { continue }
      var bytes: [UInt8] = []
      if KeyedValidity.encode(validity, keys: keys, reference: reference, limit: limit, into: &bytes) {
        limit = bytes.count
        best = (number, bytes)
      }
    }
    if isTrial { validityChoice = best?.number }
    guard let best else { return form.rawValue << BlockCodec.validityShift }
    out.removeLast(out.count - start)
    out.append(contentsOf: best.bytes)
    return BlockCodec.keyedValidityFlag
  }

  /// Appends the validity as what follows from the relation chosen before, where that is shorter for certain.
  private func isKeyed(_ validity: Bitmap, _ related: some RelatedBlocks, into out: inout [UInt8]) -> Bool {
    guard let validityChoice, case .keyed(let reference) = relations[validityChoice],
      let keys = try? related.keys(reference), keys.keys.count == validity.count
    else { return false }
    return KeyedValidity.encode(
      validity, keys: keys, reference: reference, limit: BlockValidity.leastSize(validity), into: &out)
  }

  /// Appends the shortest body that a relation gives; `nil` when there is none.
  private mutating func encodeBody(
    _ values: BlockValues, _ related: some RelatedBlocks, _ isTrial: Bool, into out: inout [UInt8]
  ) -> BlockEncoding? {
    guard values.isVaried else { return nil }
    var best: (number: Int, encoding: BlockEncoding, bytes: [UInt8])?
    for (number, relation) in relations.enumerated() where isTrial || bodyChoice == number {
      var bytes: [UInt8] = []
      guard let encoding = values.encode(relation, related, into: &bytes) else { continue }
      if bytes.count < best?.bytes.count ?? .max { best = (number, encoding, bytes) }
    }
    if isTrial { bodyChoice = best?.number }
    guard let best else { return nil }
    out.append(contentsOf: best.bytes)
    return best.encoding
  }
}

extension BlockEncoder {
  /// Appends the body that one relation gives, whether it pays or not; `nil` where it gives none.
  static func encodeBody(
    _ vector: ColumnVector, _ relation: BlockRelation, _ related: some RelatedBlocks, into out: inout [UInt8]
  ) -> BlockEncoding? {
    let validity = vector.nullCount > 0 ? vector.validity : nil
    return BlockValues(vector, validity, count: vector.count - vector.nullCount).encode(relation, related, into: &out)
  }
}

/// The values of a block's valid rows, as far as relations can make something of them: integers and dictionary codes.
private struct BlockValues {
  let count: Int
  let bounds: BlockStatistics.Bounds
  /// Whether there are at least two different ones.
  let isVaried: Bool
  private let rowCount: Int
  private let validity: Bitmap?
  private let lanes: [Int64]
  private let isCoded: Bool

  init(_ vector: ColumnVector, _ validity: Bitmap?, count: Int) {
    self.count = count
    self.validity = validity
    rowCount = vector.count
    isCoded = vector.isCoded
    switch vector.storage {
    case .int64(let all): lanes = withValidLanes(all, validity, count: count) { Array($0) }
    case .codes(let all, _): lanes = withValidLanes(all, validity, count: count) { $0.map { Int64($0) } }
    default: lanes = []
    }
    let (low, high) = lanes.withUnsafeBufferPointer { Kernels.bounds($0) }
    isVaried = low != high
    bounds = isCoded || lanes.isEmpty ? .none : .int64(min: low, max: high)
  }

  /// Appends the body that the relation gives; `nil`, and perhaps some bytes of no use, where it gives none.
  func encode(
    _ relation: BlockRelation, _ related: some RelatedBlocks, into out: inout [UInt8]
  ) -> BlockEncoding? {
    lanes.withUnsafeBufferPointer { values in
      switch relation {
      case .keyed(let reference):
        guard let keys = keys(reference, related) else { return nil }
        let isDone = keys.withValid(validity, count: count) {
          KeyedCodec.encodeBody(
            values, keys: $0, keyCount: keys.count, reference: reference, isCoded: isCoded,
            into: &out)
        }
        return isDone ? .keyed : nil
      case .ordinals(let runs, let idColumn):
        guard !isCoded, let keys = keys(runs, related), let ids = try? related.integers(idColumn),
          ids.validity == nil, case .int64(let idLanes) = ids.storage
        else { return nil }
        let isDone = OrdinalCodec.encodeBody(
          values, rows: validRows, runs: keys, ids: idLanes, reference: runs, idColumn: idColumn, into: &out)
        return isDone ? .ordinals : nil
      case .offsets(let runs):
        guard !isCoded, validity == nil, let keys = keys(runs, related) else { return nil }
        return OffsetCodec.encodeBody(values, runs: keys, reference: runs, into: &out) ? .offsets : nil
      case .classes(let context):
        let isDone = ClassedCodec.encodeBody(values, context, related, validity, rowCount: rowCount, into: &out)
        return isDone ? .classes : nil
      case .enclosing(let runs, let startColumn, let context):
        guard !isCoded, validity == nil, let keys = keys(runs, related),
          let starts = try? related.integers(startColumn), starts.validity == nil,
          case .int64(let startLanes) = starts.storage
        else { return nil }
        let isDone = EnclosingCodec.encodeBody(
          values, runs: keys, reference: runs, starts: startLanes, startColumn: startColumn, context, related,
          into: &out)
        return isDone ? .enclosing : nil
      case .linear(let reference, let columns):
        guard !isCoded, let keys = keys(reference, related) else { return nil }
        var terms: [(column: Int, lanes: [Int64])] = []
        for column in columns {
          guard let vector = try? related.integers(column), vector.count == rowCount,
            let lanes = LinearCodec.lanes(vector, validity)
          else { return nil }
          terms.append((column, lanes))
        }
        let isDone = keys.withValid(validity, count: count) {
          LinearCodec.encodeBody(
            values, terms: terms, keys: $0, keyCount: keys.count, reference: reference, into: &out)
        }
        return isDone ? .linear : nil
      }
    }
  }

  private func keys(_ reference: BlockReference, _ related: some RelatedBlocks) -> RowKeys? {
    guard let keys = try? related.keys(reference), keys.keys.count == rowCount else { return nil }
    return keys
  }

  private var validRows: [UInt32] {
    let all = (0..<UInt32(rowCount)).map { $0 }
    guard let validity else { return all }
    return withValidLanes(all, validity, count: count) { Array($0) }
  }
}
