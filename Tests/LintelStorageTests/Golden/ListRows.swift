import LintelColumns

/// The lists of the golden parts: of integers that begin like earlier ones, of doubles, of strings, and some values that
/// are none. They never change either.
enum ListRows {
  static func attributes(_ number: Int, rows: Int) -> [AttributeColumn] {
    var dice = Dice(UInt64(2000 + number))
    var histories = [[Variant]](repeating: [.int(7)], count: 9)
    var next = Int64(number * 100_000)
    let blocks = (0..<rows).map { row -> Variant in
      if row % 29 == 11 { return .map([Variant.Entry("number", .int(Int64(row)))]) }
      let history = dice.below(9)
      if dice.chance(8) { histories[history] = [.int(7), .int(-next)] }
      for _ in 0...dice.below(6) {
        next += 1
        histories[history].append(.int(next))
      }
      return .array(histories[history])
    }
    let vectors = (0..<rows).map { _ in Variant.array((0..<5).map { _ in .double(Double(dice.below(800)) / 16) }) }
    let calls = (0..<rows).map { _ in
      Variant.array((0..<dice.below(4)).map { _ in .string("call-\(dice.below(100_000))") })
    }
    return [("blocks", blocks), ("calls", calls), ("vectors", vectors)].map { key, values in
      var builder = BytesColumnBuilder()
      for value in values { builder.append(value.encoded) }
      return AttributeColumn(
        key: AttributeKey(key, .variant), rows: (0..<UInt32(rows)).map { $0 }, values: builder.finish())
    }
  }
}
