internal import LintelColumns
internal import Synchronization

/// The digests of pieces that rows refer to by their ids, for whoever looks at one snapshot.
final class ContentDigests: Sendable {
  /// The list of a segment.
  private struct List: Sendable {
    /// Ascending.
    var ids: [UInt64] = []
    var digests: [UInt128] = []

    func find(_ id: UInt64) -> UInt128? {
      var low = 0
      var high = ids.count
      while low < high {
        let middle = (low + high) / 2
        if ids[middle] < id { low = middle + 1 } else { high = middle }
      }
      return low < ids.count && ids[low] == id ? digests[low] : nil
    }
  }

  /// By the number of the segment; empty where it can't be read.
  private let lists = Mutex<[UInt64: List]>([:])

  /// The digests of each row's pieces, 16 bytes each; null where there is no recipe, or a piece of it isn't known.
  func values(_ recipes: ColumnVector, _ view: ContentView) throws(StorageError) -> ColumnVector {
    var strings = ByteStrings()
    strings.offsets.reserveCapacity(recipes.count + 1)
    var validity = Bitmap(count: recipes.count)
    for row in 0..<recipes.count {
      let start = strings.bytes.count
      if let ids = recipes.bytes(at: row).flatMap({ $0.withUnsafeBytes { ContentRecipe.ids($0) } }) {
        var isWhole = true
        for id in ids where isWhole {
          if let found = try digest(id, view) {
            strings.bytes += found.bigEndianBytes
          } else {
            isWhole = false
          }
        }
        validity[row] = isWhole
        if !isWhole { strings.bytes.removeSubrange(start...) }
      }
      strings.offsets.append(UInt32(truncatingIfNeeded: strings.bytes.count))
    }
    return ColumnVector(.bytes(strings), validity: validity.isAllSet ? nil : validity)
  }

  private func digest(_ id: UInt64, _ view: ContentView) throws(StorageError) -> UInt128? {
    for memory in view.memories {
      if let found = memory.digest(id) { return found }
    }
    for segment in view.segments where segment.group(of: id) != nil {
      if let found = try list(of: segment, view).find(id) { return found }
    }
    return nil
  }

  private func list(of segment: ContentReader, _ view: ContentView) throws(StorageError) -> List {
    if let known = lists.withLock({ $0[segment.number] }) { return known }
    var list = List()
    do throws(StorageError) {
      let found = try segment.list()
      list = List(ids: found.map(\.id), digests: found.map(\.digest))
    } catch {
      guard ContentRebuilder.isDamage(error) else { throw error }
      view.damage.note(error)
    }
    lists.withLock { [list] in $0[segment.number] = list }
    return list
  }
}
