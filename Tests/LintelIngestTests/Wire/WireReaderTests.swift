import Testing

@testable import LintelIngest

/// The wire format, held against the rules of the official decoder.
@Suite struct WireReaderTests {
  private func code(of bytes: [UInt8], _ read: (inout WireReader) throws(WireError) -> Void) -> WireError.Code? {
    bytes.withUnsafeBytes { buffer in
      var reader = WireReader(buffer)
      do throws(WireError) {
        try read(&reader)
        return nil
      } catch {
        return error.code
      }
    }
  }

  /// Reads all fields as unknown ones.
  private func skipAll(_ bytes: [UInt8]) -> WireError.Code? {
    code(of: bytes) { reader throws(WireError) in
      while !reader.isAtEnd { try reader.skip(try reader.readTag()) }
    }
  }

  @Test func unknownFieldsOfEveryTypeArePassedOver() {
    let fields = ProtobufWriter {
      $0.int(20, .max)
      $0.fixed64(21, 1)
      $0.bytes(22, [1, 2, 3])
      $0.fixed32(23, 1)
      $0.tag(24, 3)
      $0.tag(25, 3)
      $0.int(1, 5)
      $0.tag(25, 4)
      $0.tag(24, 4)
      $0.int(1 << 28, 1)
    }
    #expect(skipAll(fields.bytes) == nil)
    #expect(skipAll([]) == nil)
  }

  @Test func everyCutIsNoticed() {
    let fields = ProtobufWriter {
      $0.int(20, .max)
      $0.fixed64(21, 1)
      $0.bytes(22, [1, 2, 3])
      $0.fixed32(23, 1)
    }
    let ends: Set = [12, 22, 28, fields.bytes.count, 0]
    for end in 0...fields.bytes.count {
      #expect((skipAll(Array(fields.bytes[..<end])) == nil) == ends.contains(end), "cut at \(end)")
    }
  }

  @Test(
    arguments: [
      ([0x00, 0x00], WireError.Code.illegalTag), ([0x02, 0x00], .illegalTag), ([0x0e], .illegalTag),
      ([0x0f], .illegalTag),
      ([0x0c], .groupMismatch), ([0x0b, 0x14], .groupMismatch), ([0x0b, 0x13, 0x0c, 0x14], .groupMismatch),
      ([0x0b], .truncated), ([0x80], .truncated),
      // Tags end after five bytes and 32 bits.
      ([0x88, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00], .overlongVarint),
      ([0x88, 0x80, 0x80, 0x80, 0x10, 0x00], .overlongVarint),
      // Lengths too; beyond the message is beyond, however far.
      ([0x0a, 0x81, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00], .overlongVarint), ([0x0a, 0x01], .lengthPastEnd),
      ([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07], .lengthPastEnd), ([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], .lengthPastEnd),
      // Other varints end after ten bytes and 64 bits.
      ([0x08] + [UInt8](repeating: 0xff, count: 9) + [0x02], .overlongVarint),
      ([0x08] + [UInt8](repeating: 0x80, count: 10) + [0x00], .overlongVarint),
    ] as [([UInt8], WireError.Code)])
  func illFormed(bytes: [UInt8], expected: WireError.Code) {
    #expect(skipAll(bytes) == expected)
  }

  @Test func nonMinimalVarintsAreLegal() throws {
    let bytes: [UInt8] = [0x0a, 0x81, 0x80, 0x80, 0x80, 0x00, 0x2a, 0x08] + [UInt8](repeating: 0x81, count: 9) + [0x01]
    #expect(skipAll(bytes) == nil)
  }

  @Test func groupsAreBoundedNotRecursive() {
    func groups(_ depth: Int) -> [UInt8] {
      [UInt8](repeating: 0x0b, count: depth) + [UInt8](repeating: 0x0c, count: depth)
    }
    #expect(skipAll(groups(WireReader.maximumGroupDepth)) == nil)
    #expect(skipAll(groups(WireReader.maximumGroupDepth + 1)) == .tooDeep)
    #expect(skipAll(groups(1_000_000)) == .tooDeep)
  }

  @Test func valuesAreReadExactly() {
    var writer = ProtobufWriter()
    writer.varint(.max)
    writer.varint(300)
    var values: [UInt64] = []
    let failure = code(of: writer.bytes + (1...12).map { UInt8($0) }) { reader throws(WireError) in
      values = [try reader.readVarint(), try reader.readVarint(), try reader.readFixed64()]
      values.append(UInt64(try reader.readFixed32()))
      if !reader.isAtEnd { throw reader.failure(.truncated) }
    }
    #expect(failure == nil)
    #expect(values == [.max, 300, 0x0807_0605_0403_0201, 0x0c0b_0a09])
  }
}
