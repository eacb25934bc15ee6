internal import LintelColumns

/// The rules, ready to be applied to rows. Never changes: a change of the rules makes new ones.
final class Exclusions: Sendable {
  /// What a mask is for.
  enum Purpose: Sendable, Hashable {
    /// To answer: whatever is erased or expired is hidden.
    case reading
    /// To write files without expired rows, but for those under a legal hold. Erased ones stay: only an erasure takes them
    /// away, which has to account for them.
    case expiry
    /// To write files without erased rows. Expired ones stay.
    case erasure
    /// To answer: of which rows the content is hidden. They themselves stay.
    case content
    /// To write files without the content of rows whose content is expired, but for those under a legal hold.
    case contentExpiry

    var respectsHolds: Bool { self == .expiry || self == .contentExpiry }
    var hidesSubjects: Bool { self == .reading || self == .erasure }
  }

  /// What is left of a segment.
  enum Remains: Sendable {
    case everything
    case some(RowMask)
    case nothing
  }

  let rules: StoreRules
  /// Different for every set of rules, keys and doubts.
  let number: UInt64
  let tokens: SubjectTokens
  /// Rows of these may be in parts and in memory.
  let hidden: SubjectSet
  /// Rows of these are not taken in.
  let refused: SubjectSet
  let held: SubjectSet
  /// Everything of these tenants is held.
  let heldTenants: Set<TenantName>

  /// - Parameters:
  ///   - keys: The keys of erasures, as far as they are known: only who asked has told them.
  ///   - isDoubtful: Whether parts may hold rows of erasures that have been finished.
  init(_ rules: StoreRules, number: UInt64, tokens: SubjectTokens, keys: [UInt128: UInt128], isDoubtful: Bool) {
    self.rules = rules
    self.number = number
    self.tokens = tokens
    hidden = SubjectSet(
      rules.erasures.filter { $0.state == .hidden || isDoubtful && $0.state == .erased }.map { ($0.token, $0.tenant) },
      tokens, keys)
    refused = SubjectSet(
      rules.erasures.filter { $0.state != .lifted }.map { ($0.token, $0.tenant) }, tokens, [:])
    held = SubjectSet(rules.holds.compactMap { hold in hold.token.map { ($0, hold.tenant) } }, tokens, [:])
    heldTenants = Set(rules.holds.filter { $0.token == nil }.compactMap(\.tenant))
  }

  /// Exclusions that hide one subject's rows: to count them.
  init(counting subjects: [Subject], tokens: SubjectTokens) {
    rules = StoreRules()
    number = 0
    self.tokens = tokens
    let keys = Dictionary(subjects.map { (tokens.token($0.key), $0.key) }, uniquingKeysWith: { first, _ in first })
    hidden = SubjectSet(subjects.map { (tokens.token($0.key), $0.tenant) }, tokens, keys)
    refused = SubjectSet([], tokens, [:])
    held = refused
    heldTenants = []
  }

  /// Whether every row of every table is there.
  var hideNothing: Bool { hidden.isEmpty && rules.retention.isEmpty }

  /// What of a segment is left.
  func remains(
    of segment: any Segment, _ schema: TableSchema, now: Int64, for purpose: Purpose = .reading
  ) throws(StorageError) -> Remains {
    if hideNothing { return .everything }
    let cutoffs = cutoffs(schema, now: now, for: purpose)
    if cutoffs.isEmpty, !purpose.hidesSubjects { return .everything }
    guard let memoizing = segment as? any MemoizingSegment, number > 0 else {
      return try find(segment, schema, cutoffs, purpose)
    }
    let key = MaskMemo.Key(
      rules: number, purpose: purpose, cutoffs: cutoffs.within(memoizing.minTime, memoizing.maxTime))
    if let known = memoizing.maskMemo[key] { return known }
    let found = try find(segment, schema, cutoffs, purpose)
    memoizing.maskMemo.set(found, for: key)
    return found
  }

  private func cutoffs(_ schema: TableSchema, now: Int64, for purpose: Purpose) -> RetentionCutoffs {
    switch purpose {
    case .reading, .expiry: RetentionCutoffs(rules.retention, schema, .rows, now: now)
    case .content, .contentExpiry: RetentionCutoffs(rules.retention, schema, .content, now: now)
    case .erasure: RetentionCutoffs([], schema, now: now)
    }
  }

  private func find(
    _ segment: any Segment, _ schema: TableSchema, _ cutoffs: RetentionCutoffs, _ purpose: Purpose
  ) throws(StorageError) -> Remains {
    let mayBeHeld = purpose.respectsHolds && !rules.holds.isEmpty
    let subject = purpose.hidesSubjects && !hidden.isEmpty ? schema.subjectColumn : nil
    if let times = segment as? any MemoizingSegment {
      if cutoffs.areAfter(times.maxTime), !mayBeHeld { return .nothing }
      if cutoffs.areBefore(times.minTime), subject == nil { return .everything }
    }
    var rows = KeptRows(segment)
    if let subject {
      try hidden.forEachRow(of: segment, subject: subject, tenant: schema.tenantColumn) { block, row, _ in
        rows.remove(block, row)
      }
    }
    if !cutoffs.isEmpty {
      var expired = KeptRows(segment)
      try cutoffs.remove(from: &expired, of: segment, schema)
      if mayBeHeld { try keepHeld(&expired, segment, schema) }
      rows.remove(expired)
    }
    guard let mask = RowMask(kept: rows.blocks) else { return .everything }
    return mask.removedCount == segment.rowCount ? .nothing : .some(mask)
  }

  /// Puts rows under a hold back.
  private func keepHeld(
    _ rows: inout KeptRows, _ segment: any Segment, _ schema: TableSchema
  ) throws(StorageError) {
    if let subject = schema.subjectColumn {
      try held.forEachRow(of: segment, subject: subject, tenant: schema.tenantColumn) { block, row, _ in
        rows.restore(block, row)
      }
    }
    guard !heldTenants.isEmpty, let tenant = schema.tenantColumn else { return }
    for block in rows.blocks.keys.sorted() {
      let names = TenantNames(try segment.read(.column(tenant), block: block))
      for row in 0..<segment.rowCount(ofBlock: block) {
        if let name = names[row], heldTenants.contains(name) { rows.restore(block, row) }
      }
    }
  }
}

/// Which rows of a segment's blocks are left; blocks that are whole have no entry.
struct KeptRows {
  private(set) var blocks: [Int: Bitmap] = [:]
  private let segment: any Segment

  init(_ segment: any Segment) { self.segment = segment }

  mutating func remove(_ block: Int, _ row: Int) {
    let rowCount = segment.rowCount(ofBlock: block)
    blocks[block, default: Bitmap(repeating: true, count: rowCount)][row] = false
  }

  mutating func removeAll(_ block: Int) {
    blocks[block] = Bitmap(repeating: false, count: segment.rowCount(ofBlock: block))
  }

  mutating func restore(_ block: Int, _ row: Int) { blocks[block]?[row] = true }

  mutating func remove(_ other: KeptRows) {
    for (block, bits) in other.blocks {
      guard var own = blocks[block] else {
        blocks[block] = bits
        continue
      }
      for index in own.words.indices { own.words[index] &= bits.words[index] }
      blocks[block] = own
    }
  }
}

/// The values of a tenant column in one block.
struct TenantNames {
  private let vector: ColumnVector
  /// One a code, where there are codes.
  private var names: [TenantName] = []

  init(_ vector: ColumnVector) {
    self.vector = vector
    if case .codes(_, let dictionary) = vector.storage, case .bytes(let strings) = dictionary.values {
      names = (0..<strings.count).map { TenantName(utf8: strings[$0]) }
    }
  }

  /// `nil` for rows without a tenant.
  subscript(row: Int) -> TenantName? {
    guard vector.isValid(row) else { return nil }
    switch vector.storage {
    case .bytes(let strings): return TenantName(utf8: strings[row])
    case .codes(let codes, _): return Int(codes[row]) < names.count ? names[Int(codes[row])] : nil
    default: return nil
    }
  }
}
