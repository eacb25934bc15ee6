internal import LintelColumns

/// A stretch of a file, and what its bytes must sum to.
struct CheckedRange: Sendable, Hashable {
  var offset: Int
  var length: Int
  var checksum: UInt32
  /// For messages.
  var what: String
}

/// Reads a whole file once, front to back: sums it up, compares what has a checksum of its own, and copies it.
struct CheckedCopy {
  private static let pieceBytes = 4 << 20

  private let file: any ReadableFile
  private let target: (any WritableFile)?
  /// Of all bytes read so far.
  private(set) var checksum: UInt32 = 0
  /// The first stretch that isn't what it should be.
  private(set) var damage: String?
  private var position = 0

  /// - Parameter target: `nil` to read only.
  init(_ file: any ReadableFile, to target: (any WritableFile)?) {
    self.file = file
    self.target = target
  }

  /// Goes through the first `size` bytes. Copies damaged bytes as they are: what is around them is worth something.
  mutating func run(size: Int, ranges: [CheckedRange] = []) throws(StorageError) {
    for range in ranges.sorted(by: { $0.offset < $1.offset }) where range.length > 0 {
      // Never so in a file that a Lintel wrote; the directory may say so all the same.
      guard range.offset >= position, range.length <= size - range.offset else {
        damage = damage ?? "\(range.what) doesn't lie where a part of the file can"
        continue
      }
      _ = try pass(range.offset - position)
      let sum = try pass(range.length)
      if sum != range.checksum {
        damage = damage ?? "\(range.what) has the checksum \(hex(sum)) where \(hex(range.checksum)) belongs"
      }
    }
    _ = try pass(size - position)
  }

  private func hex(_ value: UInt32) -> String { ManifestCodec.hex(value) }

  /// Reads on, and returns the checksum of that alone.
  private mutating func pass(_ length: Int) throws(StorageError) -> UInt32 {
    var sum: UInt32 = 0
    let end = position + length
    while position < end {
      let bytes = try file.read(at: position, count: min(end - position, Self.pieceBytes))
      try target?.append(bytes)
      sum = Checksum.crc32c(bytes, seed: sum)
      checksum = Checksum.crc32c(bytes, seed: checksum)
      position += bytes.count
    }
    return sum
  }
}

extension CheckedRange {
  /// Everything in a part that has a checksum, whatever its table.
  static func ranges(of file: any ReadableFile, _ entry: PartEntry) throws(StorageError) -> [CheckedRange] {
    let footer = try PartFooter(file: file, name: entry.fileName)
    guard footer.checksum == entry.footerChecksum, footer.fileLength == entry.fileBytes else {
      throw StorageError(.corrupt, "it is not the part that the manifest means", path: entry.fileName)
    }
    let directory = footer.directory
    var ranges: [CheckedRange] = []
    for column in directory.columns {
      let name = column.displayName
      func add(_ chunk: PartChunk, _ what: String) {
        ranges.append(CheckedRange(offset: chunk.offset, length: chunk.length, checksum: chunk.checksum, what: what))
      }
      add(column.index, "the index of column '\(name)'")
      if let dictionary = column.dictionary { add(dictionary, "the dictionary of column '\(name)'") }
      if let filters = column.filters { add(filters, "the filters of column '\(name)'") }
      let bytes = try file.read(at: column.index.offset, count: column.index.length)
      guard Checksum.crc32c(bytes) == column.index.checksum else { continue }
      do throws(ColumnError) {
        let index = try BlockIndex(
          decoding: bytes, column: column, rowCount: directory.rowCount, blockRows: directory.blockRows)
        for (block, entry) in index.entries.enumerated() { add(entry.chunk, "block \(block) of column '\(name)'") }
      } catch {
        throw StorageError(.corrupt, "the index of column '\(name)': \(error.message)", path: entry.fileName)
      }
    }
    return ranges
  }

  /// Everything in a content segment that has a checksum.
  static func ranges(of file: any ReadableFile, _ entry: ContentEntry) throws(StorageError) -> [CheckedRange] {
    let reader = try ContentReader(
      file: file, name: entry.fileName, number: entry.number, expectedChecksum: entry.checksum,
      cache: ContentCache(capacity: 0))
    let list = CheckedRange(
      offset: reader.listRange.lowerBound, length: reader.listRange.count, checksum: reader.listChecksum,
      what: "the list of pieces")
    return [list]
      + reader.groups.enumerated().map { index, group in
        CheckedRange(
          offset: group.offset, length: group.length, checksum: group.checksum, what: "group \(index)")
      }
  }
}
