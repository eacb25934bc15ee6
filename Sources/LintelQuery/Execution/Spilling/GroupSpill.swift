import LintelColumns
import LintelStorage
import Synchronization

/// Groups that were too many for memory, on disk by the hash of their keys: what belongs to one group lies in one partition,
/// in however many pieces, and the partitions are put together one after the other.
///
///     piece := keys of some groups, then for each aggregator their states (StateRows), each as a batch behind its length
///
/// A partition that is too large in its turn is split by further bits of the hash.
final class GroupSpill: Sendable {
  static let partitionCount = 32
  private static let partitionBits: UInt64 = 5
  /// So often partitions are split anew: by then a partition holds a 2^20th of the groups.
  private static let maximumLevel = 3
  /// Groups and bytes of a piece, about.
  private static let pieceRows = 8192
  private static let pieceBytes = 4 << 20

  private let query: QueryContext
  private let shape: AggregationShape
  private let level: Int
  private let state = Mutex(State())

  private struct State {
    var file: SpillFile?
    /// By partition.
    var pieces: [[SpillFile.Extent]] = Array(repeating: [], count: partitionCount)
    var bytes = 0
    var groups = 0
  }

  init(_ query: QueryContext, _ shape: AggregationShape, level: Int = 0) {
    self.query = query
    self.shape = shape
    self.level = level
  }

  /// Whether anything has been put here.
  var isUsed: Bool { state.withLock { $0.file != nil } }

  /// Bytes put here so far.
  var byteCount: Int { state.withLock { $0.bytes } }

  /// Groups that ``forEachPartition(_:)`` has given.
  var groupCount: Int { state.withLock { $0.groups } }

  // MARK: Writing

  /// Puts the groups of a worker here; several threads may, each with its own. The worker is of no use afterwards.
  func put(_ worker: AggregationWorker) throws(ExecutionFailure) {
    let start = ContinuousClock.now
    worker.settle()
    let groups = try worker.table.present()
    var partitions: [UInt8] = []
    partitions.reserveCapacity(groups.count)
    try query.interrupt.forEachStretch(of: groups.count) { stretch in
      let keys = worker.table.keyVectors(of: Array(groups[stretch]))
      partitions += partition(keys, count: stretch.count)
    }
    let (order, starts) = try query.interrupt.byGroup(groups.count, groups: Self.partitionCount) {
      UInt32(partitions[$0])
    }
    let bytesPerGroup = max(1, worker.byteCount / max(1, groups.count))
    let rows = max(1, min(Self.pieceRows, Self.pieceBytes / bytesPerGroup))
    for aggregator in worker.aggregators { try aggregator.seal(worker.groupCount) }
    let file = try openFile()
    var written = 0
    for partition in 0..<Self.partitionCount {
      let end = starts[partition + 1]
      for first in stride(from: starts[partition], to: end, by: rows) {
        try query.check()
        let members = order[first..<min(first + rows, end)].map { groups[Int($0)] }
        let extent = try Spilling.append(try piece(worker, members), to: file)
        written += extent.byteCount
        state.withLock { $0.pieces[partition].append(extent) }
      }
    }
    let bytes = written
    state.withLock { $0.bytes += bytes }
    query.note(spilled: "put groups on disk", ContinuousClock.now - start, rows: groups.count, bytes: written)
  }

  private func openFile() throws(ExecutionFailure) -> SpillFile {
    guard let space = query.spillSpace else { throw Spilling.damaged() }
    if let file = state.withLock({ $0.file }) { return file }
    let made = try Spilling.makeFile(space)
    return state.withLock { state in
      let file = state.file ?? made
      state.file = file
      return file
    }
  }

  /// The partition of every lane.
  private func partition(_ keys: [Vector], count: Int) -> [UInt8] {
    var hashes = Array(repeating: UInt64(0), count: count)
    for key in keys { key.combineHashes(&hashes) }
    let shift = 64 - Self.partitionBits * UInt64(level + 1)
    return mapLanes(hashes) { UInt8(truncatingIfNeeded: $0 >> shift & UInt64(Self.partitionCount - 1)) }
  }

  private func piece(_ worker: AggregationWorker, _ groups: [UInt32]) throws(ExecutionFailure) -> [UInt8] {
    var out: [UInt8] = []
    SpillBatch.append(worker.table.keyVectors(of: groups), count: groups.count, to: &out)
    for aggregator in worker.aggregators {
      let rows = aggregator.states(of: groups)
      guard rows.count <= Batch.maximumRows else {
        throw .query(
          QueryError(
            .limitExceeded, "a group has \(rows.count) distinct values or more, too many for memory and for disk",
            hint: "narrow the filter, use an approximate aggregate, or raise the memory limit"))
      }
      SpillBatch.append(rows.columns, count: rows.count, to: &out)
    }
    return out
  }

  // MARK: Reading

  /// Calls `body` with the groups of each partition, every group once and whole.
  func forEachPartition(
    _ body: (AggregationWorker) throws(ExecutionFailure) -> Void
  ) throws(ExecutionFailure) {
    let (file, pieces) = state.withLock { ($0.file, $0.pieces) }
    guard let file else { return }
    for partition in pieces where !partition.isEmpty {
      let worker = try AggregationWorker(shape, blockCount: 1, query.interrupt)
      let finer = level < Self.maximumLevel ? GroupSpill(query, shape, level: level + 1) : nil
      for extent in partition {
        try query.check()
        try worker.merge(try read(file, extent))
        try worker.reserve(query, finer)
      }
      if let finer, finer.isUsed {
        try worker.spill(to: finer, query)
        try finer.forEachPartition(body)
        let count = finer.groupCount
        state.withLock { $0.groups += count }
      } else {
        let count = worker.groupCount
        state.withLock { $0.groups += count }
        try body(worker)
        worker.release(query)
      }
    }
  }

  private func read(_ file: SpillFile, _ extent: SpillFile.Extent) throws(ExecutionFailure) -> AggregationWorker {
    let bytes = try Spilling.read(file, extent)
    let worker = try AggregationWorker(shape, blockCount: 1, query.interrupt)
    var rest = bytes[...]
    guard let keys = SpillBatch.take(shape.keyTypes, from: &rest) else { throw Spilling.damaged() }
    worker.consume(keys: keys.columns)
    guard worker.groupCount == keys.count else { throw Spilling.damaged() }
    for aggregator in worker.aggregators {
      guard let rows = SpillBatch.take(aggregator.stateTypes, from: &rest),
        aggregator.restore(rows, groups: keys.count)
      else { throw Spilling.damaged() }
    }
    guard rest.isEmpty else { throw Spilling.damaged() }
    return worker
  }
}

/// Vectors as a batch behind its length in eight bytes.
enum SpillBatch {
  static func append(_ columns: [Vector], count: Int, to out: inout [UInt8]) {
    // A dictionary would be written as a whole.
    let plain = columns.map { $0.plain.columnVector }
    let start = out.count
    out += repeatElement(0, count: 8)
    BatchCodec.encode(
      Batch(schema: schema(plain.map(\.physicalType)), rowCount: count, columns: plain), into: &out)
    let length = UInt64(out.count - start - 8)
    for index in 0..<8 { out[start + index] = UInt8(truncatingIfNeeded: length >> UInt64(8 * index)) }
  }

  /// `nil` when the bytes don't begin with such a batch.
  static func take(_ types: [PhysicalType], from rest: inout ArraySlice<UInt8>) -> StateRows? {
    guard rest.count >= 8 else { return nil }
    var length: UInt64 = 0
    for (index, byte) in rest.prefix(8).enumerated() { length |= UInt64(byte) << UInt64(8 * index) }
    rest = rest.dropFirst(8)
    guard length <= UInt64(rest.count) else { return nil }
    let bytes = Array(rest.prefix(Int(length)))
    rest = rest.dropFirst(Int(length))
    do throws(ColumnError) {
      let batch = try bytes.span.bytes.withUnsafeBytes { (bytes) throws(ColumnError) in
        try BatchCodec.decode(bytes, schema: schema(types))
      }
      return StateRows(batch.columns.map { Vector($0) }, count: batch.rowCount)
    } catch {
      return nil
    }
  }

  private static func schema(_ types: [PhysicalType]) -> TableSchema {
    let columns = types.enumerated().map { index, type in
      let columnType: ColumnType =
        switch type {
        case .int64: .int64
        case .float64: .float64
        case .bool: .bool
        case .bytes: .bytes
        case .id128: .id16
        }
      return ColumnDefinition("\(index)", columnType, nullable: true)
    }
    return TableSchema(
      name: "groups", columns: columns, hasAttributes: false, sortKey: [], shardKey: "0", timeColumn: "0",
      clusterColumn: "0")
  }
}

extension Vector {
  /// Folds a hash of each lane's value into `hashes`; equal values have equal ones, whatever their coding.
  func combineHashes(_ hashes: inout [UInt64]) {
    let null: UInt64 = 0x7F4A_7C15_9E37_79B9
    func fold(_ lane: Int, _ hash: @autoclosure () -> UInt64) {
      hashes[lane] = ValueHash.mix(hashes[lane] &* 31 ^ (isValid(lane) ? hash() : null))
    }
    switch lanes {
    case .int64(let values): for lane in values.indices { fold(lane, ValueHash.hash(values[lane])) }
    case .float64(let values): for lane in values.indices { fold(lane, ValueHash.hash(values[lane])) }
    case .bool(let values): for lane in values.indices { fold(lane, ValueHash.hash(values[lane] ? 1 : Int64(0))) }
    case .id128(let values): for lane in values.indices { fold(lane, ValueHash.hash(values[lane])) }
    case .bytes: withBytes { view in for lane in 0..<count { fold(lane, ValueHash.hash(view[lane])) } }
    case .codes: plain.combineHashes(&hashes)
    }
  }
}
