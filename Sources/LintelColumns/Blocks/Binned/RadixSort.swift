/// Sorts by bytes, the lowest first, in both buffers in turn; about five times as fast as sorting by comparisons.
enum RadixSort {
  /// Sorts `values`; `other` has the same size. The one of the two that holds the result comes back.
  static func sort(
    _ values: UnsafeMutableBufferPointer<UInt64>, _ other: UnsafeMutableBufferPointer<UInt64>
  ) -> UnsafeMutableBufferPointer<UInt64> {
    var all: UInt64 = 0
    for value in values { all |= value }
    var (source, target) = (values, other)
    withScratch(of: Int.self, count: 256) { places in
      var shift: UInt64 = 0
      while shift < 64, all &>> shift != 0 {
        places.initialize(repeating: 0)
        for value in source { places[Int(truncatingIfNeeded: value &>> shift & 0xFF)] &+= 1 }
        var place = 0
        for digit in 0..<256 {
          let count = places[digit]
          places[digit] = place
          place &+= count
        }
        for value in source {
          let digit = Int(truncatingIfNeeded: value &>> shift & 0xFF)
          target[places[digit]] = value
          places[digit] &+= 1
        }
        swap(&source, &target)
        shift &+= 8
      }
    }
    return source
  }
}
