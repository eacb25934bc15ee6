import LintelColumns

/// An expression of a single coded column, evaluated once per dictionary entry instead of once per row.
final class DictionaryNode: EvaluationNode, @unchecked Sendable {
  let slot: Int
  private let inner: EvaluationNode
  private let slotCount: Int
  private let dictionary: ValueDictionary?
  private let table: Table?
  private let interrupt: Interrupt

  /// What the expression gives for each entry and, last, for null.
  struct Table {
    let values: Vector
    /// For booleans: one byte an entry, 1 where true; and how many are.
    let flags: [UInt8]
    let trueCount: Int
    /// The one code that is true, where null isn't.
    let onlyCode: UInt32?
    /// The flags as bits, where they are no more than 64.
    var members: UInt64? {
      guard flags.count <= 64 else { return nil }
      return flags.indices.reduce(0) { $0 | UInt64(flags[$1]) << UInt64($1) }
    }

    init(_ values: Vector) {
      self.values = values.distinctCoded
      guard case .bool(let lanes) = values.lanes else {
        flags = []
        trueCount = 0
        onlyCode = nil
        return
      }
      let known = values.validity ?? Array(repeating: true, count: lanes.count)
      let flags = zipLanes(lanes, known) { unsafeBitCast($0 && $1, to: UInt8.self) }
      self.flags = flags
      trueCount = flags.reduce(0) { $0 &+ Int($1) }
      let only = trueCount == 1 ? flags.firstIndex(of: 1) : nil
      onlyCode = only.flatMap { $0 == flags.count - 1 ? nil : UInt32(truncatingIfNeeded: $0) }
    }

    var last: UInt32 { UInt32(truncatingIfNeeded: values.count - 1) }

    var isTrueOfNull: Bool { flags.last == 1 }
  }

  init(
    slot: Int, inner: EvaluationNode, slotCount: Int, dictionary: ValueDictionary?, _ interrupt: Interrupt
  ) throws(ExecutionFailure) {
    self.interrupt = interrupt
    self.slot = slot
    self.inner = inner
    self.slotCount = slotCount
    self.dictionary = dictionary
    table = try dictionary.map { source throws(ExecutionFailure) in
      try Self.evaluate(inner, over: source, slot: slot, slotCount: slotCount, interrupt)
    }
  }

  /// - Parameter values: what `inner` gives for each entry of the dictionary and, last, for null.
  init(slot: Int, inner: EvaluationNode, slotCount: Int, dictionary: ValueDictionary, values: Vector) {
    interrupt = .never
    self.slot = slot
    self.inner = inner
    self.slotCount = slotCount
    self.dictionary = dictionary
    table = Table(values)
  }

  /// Share of the dictionary's entries for which this boolean is true; `nil` when that isn't known.
  var trueShare: Double? {
    guard let table, !table.flags.isEmpty else { return nil }
    return Double(table.trueCount) / Double(table.flags.count + 1)
  }

  /// Whether this boolean is true of null.
  var isTrueOfNull: Bool { table?.isTrueOfNull ?? false }

  private static func evaluate(
    _ node: EvaluationNode, over dictionary: ValueDictionary, slot: Int, slotCount: Int, _ interrupt: Interrupt
  ) throws(ExecutionFailure) -> Table {
    let context = EvaluationContext(slotCount: slotCount, interrupt)
    var parts: [Vector] = []
    if dictionary.count > 0 {
      let entries = Vector(dictionary)
      try interrupt.forEachStretch(of: dictionary.count) { (stretch) throws(ExecutionFailure) in
        context.begin(rowCount: stretch.count, source: nil)
        context.preset(slot, entries.slice(stretch))
        parts.append(try node.evaluate(context))
      }
    }
    context.begin(rowCount: 1, source: nil)
    context.preset(slot, .nulls(dictionary.physicalType, count: 1))
    let null = try node.evaluate(context)
    parts.append(null)
    return Table(try Vector.concatenate(parts, null.physicalType, interrupt))
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try context.column(slot)
    guard case .codes(let codes, let own) = vector.lanes else { return try inner.evaluate(context) }
    if let table, own === dictionary { return table.values.lookUp(codes: codes, codesValidity: vector.validity) }
    // A block with a dictionary of its own, worth evaluating if it is shorter than the block.
    guard own.count < codes.count else { return try inner.evaluate(context) }
    let local = try Self.evaluate(inner, over: own, slot: slot, slotCount: slotCount, interrupt)
    return local.values.lookUp(codes: codes, codesValidity: vector.validity)
  }

  override func filter(_ context: EvaluationContext) throws(ExecutionFailure) -> [UInt32] {
    if let table, !table.isTrueOfNull, !table.flags.isEmpty, let packed = context.packed(slot),
      packed.dictionary === dictionary
    {
      if let only = table.onlyCode { return packed.rows(from: Int64(only), through: Int64(only)) }
      return table.trueCount == 0 ? [] : packed.rows(whereCode: table.flags)
    }
    let vector = try context.column(slot)
    guard case .codes(let codes, let own) = vector.lanes, own === dictionary, let table, !table.flags.isEmpty else {
      return try super.filter(context)
    }
    if table.trueCount == 0 { return [] }
    if let only = table.onlyCode {
      return selectTrue(ScanKernels.equal(codes, only), validity: vector.validity, base: context.selection)
    }
    let last = table.last
    if let members = table.members {
      let flags = ScanKernels.isMember(codes, vector.validity, members, last: last)
      return selectTrue(flags, validity: nil, base: context.selection)
    }
    let flags = table.flags.withUnsafeBufferPointer { flags in
      if let validity = vector.validity {
        return zipLanes(codes, validity) { code, valid in flags[Int(valid ? min(code, last) : last)] != 0 }
      }
      return mapLanes(codes) { flags[Int(min($0, last))] != 0 }
    }
    return selectTrue(flags, validity: nil, base: context.selection)
  }
}

extension Vector {
  /// A dictionary's values as lanes.
  init(_ dictionary: ValueDictionary) {
    switch dictionary.values {
    case .bytes(let values): self.init(.bytes(values))
    case .id128(let values): self.init(.id128(values))
    }
  }

  var physicalType: PhysicalType {
    switch lanes {
    case .int64: .int64
    case .float64: .float64
    case .bool: .bool
    case .bytes: .bytes
    case .id128: .id128
    case .codes(_, let dictionary): dictionary.physicalType
    }
  }
}

extension Vector {
  /// Plain byte strings put behind codes of a dictionary of their own, so that what uses them works on codes.
  fileprivate var distinctCoded: Vector {
    guard case .bytes(let strings) = lanes else { return self }
    let wide = WideValues(.bytes)
    let codes = strings.withView { view in makeLanes(count) { wide.intern(view[$0]) } }
    guard case .bytes(let distinct) = wide.lanes(makeLanes(wide.count) { UInt32(truncatingIfNeeded: $0) }) else {
      return self
    }
    return Vector(.codes(codes, ValueDictionary(.bytes(distinct))), validity: validity)
  }
}
