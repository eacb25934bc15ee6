/// Integers whose rows are of different classes: those of each class by themselves, so that each has the encoding, and the
/// statistics, that suit it.
///
///     classed := classes:varint (step:varint values:varint integers)*
///
/// Classes ascend: a step is the class less the one before, the first from 0. The values of a class are in the order of
/// their rows; which row is of which class is known from elsewhere.
enum ClassedIntegers {
  /// - Parameter classes: One a value.
  static func encode(
    _ values: UnsafeBufferPointer<Int64>, classes: UnsafeBufferPointer<UInt16>, into out: inout [UInt8]
  ) {
    var ends = [Int](repeating: 0, count: 1 + Int(classes.max() ?? 0))
    for row in 0..<values.count { ends[Int(classes[row])] &+= 1 }
    let counts = ends
    var total = 0
    for index in ends.indices {
      ends[index] = total
      total &+= counts[index]
    }
    out.append(varint: UInt64(counts.count { $0 > 0 }))
    withScratch(of: Int64.self, count: values.count) { sorted in
      ends.withUnsafeMutableBufferPointer { ends in
        for row in 0..<values.count {
          let place = ends[Int(classes[row])]
          sorted[place] = values[row]
          ends[Int(classes[row])] = place &+ 1
        }
      }
      var last = 0
      for (index, count) in counts.enumerated() where count > 0 {
        out.append(varint: UInt64(index - last))
        out.append(varint: UInt64(count))
        last = index
        IntegerEncoder.encode(
          UnsafeBufferPointer(rebasing: sorted[(ends[index] - count)..<ends[index]]), effort: .dense, into: &out)
      }
    }
  }

  /// The values of the classes of a block, to be taken row by row.
  struct Streams {
    private var values: [Int64] = []
    /// Of each class, where its next value is, and where its values end.
    private var places: [Int] = []
    private var ends: [Int] = []

    /// - Parameter count: Of the values of all classes.
    init(_ reader: inout ByteReader, count: Int) throws(ColumnError) {
      let classCount = try reader.varint()
      guard classCount <= UInt64(count) else {
        throw ColumnError(.malformed, "\(count) values in \(classCount) classes")
      }
      var last = 0
      var start = 0
      values = Array(repeating: 0, count: count)
      for index in 0..<Int(classCount) {
        let step = try reader.varint()
        let size = try reader.varint()
        guard step <= UInt64(UInt16.max), index == 0 || step > 0, last + Int(step) <= Int(UInt16.max), size > 0,
          size <= UInt64(count - start)
        else { throw ColumnError(.malformed, "classes in no order, or of more than \(count) values") }
        last += Int(step)
        let end = start + Int(size)
        places.append(contentsOf: repeatElement(start, count: last + 1 - places.count))
        ends.append(contentsOf: repeatElement(start, count: last - ends.count))
        ends.append(end)
        var failure: ColumnError?
        values.withUnsafeMutableBufferPointer { values in
          do throws(ColumnError) {
            try IntegerDecoder.decode(&reader, into: UnsafeMutableBufferPointer(rebasing: values[start..<end]))
          } catch {
            failure = error
          }
        }
        if let failure { throw failure }
        start = end
      }
      guard start == count else { throw ColumnError(.malformed, "\(start) values where there are \(count)") }
    }

    /// The values in the order of their rows.
    /// - Parameter classes: One a value.
    mutating func values(
      of classes: UnsafeBufferPointer<UInt16>, into out: UnsafeMutableBufferPointer<Int64>
    ) throws(ColumnError) {
      try check(classes)
      places.withUnsafeMutableBufferPointer { places in
        values.withUnsafeBufferPointer { values in
          for row in 0..<out.count {
            let place = places[Int(classes[row])]
            out[row] = values[place]
            places[Int(classes[row])] = place &+ 1
          }
        }
      }
    }

    /// Throws unless each class has as many values as rows.
    private func check(_ classes: UnsafeBufferPointer<UInt16>) throws(ColumnError) {
      var counts = [Int](repeating: 0, count: 1 + Int(classes.max() ?? 0))
      counts.withUnsafeMutableBufferPointer { counts in
        for row in 0..<classes.count { counts[Int(classes[row])] &+= 1 }
      }
      for (index, count) in counts.enumerated() where count > 0 {
        guard index < places.count, ends[index] - places[index] == count else {
          throw ColumnError(.malformed, "class \(index) hasn't the values of its \(count) rows")
        }
      }
    }

    /// The next value of a class.
    mutating func next(_ number: UInt16) throws(ColumnError) -> Int64 {
      let number = Int(number)
      guard number < places.count, places[number] < ends[number] else {
        throw ColumnError(.malformed, "class \(number) has fewer values than rows")
      }
      defer { places[number] &+= 1 }
      return values[places[number]]
    }
  }
}
