/// The erasure of one subject's rows.
public struct Erasure: Sendable, Hashable {
  public enum State: String, Sendable, Hashable, CaseIterable {
    /// No query returns its rows, none are taken in; files still hold them.
    case hidden
    /// No file holds them, and none are taken in.
    case erased
    /// Rows that come are taken in again.
    case lifted
  }

  public var number: UInt64
  /// Stands for the subject's key, which is in no file.
  public var token: UInt128
  public var tenant: TenantName?
  public var state: State
  /// Nanoseconds since 1970; 0 where it hasn't come to that.
  public var requested: Int64
  public var finished: Int64 = 0
  public var lifted: Int64 = 0
  /// Rows that were there when it was asked for.
  public var rows: Int
}

/// A subject, a tenant, or one within the other, whose rows must not be erased.
public struct LegalHold: Sendable, Hashable {
  public var number: UInt64
  /// `nil` for everyone in the tenant.
  public var token: UInt128?
  public var tenant: TenantName?
  /// Nanoseconds since 1970.
  public var since: Int64
  public var reason: String
}

/// How long the rows of a table are kept, or what of them is content, by its time column.
public struct RetentionRule: Sendable, Hashable {
  public enum Scope: String, Sendable, Hashable {
    case rows
    /// The attributes that are content: rows stay, without them.
    case content
  }

  public var table: String
  public var scope = Scope.rows
  /// `nil` for tenants without a rule of their own.
  public var tenant: TenantName?
  public var nanoseconds: Int64

  public init(table: String, scope: Scope = .rows, tenant: TenantName?, nanoseconds: Int64) {
    self.table = table
    self.scope = scope
    self.tenant = tenant
    self.nanoseconds = nanoseconds
  }
}

/// Which rows must not be seen, and which must not be lost: what `DATA/erasure` says at one moment.
public struct StoreRules: Sendable, Hashable {
  /// Grows by one with every change.
  public var sequence: UInt64 = 0
  /// Of the next erasure or hold.
  public var nextNumber: UInt64 = 1
  /// Ascending by number.
  public var erasures: [Erasure] = []
  public var holds: [LegalHold] = []
  public var retention: [RetentionRule] = []
  /// Erasures asked for up to this number are finished: a manifest that knows less comes from before.
  public var finished: UInt64 = 0

  public init() {}

  var isEmpty: Bool { erasures.isEmpty && holds.isEmpty && retention.isEmpty }

  /// The hold that forbids erasing a subject, if there is one.
  func hold(against token: UInt128, tenant: TenantName?) -> LegalHold? {
    holds.first { hold in
      (hold.token == nil || hold.token == token) && (hold.tenant == nil || tenant == nil || hold.tenant == tenant)
    }
  }
}
