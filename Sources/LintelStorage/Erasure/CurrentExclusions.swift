internal import LintelColumns
internal import Synchronization

/// The exclusions in force, which change with the rules and with what is known of the keys.
final class CurrentExclusions: Sendable {
  private struct State {
    var current: Exclusions
    /// Keys of erasures by token, as far as they are known.
    var keys: [UInt128: UInt128] = [:]
    var isDoubtful: Bool
    /// Grows with every subject that is hidden from now on.
    var hidings: UInt64 = 0
  }

  let tokens: SubjectTokens
  private let state: Mutex<State>

  /// - Parameter isDoubtful: See ``Exclusions/init(_:number:tokens:keys:isDoubtful:)``.
  init(_ rules: StoreRules, tokens: SubjectTokens, isDoubtful: Bool) {
    self.tokens = tokens
    let first = Exclusions(rules, number: 1, tokens: tokens, keys: [:], isDoubtful: isDoubtful)
    state = Mutex(State(current: first, isDoubtful: isDoubtful))
  }

  var current: Exclusions { state.withLock { $0.current } }

  /// Different after rows have been hidden that an earlier snapshot may show.
  var hidings: UInt64 { state.withLock { $0.hidings } }

  var isDoubtful: Bool { state.withLock { $0.isDoubtful } }

  /// Keys of erasures that aren't finished, by token, as far as they are known.
  var keys: [UInt128: UInt128] { state.withLock { $0.keys } }

  /// Takes over new rules.
  /// - Parameters:
  ///   - keys: By token.
  ///   - isDoubtful: `nil` to keep what is.
  func set(_ rules: StoreRules, keys: [UInt128: UInt128] = [:], isDoubtful: Bool? = nil) {
    state.withLock { state in
      let former = state.current.rules
      if let isDoubtful { state.isDoubtful = isDoubtful }
      state.keys.merge(keys) { $1 }
      let hidden = Set(rules.erasures.filter { $0.state == .hidden }.map(\.token))
      state.keys = state.keys.filter { hidden.contains($0.key) }
      if rules.nextNumber != former.nextNumber || rules.retention != former.retention { state.hidings += 1 }
      state.current = Exclusions(
        rules, number: state.current.number + 1, tokens: tokens, keys: state.keys, isDoubtful: state.isDoubtful)
    }
  }
}

extension Exclusions {
  /// The segments without what is hidden, with their content.
  ///
  /// A part that turns out to be damaged is reported by its reader, and left out: nobody can tell whose rows it holds.
  /// - Parameter content: Of each shard.
  func visible(
    _ segments: [PlacedSegment], content: [ContentView], _ schema: TableSchema, now: Int64
  ) throws(StorageError) -> [any Segment] {
    var visible: [any Segment] = []
    visible.reserveCapacity(segments.count)
    for place in segments {
      guard let segment = try self.visible(place.segment, schema, now: now) else { continue }
      // Also where the schema knows of no content any more: the part may have some.
      let view = place.shard < content.count ? content[place.shard] : ContentView()
      let whole = ContentSegment(segment, view) ?? segment
      visible.append(try withoutExpiredContent(place.segment, whole, schema, now: now))
    }
    return visible
  }

  /// - Parameters:
  ///   - stored: As it is stored.
  ///   - whole: With its content.
  private func withoutExpiredContent(
    _ stored: any Segment, _ whole: any Segment, _ schema: TableSchema, now: Int64
  ) throws(StorageError) -> any Segment {
    guard let keys = schema.content, !rules.retention.isEmpty else { return whole }
    do throws(StorageError) {
      switch try remains(of: stored, schema, now: now, for: .content) {
      case .everything: return whole
      case .some(let mask): return ContentlessSegment(base: whole, keys: keys, kept: mask)
      case .nothing: return ContentlessSegment(base: whole, keys: keys, kept: nil)
      }
    } catch {
      guard error.code == .corrupt else { throw error }
      return ContentlessSegment(base: whole, keys: keys, kept: nil)
    }
  }

  private func visible(
    _ segment: any Segment, _ schema: TableSchema, now: Int64
  ) throws(StorageError) -> (any Segment)? {
    if hideNothing { return segment }
    do throws(StorageError) {
      switch try remains(of: segment, schema, now: now) {
      case .everything: return segment
      case .some(let mask): return MaskedSegment(base: segment, rows: mask)
      case .nothing: return nil
      }
    } catch {
      guard error.code == .corrupt else { throw error }
      return nil
    }
  }

  /// What of an item's rows is taken in, and which they are; `nil` for all.
  func admitted(_ item: CommitItem) -> (item: CommitItem, rows: [UInt32]?) {
    guard let rows = refused.others(of: item.batch) else { return (item, nil) }
    let batch = item.batch.remainder(rows)
    let admitted = CommitItem(
      batch: batch, digests: rows.map { item.digests[Int($0)] }, payload: rows.isEmpty ? [] : LogPayload.encode(batch),
      pieces: item.pieces, reservedBytes: item.reservedBytes, completion: item.completion)
    return (admitted, rows)
  }

  /// What of a log's record is taken in, and the rows that aren't.
  func admitted(_ logged: LogPayload.Logged) -> (logged: LogPayload.Logged, refused: Batch?) {
    guard let rows = refused.others(of: logged.batch) else { return (logged, nil) }
    let digests = logged.digests.map { digests in rows.map { digests[Int($0)] } }
    let admitted = LogPayload.Logged(
      batch: logged.batch.remainder(rows), pieces: logged.pieces, digests: digests, greatestID: logged.greatestID)
    let taken = Set(rows)
    let others = (0..<UInt32(truncatingIfNeeded: logged.batch.rowCount)).filter { !taken.contains($0) }
    return (admitted, logged.batch.select(rows: others))
  }

  /// The rows of segments in memory that are to be written into parts, and those that aren't.
  func parted(
    _ segments: [BatchSegment], _ schema: TableSchema, now: Int64, for purpose: Purpose
  ) throws(StorageError) -> (kept: [Batch], removed: [Batch]) {
    var kept: [Batch] = []
    var removed: [Batch] = []
    for segment in segments {
      switch try remains(of: segment, schema, now: now, for: purpose) {
      case .everything: kept.append(segment.batch)
      case .nothing: removed.append(segment.batch)
      case .some(let mask):
        var rows: [UInt32] = []
        var others: [UInt32] = []
        for block in 0..<segment.blockCount {
          let first = UInt32(truncatingIfNeeded: block * segment.blockRows)
          if let left = mask.kept(block) {
            rows += left.map { first + $0 }
            others += mask.removed(block).map { first + UInt32(truncatingIfNeeded: $0) }
          } else {
            rows += (0..<UInt32(segment.rowCount(ofBlock: block))).map { first + $0 }
          }
        }
        kept.append(segment.batch.remainder(rows))
        removed.append(segment.batch.select(rows: others))
      }
    }
    return (kept, removed)
  }
}

extension Batch {
  /// The given rows. Their dictionaries hold nothing of the others'.
  fileprivate func remainder(_ rows: [UInt32]) -> Batch {
    var batch = select(rows: rows)
    for index in batch.columns.indices { batch.columns[index] = batch.columns[index].withCodesByFirstUse() }
    for index in batch.attributes.indices {
      batch.attributes[index].values = batch.attributes[index].values.withCodesByFirstUse()
    }
    return batch
  }
}
