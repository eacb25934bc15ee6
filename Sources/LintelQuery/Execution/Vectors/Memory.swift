#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Memory of tables that grow large: growing costs neither a copy nor a pause, as the system moves it by its pages, and it
/// asks for large pages, which are faster to come by, to look up and to give back.
enum Memory {
  /// Zeros of so many bytes and more come straight from the system, and go back to it when they are freed.
  private static let pagedBytes = 4 << 20
  private static let largePageBytes = 2 << 20

  /// Room for `count` elements; what was in `old` goes on, the rest holds anything. To be freed with `free`.
  static func resize<Element: BitwiseCopyable>(
    _ old: UnsafeMutablePointer<Element>?, to count: Int
  ) -> UnsafeMutablePointer<Element> {
    let bytes = byteCount(Element.self, count)
    guard let memory = realloc(old, bytes) else { outOfMemory(bytes) }
    if bytes >= pagedBytes { useLargePages(memory, bytes) }
    return memory.assumingMemoryBound(to: Element.self)
  }

  /// Room for `count` elements whose bytes are all zero, and which is touched only where it is used. To be freed with
  /// ``freeZeros(_:_:)``.
  static func zeros<Element: BitwiseCopyable>(_ count: Int) -> UnsafeMutablePointer<Element> {
    let bytes = byteCount(Element.self, count)
    if bytes < pagedBytes {
      guard let memory = calloc(1, bytes) else { outOfMemory(bytes) }
      return memory.assumingMemoryBound(to: Element.self)
    }
    guard let memory = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0), memory != MAP_FAILED
    else { outOfMemory(bytes) }
    useLargePages(memory, bytes)
    return memory.assumingMemoryBound(to: Element.self)
  }

  /// Frees what ``zeros(_:)`` gave for `count` elements.
  static func freeZeros<Element: BitwiseCopyable>(_ memory: UnsafeMutablePointer<Element>, _ count: Int) {
    let bytes = byteCount(Element.self, count)
    if bytes < pagedBytes { free(memory) } else { munmap(memory, bytes) }
  }

  private static func byteCount<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> Int {
    precondition(MemoryLayout<Element>.alignment <= 16, "malloc aligns to 16 bytes")
    return max(1, count) * MemoryLayout<Element>.stride
  }

  /// Asks for large pages where whole ones lie. The system may decline.
  private static func useLargePages(_ memory: UnsafeMutableRawPointer, _ bytes: Int) {
    #if os(Linux)
      let start = UInt(bitPattern: memory)
      let mask = UInt(largePageBytes - 1)
      let (first, end) = ((start &+ mask) & ~mask, (start &+ UInt(bytes)) & ~mask)
      // MADV_HUGEPAGE is 14 on every Linux but HP's processors'.
      if first < end { madvise(UnsafeMutableRawPointer(bitPattern: first), Int(end - first), 14) }
    #endif
  }

  private static func outOfMemory(_ bytes: Int) -> Never { fatalError("out of memory: \(bytes) bytes for a query") }
}
