import LintelColumns

/// Values kept per group beside the key they won with.
struct KeptValues {
  private(set) var values: [Value] = []
  private(set) var keys: [[UInt8]] = []
  private(set) var positions: [UInt64] = []
  private(set) var seen: [Bool] = []
  private(set) var extraBytes = 0

  var byteCount: Int { values.count * 64 + extraBytes }

  mutating func grow(_ groups: Int) {
    values.grow(groups, .null)
    keys.grow(groups, [])
    positions.grow(groups, .max)
    seen.grow(groups, false)
  }

  mutating func put(_ value: Value, key: [UInt8], position: UInt64, _ group: Int) {
    extraBytes += key.count - keys[group].count
    if case .bytes(let bytes) = values[group] { extraBytes -= bytes.count }
    if case .bytes(let bytes) = value { extraBytes += bytes.count }
    values[group] = value
    keys[group] = key
    positions[group] = position
    seen[group] = true
  }

  func vector(_ type: PhysicalType, _ groups: Int, _ interrupt: Interrupt) throws(ExecutionFailure) -> Vector {
    var parts: [Vector] = []
    try interrupt.forEachStretch(of: groups) { stretch in parts.append(.make(values[stretch], type)) }
    return try .concatenate(parts, type, interrupt)
  }

  // MARK: Putting values aside

  static func stateTypes(_ type: PhysicalType) -> [PhysicalType] { [.bool, .int64, .bytes, type] }

  func states(of groups: [UInt32], _ type: PhysicalType) -> StateRows {
    var allKeys = ByteStrings()
    for group in groups { allKeys.append(keys[Int(group)]) }
    return StateRows(
      [
        Vector(.bool(mapLanes(groups) { seen[Int($0)] })),
        Vector(.int64(mapLanes(groups) { Int64(bitPattern: positions[Int($0)]) })),
        Vector(.bytes(allKeys)),
        Vector.make(groups.map { values[Int($0)] }, type),
      ], count: groups.count)
  }

  mutating func restore(_ rows: StateRows, groups: Int, _ type: PhysicalType) -> Bool {
    guard rows.count == groups, let seen = rows.flags(0), let positions = rows.integers(1), let keys = rows.bytes(2),
      rows.columns.count == 4, rows.columns[3].physicalType == type
    else { return false }
    grow(groups)
    for group in 0..<groups where seen[group] {
      put(rows.columns[3].value(group), key: keys[group], position: UInt64(bitPattern: positions[group]), group)
    }
    return true
  }
}

extension Vector {
  /// Lanes from single values.
  static func make(_ values: some Collection<Value>, _ type: PhysicalType) -> Vector {
    var validity: [Bool] = []
    validity.reserveCapacity(values.count)
    for value in values { if case .null = value { validity.append(false) } else { validity.append(true) } }
    let known = validity.contains(false) ? validity : nil
    switch type {
    case .int64:
      return Vector(.int64(values.map { if case .int64(let lane) = $0 { lane } else { 0 } }), validity: known)
    case .float64:
      return Vector(.float64(values.map { if case .float64(let lane) = $0 { lane } else { 0 } }), validity: known)
    case .bool:
      return Vector(.bool(values.map { if case .bool(let lane) = $0 { lane } else { false } }), validity: known)
    case .id128:
      return Vector(.id128(values.map { if case .id128(let lane) = $0 { lane } else { 0 } }), validity: known)
    case .bytes:
      var strings = ByteStrings()
      for value in values { if case .bytes(let bytes) = value { strings.append(bytes) } else { strings.append([]) } }
      return Vector(.bytes(strings), validity: known)
    }
  }
}
