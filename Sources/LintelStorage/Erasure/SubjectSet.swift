internal import LintelColumns

/// Subjects, and how to find their rows.
struct SubjectSet: Sendable {
  /// Of each token the tenants meant; `nil` among them for every one.
  private let byToken: [UInt128: [TenantName?]]
  /// The same by key; `nil` where a key isn't known.
  private let byKey: [UInt128: [TenantName?]]?
  private let tokens: SubjectTokens

  init(_ subjects: [(token: UInt128, tenant: TenantName?)], _ tokens: SubjectTokens, _ keys: [UInt128: UInt128]) {
    self.tokens = tokens
    var byToken: [UInt128: [TenantName?]] = [:]
    for subject in subjects { byToken[subject.token, default: []].append(subject.tenant) }
    self.byToken = byToken
    var byKey: [UInt128: [TenantName?]]? = [:]
    for (token, tenants) in byToken {
      if let key = keys[token] { byKey?[key] = tenants } else { byKey = nil }
    }
    self.byKey = byKey
  }

  var isEmpty: Bool { byToken.isEmpty }

  /// Whether a key is a subject's, in whatever tenant.
  func isMeant(_ key: UInt128) -> Bool { tenants(of: key, isFrequent: false) != nil }

  /// The tenants within which a key's rows are meant; `nil` when it is no subject's.
  /// - Parameter isFrequent: Whether the key is likely to come again.
  private func tenants(of key: UInt128, isFrequent: Bool) -> [TenantName?]? {
    if let byKey { return byKey[key] }
    return byToken[isFrequent ? tokens.token(key) : tokens.compute(key)]
  }

  /// Calls `body(block, row, subject)` for every row of a subject; more than once where several subjects mean it.
  func forEachRow(
    of segment: any Segment, subject: Int, tenant: Int?, _ body: (Int, Int, Subject) -> Void
  ) throws(StorageError) {
    guard !isEmpty else { return }
    let column = ColumnReference.column(subject)
    let blocks = candidates(segment, column)
    guard !blocks.isEmpty else { return }
    var meant: MeantCodes?
    if let dictionary = try segment.dictionary(column) {
      let found = codes(of: dictionary, isFrequent: false)
      if found.tenants.isEmpty { return }
      meant = found
    }
    for block in blocks {
      let vector = try segment.read(column, block: block)
      let rows = rows(of: vector, codes: meant, isFrequent: false)
      guard !rows.isEmpty else { continue }
      var names: TenantNames?
      for found in rows {
        if found.tenants.contains(nil) { body(block, found.row, Subject(found.key)) }
        guard let tenant, found.tenants.contains(where: { $0 != nil }) else { continue }
        let known: TenantNames
        if let names { known = names } else { known = TenantNames(try segment.read(.column(tenant), block: block)) }
        names = known
        if let name = known[found.row], found.tenants.contains(name) {
          body(block, found.row, Subject(found.key, tenant: name))
        }
      }
    }
  }

  /// The rows of a batch that are no subject's, ascending; `nil` when that is all of them.
  func others(of batch: Batch) -> [UInt32]? {
    guard !isEmpty, let subject = batch.schema.subjectColumn else { return nil }
    let found = rows(of: batch.columns[subject], codes: nil, isFrequent: true)
    guard !found.isEmpty else { return nil }
    let names = batch.schema.tenantColumn.map { TenantNames(batch.columns[$0]) }
    var isLeft = [Bool](repeating: true, count: batch.rowCount)
    for found in found {
      let isMeant = found.tenants.contains(nil) || names?[found.row].map { found.tenants.contains($0) } ?? false
      if isMeant { isLeft[found.row] = false }
    }
    guard isLeft.contains(false) else { return nil }
    return isLeft.indices.filter { isLeft[$0] }.map { UInt32(truncatingIfNeeded: $0) }
  }

  /// Blocks that may hold rows of a subject: filters know keys, not tokens.
  private func candidates(_ segment: any Segment, _ column: ColumnReference) -> [Int] {
    let all = Array(0..<segment.blockCount)
    guard let byKey, let filters = segment.filters(column) else { return all }
    let hashes = byKey.keys.map { FilterHash.value($0) }
    return all.filter { block in hashes.contains { filters.mayContain($0, block: block) } }
  }

  /// What is meant of the entries of a dictionary.
  private struct MeantCodes {
    var isMeant: [Bool]
    /// By code.
    var tenants: [Int: [TenantName?]] = [:]
  }

  private func codes(of dictionary: ValueDictionary, isFrequent: Bool) -> MeantCodes {
    guard case .id128(let keys) = dictionary.values else { return MeantCodes(isMeant: []) }
    var codes = MeantCodes(isMeant: Array(repeating: false, count: keys.count))
    for (code, key) in keys.enumerated() {
      guard let tenants = tenants(of: key, isFrequent: isFrequent) else { continue }
      codes.isMeant[code] = true
      codes.tenants[code] = tenants
    }
    return codes
  }

  private struct Found {
    var row: Int
    var key: UInt128
    var tenants: [TenantName?]
  }

  /// - Parameter codes: What is meant of each entry of the segment's dictionary, where it has one.
  private func rows(of vector: ColumnVector, codes known: MeantCodes?, isFrequent: Bool) -> [Found] {
    var rows: [Found] = []
    switch vector.storage {
    case .id128(let keys):
      var last: (key: UInt128, tenants: [TenantName?]?)?
      for row in keys.indices where vector.isValid(row) {
        if last?.key != keys[row] { last = (keys[row], tenants(of: keys[row], isFrequent: isFrequent)) }
        if let tenants = last?.tenants { rows.append(Found(row: row, key: keys[row], tenants: tenants)) }
      }
    case .codes(let codes, let dictionary):
      guard case .id128(let keys) = dictionary.values else { break }
      let meant = known ?? self.codes(of: dictionary, isFrequent: isFrequent)
      if meant.tenants.isEmpty { break }
      for row in codes.indices {
        let code = Int(codes[row])
        guard code < meant.isMeant.count, meant.isMeant[code], vector.isValid(row), let tenants = meant.tenants[code]
        else { continue }
        rows.append(Found(row: row, key: keys[code], tenants: tenants))
      }
    default: break
    }
    return rows
  }
}
