internal import LintelColumns

/// Which attributes each row of a batch has: batches list the rows of each attribute instead.
struct ValuesByRow {
  /// Where a value is: the attribute's index in the batch, and the value's among the attribute's.
  struct Place {
    var column: UInt32
    var position: UInt32
  }

  /// The places of row 0, of row 1, ...; each row's in the order of the batch's attributes.
  private var places: [Place]
  /// Where each row's places end.
  private var ends: [Int]

  /// Takes time for the values there are, however many attributes have none in a row.
  init(_ batch: Batch) {
    var counts = [Int](repeating: 0, count: batch.rowCount)
    for attribute in batch.attributes {
      for row in attribute.rows where Int(row) < counts.count { counts[Int(row)] += 1 }
    }
    var starts: [Int] = []
    starts.reserveCapacity(counts.count)
    var total = 0
    for count in counts {
      starts.append(total)
      total += count
    }
    places = Array(repeating: Place(column: 0, position: 0), count: total)
    ends = starts
    for (column, attribute) in batch.attributes.enumerated() {
      for (position, row) in attribute.rows.enumerated() where Int(row) < ends.count {
        places[ends[Int(row)]] = Place(
          column: UInt32(truncatingIfNeeded: column), position: UInt32(truncatingIfNeeded: position))
        ends[Int(row)] += 1
      }
    }
  }

  subscript(row: Int) -> ArraySlice<Place> { places[(row == 0 ? 0 : ends[row - 1])..<ends[row]] }
}
