import CLintelKernels

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Memory of tables that grow large: growing costs neither a copy nor a pause, as the system moves it by its pages, and it
/// consists of large pages where the system has them, which are faster to come by, to look up and to give back.
enum Memory {
  /// Zeros of so many bytes and more come straight from the system, and go back to it when they are freed.
  private static let pagedBytes = 4 << 20
  /// The same of memory that grows. Less is taken from the C library, which keeps what is freed for the next query, and is
  /// copied to grow.
  private static let movedBytes = 16 << 20
  private static let largePageBytes = 2 << 20

  // MARK: Memory that grows

  /// Room for `count` elements: the first `oldCount` are what was in `old`, the rest holds anything. To be freed with
  /// ``free(_:_:)``.
  static func resize<Element: BitwiseCopyable>(
    _ old: UnsafeMutablePointer<Element>?, from oldCount: Int, to count: Int
  ) -> UnsafeMutablePointer<Element> {
    let bytes = byteCount(Element.self, count)
    guard bytes >= movedBytes else {
      guard let memory = realloc(old, bytes) else { outOfMemory(bytes) }
      return memory.assumingMemoryBound(to: Element.self)
    }
    guard let old, byteCount(Element.self, oldCount) >= movedBytes else {
      let memory = map(bytes).assumingMemoryBound(to: Element.self)
      if let old {
        memory.update(from: old, count: oldCount)
        release(old)
      }
      return memory
    }
    let (oldBytes, newBytes) = (wholePages(byteCount(Element.self, oldCount)), wholePages(bytes))
    guard let memory = lintel_move_pages(old, oldBytes, newBytes, largePageBytes) else { outOfMemory(newBytes) }
    useLargePages(memory, newBytes)
    return memory.assumingMemoryBound(to: Element.self)
  }

  /// Frees the room that ``resize(_:from:to:)`` made for `count` elements.
  static func free<Element: BitwiseCopyable>(_ memory: UnsafeMutablePointer<Element>, _ count: Int) {
    let bytes = byteCount(Element.self, count)
    if bytes < movedBytes { release(memory) } else { munmap(memory, wholePages(bytes)) }
  }

  // MARK: Zeros

  /// Room for `count` elements whose bytes are all zero, and which is touched only where it is used. To be freed with
  /// ``freeZeros(_:_:)``.
  static func zeros<Element: BitwiseCopyable>(_ count: Int) -> UnsafeMutablePointer<Element> {
    let bytes = byteCount(Element.self, count)
    guard bytes < pagedBytes else { return map(bytes).assumingMemoryBound(to: Element.self) }
    guard let memory = calloc(1, bytes) else { outOfMemory(bytes) }
    return memory.assumingMemoryBound(to: Element.self)
  }

  /// Frees what ``zeros(_:)`` gave for `count` elements.
  static func freeZeros<Element: BitwiseCopyable>(_ memory: UnsafeMutablePointer<Element>, _ count: Int) {
    let bytes = byteCount(Element.self, count)
    if bytes < pagedBytes { release(memory) } else { munmap(memory, wholePages(bytes)) }
  }

  /// Has the system clear each page of new zeros, as random access will: one after the other, so that it can be stopped
  /// between two. False when `isOver` has said so.
  static func touch<Element: BitwiseCopyable>(
    _ memory: UnsafeMutablePointer<Element>, _ count: Int, unless isOver: () -> Bool
  ) -> Bool {
    let bytes = byteCount(Element.self, count)
    guard bytes >= pagedBytes else { return !isOver() }
    for offset in stride(from: 0, to: bytes, by: largePageBytes) {
      if isOver() { return false }
      UnsafeMutableRawPointer(memory).storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
    }
    return true
  }

  // MARK: Pages

  private static func byteCount<Element: BitwiseCopyable>(_ type: Element.Type, _ count: Int) -> Int {
    precondition(MemoryLayout<Element>.alignment <= 16, "malloc aligns to 16 bytes")
    return max(1, count) * MemoryLayout<Element>.stride
  }

  private static func wholePages(_ bytes: Int) -> Int { (bytes + largePageBytes - 1) & ~(largePageBytes - 1) }

  private static func map(_ bytes: Int) -> UnsafeMutableRawPointer {
    guard let memory = lintel_map_pages(wholePages(bytes), largePageBytes) else { outOfMemory(bytes) }
    useLargePages(memory, wholePages(bytes))
    return memory
  }

  /// Asks for large pages. The system may decline.
  private static func useLargePages(_ memory: UnsafeMutableRawPointer, _ bytes: Int) {
    #if os(Linux)
      // MADV_HUGEPAGE is 14 on every Linux but HP's processors'.
      madvise(memory, bytes, 14)
    #endif
  }

  private static func outOfMemory(_ bytes: Int) -> Never { fatalError("out of memory: \(bytes) bytes for a query") }
}

/// The C library's `free`, which ``Memory/free(_:_:)`` hides.
private func release(_ memory: UnsafeMutableRawPointer) { free(memory) }
