internal import LintelColumns

/// What a segment holds, without reading it.
extension ContentReader {
  /// The ids and digests of all pieces, ascending by id; from the file.
  func list() throws(StorageError) -> [(id: UInt64, digest: UInt128)] {
    try readList { (bytes, digests) throws(ColumnError) in
      var list: [(id: UInt64, digest: UInt128)] = []
      list.reserveCapacity(pieceCount)
      var reader = PartBytesReader(bytes, to: digests)
      var id: UInt64 = 0
      for index in 0..<pieceCount {
        id = try Self.id(after: id, &reader)
        let start = digests + index * ContentFormat.digestLength
        list.append((id, UInt128(bigEndianBytes: bytes[start..<start + ContentFormat.digestLength])))
      }
      guard reader.remaining == 0 else { throw ColumnError(.malformed, "it holds more ids than pieces") }
      return list
    }
  }

  /// The ids of pieces with a digest: the digests are gone over as they lie there, and ids decoded only where one fits.
  func ids(of digest: UInt128) throws(StorageError) -> [UInt64] {
    try readList { (bytes, digests) throws(ColumnError) in
      let wanted = digest.bigEndian
      let places = bytes.span.bytes.withUnsafeBytes { bytes in
        (0..<pieceCount).filter { index in
          let offset = digests &+ index &* ContentFormat.digestLength
          return bytes.loadUnaligned(fromByteOffset: offset, as: UInt128.self) == wanted
        }
      }
      guard let last = places.last else { return [] }
      var ids: [UInt64] = []
      var rest = places[...]
      var reader = PartBytesReader(bytes, to: digests)
      var id: UInt64 = 0
      for index in 0...last {
        id = try Self.id(after: id, &reader)
        if rest.first == index {
          ids.append(id)
          rest.removeFirst()
        }
      }
      return ids
    }
  }

  /// - Parameter body: Gets the bytes of the list, and where in them the digests begin.
  private func readList<Found>(
    _ body: ([UInt8], Int) throws(ColumnError) -> Found
  ) throws(StorageError) -> Found {
    let bytes = try file.read(at: listRange.lowerBound, count: listRange.count)
    do throws(ColumnError) {
      guard Checksum.crc32c(bytes) == listChecksum else { throw ColumnError(.malformed, "its checksum is wrong") }
      return try body(bytes, bytes.count - pieceCount * ContentFormat.digestLength)
    } catch {
      throw StorageError(
        .corrupt, "the list of the content segment is damaged: \(error.message); restore it from a backup", path: name)
    }
  }
}
