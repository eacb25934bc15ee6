internal import LintelColumns
internal import LintelQuery
internal import LintelStorage

/// Carries out statements about erasures, holds, retention and lost parts, in which users have ids and the store has keys.
struct StoreLifecycle {
  let store: Store
  let userHasher: UserHasher

  func run(_ command: LifecycleCommand) throws(StorageError) -> LifecycleAnswer {
    switch command {
    case .erase(let users, let organization, let isDryRun):
      let subjects = subjects(users, organization)
      return isDryRun ? try dryRun(subjects) : try erase(subjects)
    case .liftErasure(let number): return Self.table([try store.liftErasure(number)])
    case .showErasures: return Self.table(try store.rules().erasures)
    case .hold(let user, let organization, let reason):
      return Self.table([
        try store.hold(
          key: user.map { userHasher.hash($0) }, tenant: organization.map { TenantName($0) }, reason: reason)
      ])
    case .releaseHold(let number): return Self.table([try store.releaseHold(number)])
    case .showHolds: return Self.table(try store.rules().holds)
    case .setContentRetention(let table, let organization, let nanoseconds):
      try store.setRetention(
        table: table, scope: .content, tenant: organization.map { TenantName($0) }, nanoseconds: nanoseconds)
      return Self.table(try store.rules().retention)
    case .setRetention(let table, let organization, let nanoseconds):
      try store.setRetention(table: table, tenant: organization.map { TenantName($0) }, nanoseconds: nanoseconds)
      return Self.table(try store.rules().retention)
    case .showRetention: return Self.table(try store.rules().retention)
    case .dropPart(let name):
      let part = try store.giveUp(name)
      var answer = LifecycleAnswer([
        ("table", .string), ("part", .string), ("tier", .string), ("rows", .int64), ("bytes", .int64),
      ])
      answer.rows = [
        [
          .text(part.table), .text(part.name), .text(part.tier?.rawValue ?? ""), .count(part.rows), .count(part.bytes),
        ]
      ]
      return answer
    }
  }

  /// Each user once.
  private func subjects(_ users: [String], _ organization: String?) -> [Subject] {
    var seen: Set<Subject> = []
    return users.map { Subject(userHasher.hash($0), tenant: organization.map { TenantName($0) }) }.filter {
      seen.insert($0).inserted
    }
  }

  private func erase(_ subjects: [Subject]) throws(StorageError) -> LifecycleAnswer {
    let erasures = try store.erase(subjects)
    userHasher.forget()
    return Self.table(erasures)
  }

  /// A row for each place that an erasure would reach.
  private func dryRun(_ subjects: [Subject]) throws(StorageError) -> LifecycleAnswer {
    var answer = LifecycleAnswer([
      ("table", .string), ("part", .string), ("tier", .string), ("users", .int64), ("rows", .int64),
      ("part_bytes", .int64),
    ])
    var rows: [String: (place: ErasurePlace, users: Int, rows: Int)] = [:]
    for (_, place) in try store.places(of: subjects) {
      var entry = rows["\(place.table)/\(place.name)"] ?? (place, 0, 0)
      entry.users += 1
      entry.rows += place.rows
      rows["\(place.table)/\(place.name)"] = entry
    }
    for (_, entry) in rows.sorted(by: { $0.key < $1.key }) {
      answer.rows.append([
        .text(entry.place.table), .text(entry.place.name), .text(entry.place.tier?.rawValue ?? "memory"),
        .count(entry.users), .count(entry.rows), .count(entry.place.bytes),
      ])
    }
    return answer
  }

  static func table(_ erasures: [Erasure]) -> LifecycleAnswer {
    var answer = LifecycleAnswer([
      ("erasure", .int64), ("request", .string), ("org_id", .string), ("status", .string), ("rows", .int64),
      ("requested", .timestamp), ("finished", .timestamp), ("lifted", .timestamp),
    ])
    for erasure in erasures {
      answer.rows.append([
        .count(Int(clamping: erasure.number)), .text(hex(erasure.token)),
        erasure.tenant.map { .bytes($0.utf8) } ?? .null,
        .text(erasure.state.rawValue), .count(erasure.rows), .int64(erasure.requested), time(erasure.finished),
        time(erasure.lifted),
      ])
    }
    return answer
  }

  private static func table(_ holds: [LegalHold]) -> LifecycleAnswer {
    var answer = LifecycleAnswer([
      ("hold", .int64), ("user", .string), ("org_id", .string), ("since", .timestamp), ("reason", .string),
    ])
    for hold in holds {
      answer.rows.append([
        .count(Int(clamping: hold.number)), hold.token.map { .text(hex($0)) } ?? .null,
        hold.tenant.map { .bytes($0.utf8) } ?? .null, .int64(hold.since), .text(hold.reason),
      ])
    }
    return answer
  }

  /// A row for each table and organisation.
  private static func table(_ rules: [RetentionRule]) -> LifecycleAnswer {
    var answer = LifecycleAnswer([
      ("table", .string), ("org_id", .string), ("retention", .duration), ("content_retention", .duration),
    ])
    func time(_ rule: RetentionRule, _ scope: RetentionRule.Scope) -> Value {
      rules.first { $0.table == rule.table && $0.tenant == rule.tenant && $0.scope == scope }
        .map { .int64($0.nanoseconds) } ?? .null
    }
    for (index, rule) in rules.enumerated() {
      let isKnown = rules[..<index].contains { $0.table == rule.table && $0.tenant == rule.tenant }
      if isKnown { continue }
      answer.rows.append([
        .text(rule.table), rule.tenant.map { .bytes($0.utf8) } ?? .null, time(rule, .rows), time(rule, .content),
      ])
    }
    return answer
  }

  private static func time(_ time: Int64) -> Value { time == 0 ? .null : .int64(time) }

  private static func hex(_ value: UInt128) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 32 - digits.utf8.count) + digits
  }
}

extension Value {
  fileprivate static func text(_ text: String) -> Value { .bytes(Array(text.utf8)) }

  fileprivate static func count(_ count: Int) -> Value { .int64(Int64(clamping: count)) }
}
