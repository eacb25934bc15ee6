internal import LintelColumns

/// The times before which rows of one table, or their content, are past their retention, at one moment.
///
/// The moment is rounded up to the whole second: within a second the answer stays the same, and no row is seen in the
/// second in which it expires, nor after.
struct RetentionCutoffs: Sendable {
  /// For rows of tenants without a rule of their own; `nil` where those are kept for good.
  private var others: Int64?
  private var byTenant: [TenantName: Int64] = [:]

  init(_ rules: [RetentionRule], _ schema: TableSchema, _ scope: RetentionRule.Scope = .rows, now: Int64) {
    let second: Int64 = 1_000_000_000
    let rest = now % second
    let rounded = rest > 0 ? now.addingReportingOverflow(second - rest) : (now, false)
    let moment = rounded.1 ? Int64.max : rounded.0
    for rule in rules where rule.table == schema.name && rule.scope == scope {
      let (cutoff, overflow) = moment.subtractingReportingOverflow(rule.nanoseconds)
      if let tenant = rule.tenant {
        byTenant[tenant] = overflow ? .min : cutoff
      } else {
        others = overflow ? .min : cutoff
      }
    }
    if schema.tenantColumn == nil { byTenant = [:] }
  }

  var isEmpty: Bool { others == nil && byTenant.isEmpty }

  private var all: [Int64] { [others].compactMap(\.self) + byTenant.sorted { $0.key < $1.key }.map(\.value) }

  /// The cutoffs as far as they matter for rows of a stretch of time.
  func within(_ first: Int64, _ last: Int64) -> [Int64] {
    let (end, overflow) = last.addingReportingOverflow(1)
    return all.map { min(max($0, first), overflow ? .max : end) }
  }

  /// Whether nothing from a time on is expired.
  func areBefore(_ first: Int64) -> Bool { all.allSatisfy { $0 <= first } }

  /// Whether everything up to a time is expired, whosever it is.
  func areAfter(_ last: Int64) -> Bool { others != nil && all.allSatisfy { $0 > last } }

  /// Whether a rule's rows of a part have all expired, or the first of them long ago.
  func cover(_ first: Int64, _ last: Int64, patience: Int64) -> Bool {
    all.contains { cutoff in
      let (age, overflow) = cutoff.subtractingReportingOverflow(first)
      return cutoff > last || !overflow && age > patience
    }
  }

  /// Takes the expired rows out.
  func remove(from rows: inout KeptRows, of segment: any Segment, _ schema: TableSchema) throws(StorageError) {
    let time = ColumnReference.column(schema.timeColumn)
    for block in 0..<segment.blockCount {
      if let statistics = segment.statistics(time, block: block), case .int64(let low, let high) = statistics.bounds,
        statistics.nullCount == 0
      {
        if areBefore(low) { continue }
        if areAfter(high) {
          rows.removeAll(block)
          continue
        }
      }
      guard case .int64(let times) = try segment.read(time, block: block).storage else { continue }
      if byTenant.isEmpty {
        let cutoff = others ?? .min
        for row in times.indices where times[row] < cutoff { rows.remove(block, row) }
        continue
      }
      guard let tenant = schema.tenantColumn else { continue }
      let cutoffs = TenantCutoffs(try segment.read(.column(tenant), block: block), byTenant, others)
      for row in times.indices where times[row] < cutoffs[row] { rows.remove(block, row) }
    }
  }
}

/// The cutoff of each row of a block, by its tenant.
private struct TenantCutoffs {
  private let names: TenantNames
  private let codes: [UInt32]?
  private let validity: Bitmap?
  /// One a code, where there are codes.
  private var byCode: [Int64] = []
  private let byTenant: [TenantName: Int64]
  private let others: Int64

  init(_ vector: ColumnVector, _ byTenant: [TenantName: Int64], _ others: Int64?) {
    names = TenantNames(vector)
    validity = vector.validity
    self.byTenant = byTenant
    self.others = others ?? .min
    guard case .codes(let codes, let dictionary) = vector.storage, case .bytes(let strings) = dictionary.values else {
      codes = nil
      return
    }
    self.codes = codes
    byCode = (0..<strings.count).map { byTenant[TenantName(utf8: strings[$0])] ?? others ?? .min }
  }

  subscript(row: Int) -> Int64 {
    guard validity?[row] ?? true else { return others }
    if let codes { return Int(codes[row]) < byCode.count ? byCode[Int(codes[row])] : others }
    return names[row].flatMap { byTenant[$0] } ?? others
  }
}
