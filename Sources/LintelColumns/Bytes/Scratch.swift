/// Memory for `count` values for as long as `body` runs; what is in it is not initialised.
///
/// In the place of `withUnsafeTemporaryAllocation`, which Swift 6.3.1 compiles wrongly for more than 1,024 bytes in
/// release builds: its heap path mistakes what the closure leaves in a register for a thrown error and aborts.
@inlinable @inline(__always)
package func withScratch<Value: BitwiseCopyable, Result>(
  of type: Value.Type, count: Int, _ body: (UnsafeMutableBufferPointer<Value>) -> Result
) -> Result {
  let buffer = UnsafeMutableBufferPointer<Value>.allocate(capacity: max(1, count))
  defer { buffer.deallocate() }
  return body(buffer)
}
