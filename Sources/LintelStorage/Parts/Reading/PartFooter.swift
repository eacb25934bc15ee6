internal import LintelColumns

/// Trailer and directory of a part's file, checked.
struct PartFooter {
  let directory: PartDirectory
  let checksum: UInt32
  let fileLength: Int

  init(file: any ReadableFile, name: String) throws(StorageError) {
    func corrupt(_ message: String) -> StorageError { StorageError(.corrupt, message, path: name) }

    fileLength = try file.size()
    let contents = fileLength - PartFormat.trailerLength
    guard contents >= PartFormat.headerLength else {
      throw corrupt("the file has \(fileLength) bytes, too few for a part")
    }
    let header = try file.read(at: 0, count: PartFormat.headerLength)
    let trailer = try file.read(at: contents, count: PartFormat.trailerLength)
    guard header.starts(with: PartFormat.headerMagic), trailer.suffix(8).elementsEqual(PartFormat.trailerMagic) else {
      throw corrupt("the file doesn't begin and end as a part does")
    }
    let fields = try Self.fields(trailer, name)
    guard fields.version == PartFormat.version else {
      throw StorageError(
        .incompatible, "the part has format version \(fields.version); this Lintel reads version \(PartFormat.version)",
        path: name)
    }
    guard fields.offset >= UInt64(PartFormat.headerLength), fields.offset <= UInt64(contents),
      fields.length == UInt64(contents) - fields.offset
    else { throw corrupt("the trailer points outside of the file") }
    guard header == PartFormat.header() else { throw corrupt("the header is not as it was written") }
    let encoded = try file.read(at: Int(fields.offset), count: Int(fields.length))
    checksum = PartFormat.checksum(directory: encoded, trailerFields: Array(trailer.prefix(PartFormat.trailerChecked)))
    guard checksum == fields.checksum else { throw corrupt("the directory's checksum doesn't match") }
    do {
      directory = try PartDirectory(decoding: encoded, fileLength: Int(fields.offset))
    } catch {
      throw corrupt("the directory is malformed: \(error.message)")
    }
  }

  private struct Fields {
    var offset: UInt64
    var length: UInt64
    var version: UInt32
    var checksum: UInt32
  }

  private static func fields(_ trailer: [UInt8], _ name: String) throws(StorageError) -> Fields {
    var reader = PartBytesReader(trailer)
    do {
      return Fields(
        offset: try reader.fixed(UInt64.self), length: try reader.fixed(UInt64.self),
        version: try reader.fixed(UInt32.self), checksum: try reader.fixed(UInt32.self))
    } catch {
      throw StorageError(.corrupt, "the trailer is malformed: \(error.message)", path: name)
    }
  }
}
