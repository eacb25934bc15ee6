/// Tells the places apart from which a function is called.
enum CallSite {
  /// This function, the simulated call, the engine's function that makes it, and who called that: helpers that sync for
  /// others count once for each of those.
  ///
  /// Optimised code calls through one function more.
  #if DEBUG
    private static let depth = 4
  #else
    private static let depth = 5
  #endif

  /// Stands for the place in the engine that made the call: the same each time in one process, another for another place.
  @inline(never)
  static func caller() -> UInt {
    var frames = [UnsafeMutableRawPointer?](repeating: nil, count: depth)
    let count = Int(backtrace(&frames, CInt(depth)))
    var hash: UInt = 0xcbf2_9ce4_8422_2325
    // This function is the first.
    for frame in frames.prefix(count).dropFirst() {
      hash = (hash ^ UInt(bitPattern: frame)) &* 0x100_0000_01b3
    }
    return hash
  }
}

// In <execinfo.h>, which the platform's Swift module leaves out.
@_silgen_name("backtrace")
private func backtrace(_ frames: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ count: CInt) -> CInt
