/// How open-addressing hash tables grow.
///
/// When the query is over a growth is left undone and the table stays as it was: what the query's threads still put in, to the
/// end of the blocks at hand, has room as it is. The same where a larger table has no room in the query's memory.
enum TableGrowth {
  /// Entries of a table of so many slots at most; it is to grow at half as many as slots, and has grown before it has these.
  static func room(_ slots: Int) -> Int { slots / 4 * 3 }

  /// The larger table; `nil` when the query is over, or `memory` refuses, and the `count` entries leave room in the one of
  /// `slots`.
  ///
  /// - Parameters:
  ///   - places: Of the table so far, each of which is put into the new one.
  ///   - put: Puts what is at a place into the new table.
  @inline(__always)
  static func table<Slot: BitwiseCopyable>(
    of newSlots: Int, from slots: Int, count: Int, places: Int, _ interrupt: Interrupt,
    memory: MemoryBudget? = nil, _ put: (_ place: Int, _ table: UnsafeMutablePointer<Slot>) -> Void
  ) -> UnsafeMutablePointer<Slot>? {
    func isOver() -> Bool { count < room(slots) && interrupt.isRaised }
    guard !isOver() else { return nil }
    if let memory, count < room(slots), !memory.allows(newSlots * MemoryLayout<Slot>.stride) { return nil }
    let table: UnsafeMutablePointer<Slot> = Memory.zeros(newSlots)
    guard Memory.touch(table, newSlots, unless: isOver) else {
      Memory.freeZeros(table, newSlots)
      return nil
    }
    for place in 0..<places {
      if place & (Interrupt.tableInterval - 1) == 0, isOver() {
        Memory.freeZeros(table, newSlots)
        return nil
      }
      put(place, table)
    }
    return table
  }
}
