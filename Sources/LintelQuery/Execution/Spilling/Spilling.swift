import LintelStorage

/// Access to what queries have put on disk, errors in the words of queries.
enum Spilling {
  static func makeFile(_ space: SpillSpace) throws(ExecutionFailure) -> SpillFile {
    do { return try space.makeFile() } catch { throw failure(error) }
  }

  static func append(_ bytes: [UInt8], to file: SpillFile) throws(ExecutionFailure) -> SpillFile.Extent {
    do { return try file.append(bytes) } catch { throw failure(error) }
  }

  static func read(_ file: SpillFile, _ extent: SpillFile.Extent) throws(ExecutionFailure) -> [UInt8] {
    do { return try file.read(extent) } catch { throw failure(error) }
  }

  static func damaged() -> ExecutionFailure {
    .query(QueryError(.storage, "what the query had put on disk came back damaged; run it again, and look at the disk"))
  }

  private static func failure(_ error: StorageError) -> ExecutionFailure {
    switch error.code {
    case .corrupt: damaged()
    case .diskFull, .overloaded:
      .query(
        QueryError(
          .limitExceeded,
          "the query's intermediate results fit neither into memory nor on disk: \(error.description)",
          hint: "narrow the filter, group by fewer values, make room on disk, or raise the limits"))
    default:
      .query(
        QueryError(
          .storage, "the query's intermediate results could not be put on disk: \(error.description)"))
    }
  }
}
