/// Loops over lanes, inlined with their closure into concrete code.
@inline(__always)
func mapLanes<A, R: BitwiseCopyable>(_ a: [A], _ body: (A) -> R) -> [R] {
  [R](unsafeUninitializedCapacity: a.count) { out, initialized in
    a.withUnsafeBufferPointer { a in
      for index in 0..<a.count { out[index] = body(a[index]) }
    }
    initialized = a.count
  }
}

/// Lanes of `a` and `b`, which are of one length.
@inline(__always)
func zipLanes<A, B, R: BitwiseCopyable>(_ a: [A], _ b: [B], _ body: (A, B) -> R) -> [R] {
  let count = min(a.count, b.count)
  return [R](unsafeUninitializedCapacity: count) { out, initialized in
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        for index in 0..<count { out[index] = body(a[index], b[index]) }
      }
    }
    initialized = count
  }
}

/// A lane per index.
@inline(__always)
func makeLanes<R: BitwiseCopyable>(_ count: Int, _ body: (Int) -> R) -> [R] {
  [R](unsafeUninitializedCapacity: count) { out, initialized in
    for index in 0..<count { out[index] = body(index) }
    initialized = count
  }
}

/// Rows where both are valid.
func bothValid(_ a: [Bool]?, _ b: [Bool]?) -> [Bool]? {
  guard let a else { return b }
  guard let b else { return a }
  return zipLanes(a, b) { $0 && $1 }
}
