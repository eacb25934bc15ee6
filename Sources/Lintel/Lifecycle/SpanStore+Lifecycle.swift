internal import LintelColumns
public import LintelQuery
internal import LintelStorage

extension SpanStore {
  /// Carries out what ERASE, LIFT, HOLD, RELEASE, ALTER, DROP and their SHOWs stand for, without their text.
  public func lifecycle(_ command: LifecycleCommand) async throws(LintelError) -> QueryResult {
    do throws(StorageError) {
      return try await threads.run { [store, userHasher] () throws(StorageError) in
        try StoreLifecycle(store: store, userHasher: userHasher).run(command)
      }.result
    } catch {
      throw .storage(error)
    }
  }

  /// Says how long spans are kept, in nanoseconds: those of one organisation, or of those without a rule of their own.
  public func setRetention(_ nanoseconds: Int64, organization: String? = nil) async throws(LintelError) {
    try await setRetention(nanoseconds, of: .rows, organization)
  }

  /// The same of what was said: inputs, outputs and whatever else of spans is content.
  public func setContentRetention(_ nanoseconds: Int64, organization: String? = nil) async throws(LintelError) {
    try await setRetention(nanoseconds, of: .content, organization)
  }

  private func setRetention(
    _ nanoseconds: Int64, of scope: RetentionRule.Scope, _ organization: String?
  ) async throws(LintelError) {
    do throws(StorageError) {
      try await threads.run { [store] () throws(StorageError) in
        let rule = RetentionRule(
          table: SpanSchema.table.name, scope: scope, tenant: organization.map { TenantName($0) },
          nanoseconds: nanoseconds)
        if try store.rules().retention.contains(rule) { return }
        try store.setRetention(table: rule.table, scope: scope, tenant: rule.tenant, nanoseconds: nanoseconds)
      }
    } catch {
      throw .storage(error)
    }
  }

  /// The signed receipt of an erasure: two lines of text; `nil` while it isn't finished.
  public func receipt(_ erasure: UInt64) async throws(LintelError) -> [UInt8]? {
    do throws(StorageError) {
      return try await threads.run { [store] () throws(StorageError) in try store.receipt(erasure) }
    } catch {
      throw .storage(error)
    }
  }

  /// Returns when the files hold nothing more of erased users. It happens by itself, too.
  public func finishErasures() async throws(LintelError) {
    do throws(StorageError) {
      try await threads.run { [store] () throws(StorageError) in try store.eraseFilesBlocking() }
    } catch {
      throw .storage(error)
    }
  }

  /// Returns when expired parts are gone. It happens by itself, too.
  public func expire() async throws(LintelError) {
    do throws(StorageError) {
      try await threads.run { [store] () throws(StorageError) in try store.expireBlocking() }
    } catch {
      throw .storage(error)
    }
  }
}
