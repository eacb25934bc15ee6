/// Stands in for SwiftNIO as far as expanding bodies needs it, so that fuzzing builds no packages.
public struct ByteBuffer: Sendable {
  private var bytes: [UInt8] = []

  public init(bytes: [UInt8]) { self.bytes = bytes }

  fileprivate init(capacity: Int) { bytes.reserveCapacity(capacity) }

  public var readableBytes: Int { bytes.count }

  public func withUnsafeReadableBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try bytes.withUnsafeBytes(body)
  }

  /// The bytes handed out are memory of their own, so that a write past them is found.
  @discardableResult
  public mutating func writeWithUnsafeMutableBytes(
    minimumWritableBytes count: Int, _ body: (UnsafeMutableRawBufferPointer) throws -> Int
  ) rethrows -> Int {
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { target.deallocate() }
    let written = try body(target)
    precondition(0...count ~= written, "more was written than there is room for")
    bytes += target[..<written]
    return written
  }
}

public struct ByteBufferAllocator: Sendable {
  public init() {}

  public func buffer(capacity: Int) -> ByteBuffer { ByteBuffer(capacity: capacity) }
}
