#if Server
  internal import Lintel
  internal import LintelColumns
  internal import LintelIngest
  internal import LintelQuery
  internal import LintelStorage
  internal import Logging
  internal import NIOCore

  /// The real store behind the endpoints.
  struct SpanStoreBackend: Backend {
    let store: SpanStore
    let logger: Logger
    private let decoder: OTLPDecoder

    init(_ store: SpanStore, invalidText: OTLPLimits.InvalidText, logger: Logger) {
      self.store = store
      self.logger = logger
      var limits = OTLPLimits()
      limits.invalidText = invalidText
      decoder = OTLPDecoder(hasher: store.userHasher, limits: limits)
    }

    func decode(
      _ body: UnsafeRawBufferPointer, _ format: OTLPFormat, organization: String?
    ) throws(MalformedBody) -> DecodedSpans {
      do throws(OTLPError) {
        let request =
          switch format {
          case .protobuf: try decoder.decode(body, organization: organization)
          case .json: try decoder.decode(json: body, organization: organization)
          }
        return DecodedSpans(
          batch: request.accepted > 0 ? request.batch : nil, rejected: request.rejectedCount, message: request.message)
      } catch {
        throw MalformedBody(message: error.message)
      }
    }

    func append(_ batch: Batch) async throws(StorageError) -> AppendReceipt {
      do throws(LintelError) { return try await store.append(batch) } catch { throw Self.storageError(error) }
    }

    func lifecycle(_ command: LifecycleCommand) async throws(StorageError) -> QueryResult {
      do throws(LintelError) { return try await store.lifecycle(command) } catch { throw Self.storageError(error) }
    }

    func receipt(_ erasure: UInt64) async throws(StorageError) -> [UInt8]? {
      do throws(LintelError) { return try await store.receipt(erasure) } catch { throw Self.storageError(error) }
    }

    private static func storageError(_ error: LintelError) -> StorageError {
      guard case .storage(let error) = error else { return StorageError(.invalid, error.description) }
      return error
    }

    func query(_ text: String) async throws(QueryError) -> QueryResult {
      do throws(LintelError) {
        return try await store.query(text)
      } catch {
        throw Self.queryError(error)
      }
    }

    func export(_ text: String) async throws(QueryError) -> any SpanExport {
      do throws(LintelError) {
        return SpanStoreExport(request: try await store.export(text), logger: logger)
      } catch {
        throw Self.queryError(error)
      }
    }

    func problem() -> String? { store.statistics.failure?.description }

    var problemCount: Int { store.statistics.problems }

    func gauges() -> [Gauge] {
      let now = store.statistics
      return [
        Gauge("lintel_rows", "Rows in parts and in memory.", now.rows),
        Gauge("lintel_parts", "Parts.", now.parts),
        Gauge("lintel_part_bytes", "Bytes of the parts' files.", now.partBytes),
        Gauge("lintel_content_bytes", "Bytes of the content segments' files.", now.contentBytes),
        Gauge("lintel_memtable_rows", "Rows in memory, those being flushed included.", now.memtableRows),
        Gauge("lintel_memtable_bytes", "Memory reserved for rows in memory.", now.memtableBytes),
        Gauge("lintel_log_bytes", "Bytes of the write-ahead log's segments being written.", now.logBytes),
        Gauge("lintel_cache_bytes", "Bytes of decoded blocks and dictionaries kept.", now.cacheBytes),
        Gauge(
          "lintel_store_problems", "Damage, and background work that failed and hasn't succeeded since.", now.problems),
        Gauge("lintel_flushes_total", "Memtables written into parts.", now.flushes, isCounter: true),
        Gauge("lintel_flushed_rows_total", "Rows of those.", now.flushedRows, isCounter: true),
        Gauge("lintel_merges_total", "Merges of parts.", now.merges, isCounter: true),
        Gauge("lintel_merged_rows_total", "Rows of those.", now.mergedRows, isCounter: true),
        Gauge(
          "lintel_scrubbed_bytes_total", "Bytes of parts read again in the background.", now.scrubbedBytes,
          isCounter: true),
        Gauge("lintel_scrubs_total", "Times that all parts were read again.", now.scrubPasses, isCounter: true),
        Gauge("lintel_erasures_pending", "Erasures that files still hold rows of.", now.erasuresPending),
        Gauge("lintel_written_part_bytes_total", "Bytes of parts written.", now.writtenPartBytes, isCounter: true),
        Gauge("lintel_moves_total", "Moves of parts to another tier.", now.moves, isCounter: true),
        Gauge("lintel_moved_rows_total", "Rows of those.", now.movedRows, isCounter: true),
        Gauge("lintel_moved_bytes_total", "Bytes written by those.", now.movedBytes, isCounter: true),
      ]
        + tierGauges("lintel_tier_parts", "Parts of a tier.", now, \.parts)
        + tierGauges("lintel_tier_rows", "Rows of a tier's parts.", now, \.rows)
        + tierGauges("lintel_tier_bytes", "Bytes of a tier's parts.", now, \.bytes)
    }

    private func tierGauges(
      _ name: String, _ help: String, _ statistics: StoreStatistics, _ value: KeyPath<TierDescription, Int>
    ) -> [Gauge] {
      statistics.tiers.map { tier in
        Gauge(name, help, tier[keyPath: value], labels: "tier=\"\(tier.tier.rawValue)\"")
      }
    }

    private static func queryError(_ error: LintelError) -> QueryError {
      switch error {
      case .query(let error): error
      case .storage(let error): QueryError(.storage, error.description)
      case .decoding(let message): QueryError(.storage, message)
      }
    }
  }

  /// The rows of an EXPORT, read block by block and written as OTLP JSON.
  private struct SpanStoreExport: SpanExport {
    let request: ExportRequest
    let logger: Logger
    private let cancellation = CancellationToken()

    init(request: ExportRequest, logger: Logger) {
      self.request = request
      self.logger = logger
    }

    var omissions: [String] { request.omissions }

    func run(_ write: (ByteBuffer) throws -> Void) throws -> [String] {
      let warnings = try request.forEachBatch(cancellation: cancellation) { batch in
        try write(ByteBuffer(bytes: try SpanExporter().lines(batch)))
      }
      for warning in warnings { logger.warning("an export is incomplete: \(warning)") }
      return warnings
    }

    func cancel() { cancellation.cancel() }
  }
#endif
