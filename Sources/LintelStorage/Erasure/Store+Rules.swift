internal import LintelColumns
internal import Synchronization

/// What an erasure would reach, or has reached: rows of the subject in one part or in memory.
public struct ErasurePlace: Sendable, Hashable {
  public var table: String
  /// The part's file, or `memory/..`.
  public var name: String
  /// `nil` for what is in memory.
  public var tier: Tier? { isInMemory ? nil : Tier(fileName: name) }
  public var isInMemory: Bool
  public var rows: Int
  /// Bytes of the part's file.
  public var bytes: Int
}

extension Store {
  /// The erasures, holds and retention in force.
  public func rules() throws(StorageError) -> StoreRules {
    try follower?.refresh()
    return exclusions.current.rules
  }

  /// Changes when rows have been hidden that a snapshot taken before may show.
  public func hidings() throws(StorageError) -> UInt64 {
    try follower?.refresh()
    return exclusions.hidings
  }

  // MARK: Erasure

  /// Hides all rows of the subjects, for good: returns when that is durable. From then on no snapshot shows them and none
  /// are taken in; files are cleared of them in the background. Blocks.
  ///
  /// A subject that is erased already is not erased again: its erasure is answered.
  ///
  /// - Throws: `.invalid` when a legal hold forbids it, `.diskFull`, `.failedStop`, `.closed`, `.readOnly`.
  public func erase(_ subjects: [Subject]) throws(StorageError) -> [Erasure] {
    guard !subjects.isEmpty else { return [] }
    guard schemas.values.contains(where: { $0.subjectColumn != nil }) else {
      throw StorageError(.invalid, "no table says whom its rows are about")
    }
    let tokens = exclusions.tokens
    let places = try rows(of: subjects)
    let now = clock()
    var keys: [UInt128: UInt128] = [:]
    for subject in subjects { keys[tokens.token(subject.key)] = subject.key }
    let (numbers, hold): ([UInt64], LegalHold?) = try changeRules(keys: keys) { rules in
      var numbers: [UInt64] = []
      var events: [AuditEvent] = []
      let former = rules
      for subject in subjects {
        let token = tokens.token(subject.key)
        let known = rules.erasures.first {
          $0.token == token && $0.state != .lifted && ($0.tenant == nil || $0.tenant == subject.tenant)
        }
        if let known {
          numbers.append(known.number)
          continue
        }
        if let hold = rules.hold(against: token, tenant: subject.tenant) {
          rules = former
          return (
            ([], hold), [AuditEvent(.refused, token: token, tenant: subject.tenant, detail: "hold=\(hold.number)")]
          )
        }
        let count = places.filter { $0.subject == subject }.reduce(0) { $0 + $1.place.rows }
        rules.erasures.append(
          Erasure(
            number: rules.nextNumber, token: token, tenant: subject.tenant, state: .hidden, requested: now, rows: count)
        )
        events.append(
          AuditEvent(
            .requested, number: rules.nextNumber, token: token, tenant: subject.tenant, detail: "rows=\(count)"))
        numbers.append(rules.nextNumber)
        rules.nextNumber += 1
      }
      return ((numbers, nil), events)
    }
    if let hold { throw Self.refusal(hold) }
    startErasing()
    let all = Dictionary(
      exclusions.current.rules.erasures.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
    return numbers.compactMap { all[$0] }
  }

  private static func refusal(_ hold: LegalHold) -> StorageError {
    let whose = hold.tenant.map { " in organisation '\($0.text)'" } ?? ""
    let reason = hold.reason.isEmpty ? "" : " (\(hold.reason))"
    return StorageError(
      .invalid,
      "legal hold \(hold.number)\(whose)\(reason) forbids this erasure; nothing was erased. Release the hold first, or "
        + "erase in the other organisations only")
  }

  /// Where rows of subjects are, one by one. Blocks.
  public func places(of subjects: [Subject]) throws(StorageError) -> [(subject: Subject, place: ErasurePlace)] {
    try rows(of: subjects)
  }

  private func rows(of subjects: [Subject]) throws(StorageError) -> [(subject: Subject, place: ErasurePlace)] {
    let counting = Exclusions(counting: subjects, tokens: exclusions.tokens)
    let wanted = Set(subjects)
    var found: [(subject: Subject, place: ErasurePlace)] = []
    for table in tableNames {
      let schema = try schema(table)
      guard let column = schema.subjectColumn else { continue }
      let parts = follower?.parts(table) ?? state.withLock { $0.parts[table] ?? [] }
      let bytes = Dictionary(parts.map { ($0.entry.fileName, $0.entry.fileBytes) }, uniquingKeysWith: { $1 })
      for segment in try snapshot(table).segments {
        var counts: [Subject: Int] = [:]
        try counting.hidden.forEachRow(of: segment, subject: column, tenant: schema.tenantColumn) {
          block, row, subject in
          guard wanted.contains(subject), segment.mask?.bits(block)?[row] ?? true else { return }
          counts[subject, default: 0] += 1
        }
        for (subject, rows) in counts {
          let place = ErasurePlace(
            table: table, name: segment.name, isInMemory: !segment.isPart, rows: rows, bytes: bytes[segment.name] ?? 0)
          found.append((subject, place))
        }
      }
    }
    return found
  }

  /// Takes rows of an erased subject in again from now on.
  ///
  /// - Throws: `.invalid` when there is no such erasure, or files still hold rows of it.
  public func liftErasure(_ number: UInt64) throws(StorageError) -> Erasure {
    let now = clock()
    return try changeRules { (rules) throws(StorageError) in
      guard let place = rules.erasures.firstIndex(where: { $0.number == number }) else {
        throw StorageError(.invalid, "there is no erasure \(number): SHOW ERASURES lists them")
      }
      switch rules.erasures[place].state {
      case .lifted: throw StorageError(.invalid, "erasure \(number) has been lifted already")
      case .hidden:
        throw StorageError(
          .invalid, "erasure \(number) isn't finished: lifted now, the rows would come back; wait until it is 'erased'")
      case .erased: break
      }
      rules.erasures[place].state = .lifted
      rules.erasures[place].lifted = now
      let erasure = rules.erasures[place]
      return (erasure, [AuditEvent(.lifted, number: number, token: erasure.token, tenant: erasure.tenant)])
    }
  }

  // MARK: Holds

  /// Forbids the erasure of a subject, or of everyone in a tenant.
  ///
  /// - Throws: `.invalid` when neither is given, or the subject is being erased.
  public func hold(key: UInt128?, tenant: TenantName?, reason: String) throws(StorageError) -> LegalHold {
    guard key != nil || tenant != nil else { throw StorageError(.invalid, "a hold needs a user or an organisation") }
    let token = key.map(exclusions.tokens.token)
    let now = clock()
    return try changeRules { (rules) throws(StorageError) in
      let clash = rules.erasures.first { erasure in
        erasure.state != .lifted && (token == nil || token == erasure.token)
          && (tenant == nil || erasure.tenant == nil || tenant == erasure.tenant)
      }
      if token != nil, let clash {
        throw StorageError(
          .invalid, "erasure \(clash.number) of this user is '\(clash.state.rawValue)': it is too late for a hold")
      }
      if let clash, clash.state == .hidden {
        throw StorageError(
          .invalid, "erasure \(clash.number) in this organisation isn't finished: hold it when it is")
      }
      let hold = LegalHold(number: rules.nextNumber, token: token, tenant: tenant, since: now, reason: reason)
      rules.nextNumber += 1
      rules.holds.append(hold)
      return (hold, [AuditEvent(.held, number: hold.number, token: token, tenant: tenant)])
    }
  }

  /// - Throws: `.invalid` when there is no such hold.
  public func releaseHold(_ number: UInt64) throws(StorageError) -> LegalHold {
    let released = try changeRules { (rules) throws(StorageError) in
      guard let place = rules.holds.firstIndex(where: { $0.number == number }) else {
        throw StorageError(.invalid, "there is no hold \(number): SHOW HOLDS lists them")
      }
      let hold = rules.holds.remove(at: place)
      return (hold, [AuditEvent(.released, number: number, token: hold.token, tenant: hold.tenant)])
    }
    startRetention()
    return released
  }

  // MARK: Retention

  /// Says how long rows of a table are kept, or what of them is content, of one tenant or of those without a rule of their own;
  /// `nil`: for good, or for a tenant as long as the others'.
  public func setRetention(
    table: String, scope: RetentionRule.Scope = .rows, tenant: TenantName?, nanoseconds: Int64?
  ) throws(StorageError) {
    let schema = try schema(table)
    if scope == .content, schema.content == nil {
      throw StorageError(.invalid, "table '\(table)' has no content")
    }
    if tenant != nil, schema.tenantColumn == nil {
      throw StorageError(.invalid, "table '\(table)' doesn't say whose its rows are")
    }
    if let nanoseconds, nanoseconds < 1_000_000_000 {
      throw StorageError(.invalid, "a retention must be a second at least")
    }
    try changeRules { rules in
      rules.retention.removeAll { $0.table == table && $0.scope == scope && $0.tenant == tenant }
      if let nanoseconds {
        rules.retention.append(RetentionRule(table: table, scope: scope, tenant: tenant, nanoseconds: nanoseconds))
      }
      rules.retention.sort {
        ($0.table, $0.tenant ?? "", $0.scope.rawValue) < ($1.table, $1.tenant ?? "", $1.scope.rawValue)
      }
      let time = nanoseconds.map { "\($0)" } ?? "none"
      let what = scope == .rows ? "" : " of=content"
      return ((), [AuditEvent(.retention, tenant: tenant, detail: "table=\(table) nanoseconds=\(time)\(what)")])
    }
    startRetention()
  }

  // MARK: Changing

  /// Changes the rules, durably: first what happened goes into the audit log, then the rules count.
  /// - Parameter keys: What is known of new erasures' keys, by token.
  @discardableResult
  func changeRules<Value>(
    keys: [UInt128: UInt128] = [:],
    _ change: (inout StoreRules) throws(StorageError) -> (Value, [AuditEvent])
  ) throws(StorageError) -> Value {
    if isReadOnly { throw StorageError(.readOnly, "the store was opened read-only", path: path) }
    try state.withLock { (state) throws(StorageError) in try state.checkWritable() }
    return try rulesTurn.withLock { (log) throws(StorageError) in
      var rules = exclusions.current.rules
      let former = rules
      let (value, events) = try change(&rules)
      do throws(StorageError) {
        if !events.isEmpty { try audit(events, &log) }
        if rules != former { exclusions.set(try directory.rules.publish(rules), keys: keys) }
      } catch {
        if error.code == .failedStop { throw failStop(error) }
        throw error
      }
      return value
    }
  }
}
