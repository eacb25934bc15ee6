internal import LintelColumns

/// The dictionary of a merged column.
///
/// Where every source has a dictionary, those are united. Where some don't, because too few values repeat among as few
/// rows, a sample of all values tells whether enough of them repeat among the rows of the merged part.
enum MergedDictionary {
  /// Unites the sources' dictionaries, and fills in their translation tables and the codes of values without a dictionary;
  /// `nil` when the column is to be plain.
  /// - Parameter trialValues: How many values without a dictionary are worth looking for repeats.
  static func union(
    of columns: inout [SourceColumn], physical: PhysicalType, trialValues: Int
  ) throws(StorageError) -> DictionaryUnion? {
    guard physical == .bytes || physical == .id128 else { return nil }
    var values = 0
    for column in columns {
      if case .tail = column.place { return nil }
      values += column.stored?.valueCount ?? 0
    }
    let isCoded = columns.allSatisfy { $0.stored.map { $0.dictionary != nil } ?? true }
    if !isCoded {
      guard values >= trialValues, try isWorthTrying(&columns, values: values) else { return nil }
    }
    var union = DictionaryUnion(physical)
    for index in columns.indices {
      guard let stored = columns[index].stored else { continue }
      if stored.dictionary != nil, let dictionary = try columns[index].loadDictionary() {
        columns[index].table = union.add(dictionary)
      } else {
        try columns[index].encode(with: &union)
      }
      if union.bytes > DictionaryPolicy.maximumBytes { break }
    }
    guard DictionaryPolicy.paysWhenMerged(distinct: union.count, values: values, bytes: union.bytes) else {
      for index in columns.indices { columns[index].forgetCodes() }
      return nil
    }
    return union
  }

  /// Of the values whose digests are multiples of `rate`, all are counted; `minimum` of them that are all different make
  /// one believe that all values are. Few values are counted one and all.
  private static func sampling(_ values: Int) -> (rate: UInt64, minimum: Int) {
    values < 1 << 16 ? (1, 64) : (64, 1024)
  }

  /// Whether a dictionary of all values promises to pay. Reads every value once, unless none has repeated in the first
  /// fourth of them.
  private static func isWorthTrying(_ columns: inout [SourceColumn], values: Int) throws(StorageError) -> Bool {
    let (rate, minimum) = sampling(values)
    var sample: Set<UInt64> = []
    var sampled = 0
    var seen = 0
    var bytes = 0
    func count(_ vector: ColumnVector) {
      bytes += vector.plainByteCount
      seen += vector.count - vector.nullCount
      for digest in RowDigest.values(of: vector) where digest % rate == 0 && digest != 0 {
        sampled += 1
        sample.insert(digest)
      }
    }
    // The entries of a dictionary are all different, but it is there because values repeat.
    var hasDictionary = false
    for index in columns.indices where columns[index].stored != nil {
      if let dictionary = try columns[index].loadDictionary() {
        hasDictionary = true
        count(dictionary.vector)
      } else {
        for block in 0..<columns[index].reader.blockCount { count(try columns[index].block(block)) }
      }
      if !hasDictionary, seen >= values / 4, sampled >= minimum, sample.count == sampled { return false }
    }
    let distinct = sample.count * Int(rate)
    let average = bytes / max(1, values)
    return average <= DictionaryPolicy.longValueBytes
      && DictionaryPolicy.paysWhenMerged(distinct: distinct, values: values, bytes: distinct * average)
  }
}

extension ValueDictionary {
  /// The entries, one a row.
  fileprivate var vector: ColumnVector {
    switch values {
    case .bytes(let strings): ColumnVector(.bytes(strings))
    case .id128(let ids): ColumnVector(.id128(ids))
    }
  }
}
