internal import CLintelKernels

/// Swift's face of the C kernels.
enum Kernels {
  /// The largest value, 0 of none.
  static func maximum(_ values: [UInt32]) -> UInt32 {
    values.withUnsafeBufferPointer { maximum($0) }
  }

  static func maximum(_ values: UnsafeBufferPointer<UInt32>) -> UInt32 {
    guard let base = values.baseAddress else { return 0 }
    return lintel_max_u32(base, values.count)
  }

  /// Smallest and largest value; (0, 0) of none.
  static func bounds(_ values: UnsafeBufferPointer<Int64>) -> (minimum: Int64, maximum: Int64) {
    guard let base = values.baseAddress, values.count > 0 else { return (0, 0) }
    var low: Int64 = 0
    var high: Int64 = 0
    lintel_bounds_i64(base, values.count, &low, &high)
    return (low, high)
  }
}

/// A lane that bit-packed chunks decode into.
protocol PackedLane: FixedWidthInteger & BitwiseCopyable & Sendable {
  /// The widest packing that the lane takes.
  static var maximumWidth: Int { get }
  /// Decodes a full chunk of ``BitPacking/chunk`` values, 128 * width bytes.
  static func unpackChunk(
    _ packed: UnsafeRawPointer, width: Int, base: Self, into out: UnsafeMutablePointer<Self>)
  /// Lanes that ``storeRun(_:at:)`` writes.
  static var runLanes: Int { get }
  /// Writes lanes of one value, 128 bytes of them, wherever they lie.
  static func storeRun(_ value: Self, at target: UnsafeMutableRawPointer)
  /// Decodes binned integers; whether the stream is that of so many values.
  static func decodeBinned(
    _ stream: inout lintel_binned_stream, into out: UnsafeMutableBufferPointer<Self>
  ) -> Bool
}

extension Int64: PackedLane {
  static var maximumWidth: Int { 64 }

  @inline(__always)
  static func unpackChunk(
    _ packed: UnsafeRawPointer, width: Int, base: Int64, into out: UnsafeMutablePointer<Int64>
  ) {
    lintel_unpack_i64(packed, UInt32(truncatingIfNeeded: width), base, out)
  }

  static var runLanes: Int { 16 }

  @inline(__always)
  static func storeRun(_ value: Int64, at target: UnsafeMutableRawPointer) {
    target.storeBytes(of: SIMD16(repeating: value), as: SIMD16<Int64>.self)
  }

  static func decodeBinned(
    _ stream: inout lintel_binned_stream, into out: UnsafeMutableBufferPointer<Int64>
  ) -> Bool {
    guard let target = out.baseAddress else { return false }
    return lintel_binned_decode_i64(&stream, out.count, target) == 0
  }
}

extension UInt32: PackedLane {
  static var maximumWidth: Int { 32 }

  @inline(__always)
  static func unpackChunk(
    _ packed: UnsafeRawPointer, width: Int, base: UInt32, into out: UnsafeMutablePointer<UInt32>
  ) {
    lintel_unpack_u32(packed, UInt32(truncatingIfNeeded: width), base, out)
  }

  static var runLanes: Int { 32 }

  @inline(__always)
  static func storeRun(_ value: UInt32, at target: UnsafeMutableRawPointer) {
    target.storeBytes(of: SIMD32(repeating: value), as: SIMD32<UInt32>.self)
  }

  static func decodeBinned(
    _ stream: inout lintel_binned_stream, into out: UnsafeMutableBufferPointer<UInt32>
  ) -> Bool {
    guard let target = out.baseAddress else { return false }
    return lintel_binned_decode_u32(&stream, out.count, target) == 0
  }
}
