#if Server
  internal import Lintel
  internal import LintelColumns
  internal import LintelIngest
  internal import LintelQuery
  internal import LintelStorage

  /// The real store behind the endpoints.
  struct SpanStoreBackend: Backend {
    let store: SpanStore

    init(_ store: SpanStore) { self.store = store }

    func decode(
      _ body: UnsafeRawBufferPointer, _ format: OTLPFormat, organization: String?
    ) throws(MalformedBody) -> DecodedSpans {
      throw MalformedBody(message: "decoding isn't wired yet")
    }

    func append(_ batch: Batch) async throws(StorageError) -> (stored: Int, duplicates: Int) {
      do throws(LintelError) {
        let receipt = try await store.append(batch)
        return (receipt.stored, receipt.duplicates)
      } catch {
        guard case .storage(let error) = error else { throw StorageError(.invalid, error.description) }
        throw error
      }
    }

    func query(_ text: String) async throws(QueryError) -> QueryResult {
      do throws(LintelError) {
        return try await store.query(text)
      } catch {
        throw Self.queryError(error)
      }
    }

    func export(_ text: String) async throws(QueryError) -> any SpanExport {
      throw QueryError(.unsupported, "EXPORT isn't wired yet")
    }

    func problem() -> String? { nil }

    func gauges() -> [Gauge] { [] }

    private static func queryError(_ error: LintelError) -> QueryError {
      switch error {
      case .query(let error): error
      case .storage(let error): QueryError(.storage, error.description)
      case .decoding(let message): QueryError(.storage, message)
      }
    }
  }
#endif
