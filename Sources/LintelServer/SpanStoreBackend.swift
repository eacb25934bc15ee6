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

    func problem() -> String? { store.statistics.failure?.description }

    func gauges() -> [Gauge] {
      let now = store.statistics
      return [
        Gauge("lintel_rows", "Rows in parts and in memory.", now.rows),
        Gauge("lintel_parts", "Parts.", now.parts),
        Gauge("lintel_part_bytes", "Bytes of the parts' files.", now.partBytes),
        Gauge("lintel_memtable_rows", "Rows in memory, those being flushed included.", now.memtableRows),
        Gauge("lintel_memtable_bytes", "Memory reserved for rows in memory.", now.memtableBytes),
        Gauge("lintel_log_bytes", "Bytes of the write-ahead log's segments being written.", now.logBytes),
        Gauge("lintel_cache_bytes", "Bytes of decoded blocks and dictionaries kept.", now.cacheBytes),
        Gauge("lintel_store_problems", "Damage found and background work that failed since the start.", now.problems),
        Gauge("lintel_flushes_total", "Memtables written into parts.", now.flushes, isCounter: true),
        Gauge("lintel_flushed_rows_total", "Rows of those.", now.flushedRows, isCounter: true),
        Gauge("lintel_merges_total", "Merges of parts.", now.merges, isCounter: true),
        Gauge("lintel_merged_rows_total", "Rows of those.", now.mergedRows, isCounter: true),
        Gauge("lintel_written_part_bytes_total", "Bytes of parts written.", now.writtenPartBytes, isCounter: true),
      ]
    }

    private static func queryError(_ error: LintelError) -> QueryError {
      switch error {
      case .query(let error): error
      case .storage(let error): QueryError(.storage, error.description)
      case .decoding(let message): QueryError(.storage, message)
      }
    }
  }
#endif
