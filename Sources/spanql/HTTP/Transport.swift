/// Bytes to and from a server. Calls block.
protocol Transport: AnyObject {
  func write(_ bytes: [UInt8]) throws(ShellError)

  /// Some bytes; none at the end.
  func read(upTo count: Int) throws(ShellError) -> [UInt8]
}
