internal import LintelColumns
internal import Synchronization

extension Store {
  /// Takes a damaged part out of what queries see, at once; the manifest follows in the background. The file stays.
  func quarantine(_ entry: PartEntry, because problem: StorageError) {
    let isNew = state.withLock { state in
      let known = state.parts[entry.table]?.contains { $0.entry.number == entry.number } ?? false
      guard known else { return false }
      state.removeParts([entry.number], table: entry.table)
      state.quarantined.append(entry)
      state.report(problem)
      return true
    }
    guard isNew, !isReadOnly else { return }
    flusher.start { [self] in
      do throws(StorageError) {
        try publish { manifest in
          // It may have been taken in again meanwhile.
          guard isQuarantined(entry) else { return }
          guard let place = manifest.parts.firstIndex(where: { $0.number == entry.number }) else { return }
          manifest.parts[place].isQuarantined = true
        }
      } catch {
        if error.code == .failedStop { _ = failStop(error) } else { report(error) }
      }
    }
  }
}
