import LintelColumns

/// For each group the lane of a block whose value comes first in an order. Values are compared where they lie, and only what
/// wins a block is compared with what its group keeps, for which a sort key must be written.
struct BlockWinners {
  private static let none = UInt32.max

  /// By group; `none` between two blocks.
  private let lanes = StateBuffer<UInt32>(none)
  /// Groups with a lane.
  private let touched = StateBuffer<UInt32>(0)

  var byteCount: Int { lanes.byteCount + touched.byteCount }

  func grow(_ groups: Int) { lanes.grow(groups) }

  /// Calls `body(lane, group)` for each group of the valid lanes with its winner: of equal ones the first.
  ///
  /// - Returns: false, and calls nothing, where the values have no order that is quick to compare by.
  func forEach(of column: SortColumn, _ rows: GroupedRows, _ body: (_ lane: Int, _ group: Int) -> Void) -> Bool {
    let vector = column.vector
    switch vector.lanes {
    case .int64, .float64, .bool:
      // Their prefixes are their whole keys.
      column.prefixes().withUnsafeBufferPointer { bits in pick(rows, vector.validity, body) { bits[$0] < bits[$1] } }
    case .id128(let values):
      values.withUnsafeBufferPointer { ids in pick(column, rows, body) { ids[$0] < ids[$1] } }
    case .bytes:
      guard column.type != .variant else { return false }
      vector.withBytes { view in pick(column, rows, body) { compareBytes(view[$0], view[$1]) < 0 } }
    case .codes(let codes, let dictionary):
      guard column.type != .variant else { return false }
      codes.withUnsafeBufferPointer { codes in
        switch dictionary.values {
        case .bytes(let values):
          values.withView(codes: codes) { view in
            pick(column, rows, body) { codes[$0] != codes[$1] && compareBytes(view[$0], view[$1]) < 0 }
          }
        case .id128(let values):
          values.withUnsafeBufferPointer { ids in
            func id(_ lane: Int) -> UInt128 { Int(codes[lane]) < ids.count ? ids[Int(codes[lane])] : 0 }
            pick(column, rows, body) { codes[$0] != codes[$1] && id($0) < id($1) }
          }
        }
      }
    }
    return true
  }

  /// - Parameter precedes: Whether the value of one lane lies before that of another, ascending.
  @inline(__always)
  private func pick(
    _ column: SortColumn, _ rows: GroupedRows, _ body: (Int, Int) -> Void, _ precedes: (Int, Int) -> Bool
  ) {
    if column.isDescending {
      pick(rows, column.vector.validity, body) { precedes($1, $0) }
    } else {
      pick(rows, column.vector.validity, body, precedes)
    }
  }

  @inline(__always)
  private func pick(
    _ rows: GroupedRows, _ validity: [Bool]?, _ body: (Int, Int) -> Void, _ precedes: (Int, Int) -> Bool
  ) {
    guard let groups = rows.groups else {
      var best: Int?
      for lane in 0..<rows.count where validity?[lane] ?? true {
        if let winner = best { if precedes(lane, winner) { best = lane } } else { best = lane }
      }
      if let best { body(best, 0) }
      return
    }
    let winners = lanes.pointer
    groups.withUnsafeBufferPointer { groups in
      for lane in 0..<groups.count where validity?[lane] ?? true {
        let group = groups[lane]
        let best = winners[Int(group)]
        if best == Self.none {
          touched.append(group)
          winners[Int(group)] = UInt32(truncatingIfNeeded: lane)
        } else if precedes(lane, Int(best)) {
          winners[Int(group)] = UInt32(truncatingIfNeeded: lane)
        }
      }
    }
    for number in 0..<touched.count {
      let group = Int(touched[number])
      body(Int(winners[group]), group)
      winners[group] = Self.none
    }
    touched.removeAll()
  }
}
