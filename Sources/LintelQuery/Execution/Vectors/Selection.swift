/// The indices of the true lanes (of `base`'s rows where given), ascending.
func selectTrue(_ flags: [Bool], validity: [Bool]?, base: [UInt32]?) -> [UInt32] {
  let count = flags.count
  return [UInt32](unsafeUninitializedCapacity: count + ScanKernels.selectionSlack) { out, initialized in
    guard let start = out.baseAddress else { return }
    let length = ScanKernels.select(flags, validity, into: start)
    if let base {
      base.withUnsafeBufferPointer { base in
        for index in 0..<length { start[index] = base[Int(start[index])] }
      }
    }
    initialized = length
  }
}
