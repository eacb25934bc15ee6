internal import LintelColumns

extension PartReader {
  /// Read whole at the first call, and kept in the store's cache. Damage is reported like any other, and the query that
  /// met it goes on without filters.
  func filters(_ column: ColumnReference) -> BlockFilters? {
    guard case .column(let stored) = place(column), directory.columns[stored].physical == physicalType(column),
      let chunk = directory.columns[stored].filters
    else { return nil }
    let key = BlockCache.Key.filters(part: cacheID, column: stored)
    if case .filters(let filters) = cache[key] { return filters }
    let name = "the filters of column '\(directory.columns[stored].displayName)'"
    guard let encoded = try? bytes(chunk, name) else { return nil }
    do throws(ColumnError) {
      let filters = try encoded.span.bytes.withUnsafeBytes { (bytes) throws(ColumnError) in
        try BlockFilters(decoding: bytes, blockCount: blockCount)
      }
      cache.insert(.filters(filters), for: key)
      return filters
    } catch {
      _ = damage(name, error.message)
      return nil
    }
  }
}
