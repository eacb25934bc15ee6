public import LintelColumns

/// What statements about erasures, legal holds, retention and lost parts ask for.
public enum LifecycleCommand: Sendable, Hashable {
  /// `ERASE USER 'id', .. [IN ORG 'x'] [DRY RUN]`
  case erase(users: [String], organization: String?, isDryRun: Bool)
  /// `LIFT ERASURE number`
  case liftErasure(UInt64)
  /// `SHOW ERASURES`
  case showErasures
  /// `HOLD USER 'id' [IN ORG 'x'] [FOR 'reason']`, `HOLD ORG 'x' [FOR 'reason']`
  case hold(user: String?, organization: String?, reason: String)
  /// `RELEASE HOLD number`
  case releaseHold(UInt64)
  /// `SHOW HOLDS`
  case showHolds
  /// `ALTER TABLE table SET RETENTION 90d | NONE [FOR ORG 'x']`; nanoseconds.
  case setRetention(table: String, organization: String?, nanoseconds: Int64?)
  /// `ALTER TABLE table SET CONTENT RETENTION 30d | NONE [FOR ORG 'x']`; nanoseconds.
  case setContentRetention(table: String, organization: String?, nanoseconds: Int64?)
  /// `SHOW RETENTION`
  case showRetention
  /// `DROP PART 'hot/000000000017.part'`
  case dropPart(String)

  /// A dry run tells in how many rows of which parts a user is; who was erased when, and why somebody is held, is not for
  /// everybody either.
  var isAdministrative: Bool { self != .showRetention }
}

/// A small table in answer to a ``LifecycleCommand``.
public struct LifecycleAnswer: Sendable {
  public var columns: [(name: String, type: ColumnType)]
  public var rows: [[Value]]

  public init(_ columns: [(name: String, type: ColumnType)], rows: [[Value]] = []) {
    self.columns = columns
    self.rows = rows
  }

  /// As queries are answered.
  public var result: QueryResult {
    var table = ResultTable(columns)
    for row in rows { table.append(row) }
    return table.result
  }
}
