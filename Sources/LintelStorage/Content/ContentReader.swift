internal import LintelColumns
internal import Synchronization

/// A group of pieces in memory.
final class ContentGroup: Sendable {
  /// Ascending.
  let ids: [UInt64]
  /// Where each piece begins in `bytes`, and where the last one ends.
  let starts: [Int]
  let bytes: [UInt8]

  init(ids: [UInt64], starts: [Int], bytes: [UInt8]) {
    self.ids = ids
    self.starts = starts
    self.bytes = bytes
  }

  subscript(index: Int) -> ArraySlice<UInt8> { bytes[starts[index]..<starts[index + 1]] }

  func find(_ id: UInt64) -> ArraySlice<UInt8>? {
    var low = 0
    var high = ids.count
    while low < high {
      let middle = (low + high) / 2
      if ids[middle] < id { low = middle + 1 } else { high = middle }
    }
    return low < ids.count && ids[low] == id ? self[low] : nil
  }
}

/// Groups that have been read lately.
final class ContentCache: Sendable {
  struct Key: Hashable, Sendable {
    var segment: UInt64
    var group: Int
  }

  private struct State {
    var groups: [Key: (group: ContentGroup, used: UInt64)] = [:]
    var bytes = 0
    var clock: UInt64 = 0
  }

  private let capacity: Int
  private let state = Mutex(State())

  init(capacity: Int) { self.capacity = capacity }

  subscript(key: Key) -> ContentGroup? {
    state.withLock { state in
      guard let found = state.groups[key]?.group else { return nil }
      state.clock += 1
      state.groups[key]?.used = state.clock
      return found
    }
  }

  func insert(_ group: ContentGroup, for key: Key) {
    guard group.bytes.count <= capacity else { return }
    state.withLock { state in
      state.clock += 1
      guard state.groups.updateValue((group, state.clock), forKey: key) == nil else { return }
      state.bytes += group.bytes.count
      while state.bytes > capacity, let oldest = state.groups.min(by: { $0.value.used < $1.value.used }) {
        state.groups[oldest.key] = nil
        state.bytes -= oldest.value.group.bytes.count
      }
    }
  }

  func forget(segment: UInt64) {
    state.withLock { state in
      for (key, value) in state.groups where key.segment == segment {
        state.groups[key] = nil
        state.bytes -= value.group.bytes.count
      }
    }
  }
}

/// Reads a content segment. Only its list of groups is kept in memory.
final class ContentReader: Sendable {
  let name: String
  let number: UInt64
  let groups: [ContentFormat.Group]
  let pieceCount: Int
  let rawBytes: Int
  let file: any ReadableFile
  private let cache: ContentCache
  let listRange: Range<Int>
  let listChecksum: UInt32

  /// - Parameter expectedChecksum: What the manifest says of the trailer.
  init(
    file: any ReadableFile, name: String, number: UInt64, expectedChecksum: UInt32, cache: ContentCache
  ) throws(StorageError) {
    self.file = file
    self.name = name
    self.number = number
    self.cache = cache
    let size = try file.size()
    func damaged(_ what: String) -> StorageError {
      StorageError(.corrupt, "the content segment is damaged: \(what); restore it from a backup", path: name)
    }
    guard size >= ContentFormat.headerLength + ContentFormat.trailerLength else { throw damaged("it is too short") }
    let header = try file.read(at: 0, count: ContentFormat.headerLength)
    guard header.starts(with: ContentFormat.headerMagic) else { throw damaged("it has no header") }
    let trailerOffset = size - ContentFormat.trailerLength
    let trailer = try file.read(at: trailerOffset, count: ContentFormat.trailerLength)
    guard trailer.suffix(8).elementsEqual(ContentFormat.trailerMagic) else { throw damaged("it has no trailer") }
    // That the device refuses a read says nothing of the file.
    var unread: StorageError?
    do throws(ColumnError) {
      var reader = PartBytesReader(trailer)
      let offset = try reader.fixed(UInt64.self)
      let length = try reader.fixed(UInt64.self)
      listChecksum = try reader.fixed(UInt32.self)
      let version = try reader.fixed(UInt32.self)
      let checksum = try reader.fixed(UInt32.self)
      guard version == ContentFormat.version else {
        throw ColumnError(.unsupportedEncoding, "it has format \(version)")
      }
      guard length <= UInt64(trailerOffset), offset == UInt64(trailerOffset) - length else {
        throw ColumnError(.malformed, "its directory lies elsewhere")
      }
      let bytes: [UInt8]
      do throws(StorageError) { bytes = try file.read(at: Int(offset), count: Int(length)) } catch {
        unread = error
        throw ColumnError(.truncated, error.message)
      }
      let fields = Array(trailer.prefix(ContentFormat.trailerChecked))
      guard PartFormat.checksum(directory: bytes, trailerFields: fields) == checksum, checksum == expectedChecksum
      else {
        throw ColumnError(.malformed, "its checksum is not the manifest's")
      }
      (groups, pieceCount, rawBytes, listRange) = try Self.directory(bytes, endsAt: Int(offset))
    } catch {
      if let unread { throw unread }
      if error.code == .unsupportedEncoding {
        throw StorageError(.incompatible, "\(error.message): use the Lintel that wrote it", path: name)
      }
      throw damaged(error.message)
    }
    guard header.elementsEqual(ContentFormat.header) else { throw damaged("its header is not that of its format") }
  }

  private static func directory(
    _ bytes: [UInt8], endsAt end: Int
  ) throws(ColumnError) -> (groups: [ContentFormat.Group], pieces: Int, rawBytes: Int, list: Range<Int>) {
    var reader = PartBytesReader(bytes)
    let pieces = try reader.count(limit: ContentFormat.maximumPieces)
    let rawBytes = try reader.count(limit: Int.max)
    let listLength = try reader.count(limit: end - ContentFormat.headerLength)
    let count = try reader.count(limit: reader.remaining)
    var groups: [ContentFormat.Group] = []
    groups.reserveCapacity(count)
    var offset = ContentFormat.headerLength
    for _ in 0..<count {
      let first = try reader.varint()
      let (last, overflow) = first.addingReportingOverflow(try reader.varint())
      let length = try reader.count(limit: end - offset)
      let rawLength = try reader.count(limit: Int(UInt32.max))
      guard !overflow, first > groups.last?.last ?? 0, last < ContentRecipe.idLimit,
        let encoding = ContentFormat.Encoding(rawValue: try reader.byte())
      else { throw ColumnError(.malformed, "its groups are out of order, or of an unknown encoding") }
      groups.append(
        ContentFormat.Group(
          first: first, last: last, offset: offset, length: length, rawLength: rawLength, encoding: encoding,
          checksum: try reader.fixed(UInt32.self)))
      offset += length
    }
    guard reader.remaining == 0, end - offset == listLength, listLength / (ContentFormat.digestLength + 1) >= pieces
    else {
      throw ColumnError(.malformed, "its directory doesn't fit the file")
    }
    return (groups, pieces, rawBytes, offset..<end)
  }

  /// The group that would hold a piece.
  func group(of id: UInt64) -> Int? {
    guard let first = groups.first, let last = groups.last, first.first <= id, id <= last.last else { return nil }
    var low = 0
    var high = groups.count
    while low < high {
      let middle = (low + high) / 2
      if groups[middle].last < id { low = middle + 1 } else { high = middle }
    }
    return low < groups.count && groups[low].first <= id ? low : nil
  }

  /// A group, from the cache or into it.
  func group(_ index: Int) throws(StorageError) -> ContentGroup {
    let key = ContentCache.Key(segment: number, group: index)
    if let known = cache[key] { return known }
    let group = try read(index)
    cache.insert(group, for: key)
    return group
  }

  /// A group as it is in the file.
  func stored(_ index: Int) throws(StorageError) -> [UInt8] {
    let entry = groups[index]
    let stored = try file.read(at: entry.offset, count: entry.length)
    guard Checksum.crc32c(stored) == entry.checksum else { throw damaged(index, "its checksum is wrong") }
    return stored
  }

  private func damaged(_ index: Int, _ what: String) -> StorageError {
    StorageError(
      .corrupt, "group \(index) of the content segment is damaged: \(what); restore it from a backup", path: name)
  }

  /// A group, from the file.
  func read(_ index: Int) throws(StorageError) -> ContentGroup {
    let entry = groups[index]
    let stored = try stored(index)
    do throws(ColumnError) {
      let raw: [UInt8]
      switch entry.encoding {
      case .plain: raw = stored
      case .zstd:
        raw = try stored.span.bytes.withUnsafeBytes { (bytes) throws(ColumnError) in
          try Compression.zstdDecoded(bytes, rawCount: entry.rawLength)
        }
      }
      guard raw.count == entry.rawLength else { throw ColumnError(.malformed, "it has \(raw.count) bytes") }
      return try Self.decode(raw, entry)
    } catch {
      throw damaged(index, error.message)
    }
  }

  /// Ids ascend, each written as its distance to the one before.
  static func id(after id: UInt64, _ reader: inout PartBytesReader) throws(ColumnError) -> UInt64 {
    let (next, overflow) = id.addingReportingOverflow(try reader.varint())
    guard !overflow, next > id, next < ContentRecipe.idLimit else {
      throw ColumnError(.malformed, "its ids are out of order")
    }
    return next
  }

  private static func decode(_ raw: [UInt8], _ entry: ContentFormat.Group) throws(ColumnError) -> ContentGroup {
    var reader = PartBytesReader(raw)
    let count = try reader.count(limit: reader.remaining / 2)
    var ids: [UInt64] = []
    var lengths: [Int] = []
    ids.reserveCapacity(count)
    lengths.reserveCapacity(count)
    var id: UInt64 = 0
    for _ in 0..<count {
      id = try Self.id(after: id, &reader)
      ids.append(id)
      lengths.append(try reader.count(limit: raw.count))
    }
    var starts = [reader.position]
    starts.reserveCapacity(count + 1)
    for length in lengths { starts.append(starts[starts.count - 1] + length) }
    guard count > 0, starts[count] == raw.count, ids.first == entry.first, ids.last == entry.last else {
      throw ColumnError(.malformed, "its table doesn't fit its bytes")
    }
    return ContentGroup(ids: ids, starts: starts, bytes: raw)
  }

  /// Reads all pieces from the file, ascending by id.
  func forEachPiece(_ body: (ContentPiece) throws(StorageError) -> Void) throws(StorageError) {
    var list = try list()[...]
    for index in groups.indices {
      let group = try read(index)
      for (number, id) in group.ids.enumerated() {
        guard let piece = list.popFirst(), piece.id == id else { throw mismatch() }
        try body(ContentPiece(id: id, digest: piece.digest, bytes: group[number]))
      }
    }
    guard list.isEmpty else { throw mismatch() }
  }

  func mismatch() -> StorageError {
    StorageError(
      .corrupt, "the content segment's groups don't hold the pieces that it lists; restore it from a backup",
      path: name)
  }
}
