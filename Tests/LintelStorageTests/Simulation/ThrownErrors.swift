import LintelStorage
import Testing

/// The storage error that a body throws; `nil` when it throws none. Any other error is recorded as an issue.
func thrown(_ body: () throws -> Void) -> StorageError? {
  do {
    try body()
    return nil
  } catch let error as StorageError {
    return error
  } catch {
    Issue.record(error)
    return nil
  }
}

/// The code of the storage error that a body throws.
func code(_ body: () throws -> Void) -> StorageError.Code? { thrown(body)?.code }
