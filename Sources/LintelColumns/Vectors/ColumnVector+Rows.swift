extension ColumnVector {
  /// Rows `range`, as a vector of their own. Dictionary-coded rows keep their dictionary.
  public func slice(_ range: Range<Int>) -> ColumnVector {
    if range == 0..<count { return self }
    let storage: Storage =
      switch storage {
      case .int64(let lanes): .int64([Int64](lanes[range]))
      case .float64(let lanes): .float64([Double](lanes[range]))
      case .bool(let lanes): .bool([Bool](lanes[range]))
      case .bytes(let strings): .bytes(strings.slice(range))
      case .id128(let lanes): .id128([UInt128](lanes[range]))
      case .codes(let lanes, let dictionary): .codes([UInt32](lanes[range]), dictionary)
      }
    return ColumnVector(storage, validity: validity?.slice(range).withoutFullness)
  }

  /// Row `rows[i]` becomes row `i`; rows may come in any order and repeat, and must lie below `count`.
  ///
  /// Byte strings that repetition would blow up beyond 4 GiB become dictionary-coded.
  public func gather(_ rows: [UInt32]) -> ColumnVector {
    let validity = validity?.gather(rows).withoutFullness
    switch storage {
    case .int64(let lanes): return ColumnVector(.int64(gatherLanes(lanes, rows)), validity: validity)
    case .float64(let lanes): return ColumnVector(.float64(gatherLanes(lanes, rows)), validity: validity)
    case .bool(let lanes): return ColumnVector(.bool(gatherLanes(lanes, rows)), validity: validity)
    case .id128(let lanes): return ColumnVector(.id128(gatherLanes(lanes, rows)), validity: validity)
    case .codes(let lanes, let dictionary):
      return ColumnVector(.codes(gatherLanes(lanes, rows), dictionary), validity: validity)
    case .bytes(let strings):
      if let gathered = strings.gathered(rows) { return ColumnVector(.bytes(gathered), validity: validity) }
      var builder = DictionaryBuilder()
      let codes = rows.map { row in strings.withBytes(Int(row)) { builder.code(for: $0) } }
      return ColumnVector(.codes(codes, builder.finish()), validity: validity)
    }
  }

  /// The same values without a dictionary. Byte strings that would take more than 4 GiB stay dictionary-coded.
  public func plain() -> ColumnVector {
    guard case .codes(let codes, let dictionary) = storage else { return self }
    switch dictionary.values {
    case .id128(let ids):
      let lanes = codes.map { Int($0) < ids.count ? ids[Int($0)] : 0 }
      return ColumnVector(.id128(lanes), validity: validity)
    case .bytes(let strings):
      let total = expandedLength(codes, strings)
      guard total <= Int(UInt32.max) else { return self }
      return ColumnVector(.bytes(.expanding(codes, strings, validity, byteCount: total)), validity: validity)
    }
  }

  private func expandedLength(_ codes: [UInt32], _ strings: ByteStrings) -> Int {
    let count = strings.count
    return strings.offsets.withUnsafeBufferPointer { offsets in
      var total = 0
      for code in codes where Int(code) < count {
        total &+= Int(offsets[Int(code) &+ 1] &- offsets[Int(code)])
      }
      return total
    }
  }
}

/// `lanes[rows[i]]` for every `i`; rows are checked once.
func gatherLanes<Lane: BitwiseCopyable>(_ lanes: [Lane], _ rows: [UInt32]) -> [Lane] {
  guard !rows.isEmpty else { return [] }
  precondition(Int(Kernels.maximum(rows)) < lanes.count, "a gathered row lies outside the column")
  return [Lane](unsafeUninitializedCapacity: rows.count) { out, count in
    lanes.withUnsafeBufferPointer { lanes in
      for index in 0..<rows.count { out[index] = lanes[Int(rows[index])] }
    }
    count = rows.count
  }
}

extension Bitmap {
  /// `nil` where every bit is set: what a vector without nulls carries.
  var withoutFullness: Bitmap? { isAllSet ? nil : self }
}
