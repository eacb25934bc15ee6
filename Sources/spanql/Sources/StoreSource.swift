import Lintel
import LintelColumns
import LintelIngest
import LintelQuery

#if canImport(Glibc)
  import Glibc
#endif

/// Statements answered by a store that this process opens read-only, beside whoever writes there.
struct StoreSource: QuerySource {
  let place: String
  private let store: SpanStore

  /// Opens an existing store.
  static func open(_ path: String, timeoutSeconds: Double?) async throws(ShellError) -> StoreSource {
    var status = stat()
    guard stat(path, &status) == 0 else { throw .failed("\(path): \(StandardStreams.reason(errno))") }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw .failed("\(path) is not a directory") }
    guard stat(path + "/lintel.json", &status) == 0 else {
      throw .failed("\(path) is not a Lintel store: it has no lintel.json. Give the directory that linteld writes to")
    }
    var configuration = Configuration()
    configuration.isReadOnly = true
    configuration.queryTimeLimit = timeoutSeconds
    do throws(LintelError) {
      return StoreSource(place: path, store: try await SpanStore.open(at: path, configuration: configuration))
    } catch {
      throw ShellError(error)
    }
  }

  func query(_ statement: String, _ token: CancellationToken) async throws(ShellError) -> QueryResult {
    do throws(LintelError) {
      return try await store.query(statement, cancellation: token)
    } catch {
      throw ShellError(error)
    }
  }

  func export(_ statement: String, to path: String) async throws(ShellError) -> ExportReport {
    let request: ExportRequest
    do throws(LintelError) {
      request = try await store.export(statement)
    } catch {
      throw ShellError(error)
    }
    let token = CancellationToken()
    let result = await withTaskCancellationHandler { () async -> Result<ExportReport, ShellError> in
      do throws(ShellError) {
        return .success(try await OwnThread.run { () throws(ShellError) in try Self.write(request, to: path, token) })
      } catch {
        return .failure(error)
      }
    } onCancel: {
      token.cancel()
    }
    return try result.get()
  }

  private static func write(
    _ request: ExportRequest, to path: String, _ token: CancellationToken
  ) throws(ShellError) -> ExportReport {
    let file = try AtomicFile(path: path)
    let exporter = SpanExporter()
    var spanCount = 0
    let warnings: [String]
    do {
      warnings = try request.forEachBatch(cancellation: token) { batch in
        spanCount += batch.rowCount
        try file.write(try exporter.lines(batch))
      }
    } catch let error as QueryError {
      throw ShellError(.query(error))
    } catch let error as ShellError {
      throw error
    } catch {
      throw .failed("the spans cannot be written as OTLP: \(error)")
    }
    try file.commit()
    return ExportReport(spanCount: spanCount, path: path, warnings: warnings)
  }

  func close() async { try? await store.close() }
}

extension ShellError {
  init(_ error: LintelError) {
    switch error {
    case .query(let error) where error.code == .cancelled: self = .cancelled
    case .query(let error): self = .query(error)
    case .storage, .decoding: self = .failed(error.description)
    }
  }
}
