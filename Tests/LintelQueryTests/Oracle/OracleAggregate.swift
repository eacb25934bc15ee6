import Glibc
import LintelColumns

@testable import LintelQuery

/// One aggregate over the operand values of its rows, in scan order.
struct OracleAggregate {
  let call: AggregateCall

  init(_ call: AggregateCall) { self.call = call }

  private var type: ColumnType { call.operands.first?.type ?? .int64 }

  func value(_ rows: [[Value]]) throws -> Value {
    let values = rows.compactMap(\.first).filter { $0 != .null }
    switch call.function {
    case .count: return .int64(Int64(call.operands.isEmpty ? rows.count : values.count))
    case .countDistinct, .approximateCountDistinct: return .int64(Int64(Set(values.map(OracleKey.init)).count))
    case .sum: return try sum(values)
    case .average: return average(values)
    case .min: return extreme(values, least: true)
    case .max: return extreme(values, least: false)
    case .any: return values.first ?? .null
    case .argMin: return argument(rows, least: true)
    case .argMax: return argument(rows, least: false)
    case .quantile(let rank): return middle(quantile(values, rank))
    case .quantileExact(let rank): return quantile(values, rank)
    case .standardDeviation: return deviation(values)
    case .histogram(let buckets): return histogram(values.map(double).filter(\.isFinite), buckets)
    case .topK(let count): return top(values, count)
    }
  }

  private func double(_ value: Value) -> Double {
    switch value {
    case .int64(let number): Double(number)
    case .float64(let number): number
    default: .nan
    }
  }

  // MARK: Sums

  private func integers(_ values: [Value]) -> [Int128] {
    values.compactMap { if case .int64(let number) = $0 { Int128(number) } else { nil } }
  }

  private func sum(_ values: [Value]) throws -> Value {
    if values.isEmpty { return .null }
    if type == .float64 { return .float64(ExactNumber.sum(values.map(double))) }
    guard let sum = Int64(exactly: integers(values).reduce(0, +)) else { throw Oracle.Overflow() }
    return .int64(sum)
  }

  private func average(_ values: [Value]) -> Value {
    if values.isEmpty { return .null }
    let sum = type == .float64 ? ExactNumber.sum(values.map(double)) : Double(integers(values).reduce(0, +))
    return .float64(sum / Double(values.count))
  }

  /// sqrt((n * sum(x^2) - sum(x)^2) / (n * (n - 1))), the numerator exact.
  private func deviation(_ values: [Value]) -> Value {
    let count = values.count
    if count < 2 { return .null }
    let numbers = values.map(double)
    if numbers.contains(where: { !$0.isFinite }) { return .float64(.nan) }
    let exact =
      type == .float64
      ? numbers.map(ExactNumber.init) : integers(values).map { ExactNumber(integer: $0) }
    let sum = exact.reduce(.zero, +)
    let squares = exact.map { $0 * $0 }.reduce(.zero, +)
    let numerator = ExactNumber(integer: Int128(count)) * squares - sum * sum
    let divisor = Double(count) * Double(count - 1)
    return .float64(Glibc.sqrt(numerator.rounded / divisor))
  }

  // MARK: Extremes

  private func extreme(_ values: [Value], least: Bool) -> Value {
    guard var result = values.first else { return .null }
    for value in values.dropFirst() {
      let order = OracleOrder.compare(value, result, type)
      if least ? order < 0 : order > 0 { result = value }
    }
    return OracleOrder.normalized(result)
  }

  private func argument(_ rows: [[Value]], least: Bool) -> Value {
    var best: [Value]?
    for row in rows where row[1] != .null {
      guard let own = best else {
        best = row
        continue
      }
      let order = OracleOrder.compare(row[1], own[1], call.operands[1].type)
      if least ? order < 0 : order > 0 { best = row }
    }
    return best?[0] ?? .null
  }

  private func quantile(_ values: [Value], _ rank: Double) -> Value {
    if values.isEmpty { return .null }
    let sorted = values.sorted { OracleOrder.compare($0, $1, type) < 0 }
    let place = Int((rank * Double(values.count)).rounded(.up))
    return OracleOrder.normalized(sorted[min(max(place, 1), values.count) - 1])
  }

  /// What a sketch says for a value: the middle of the 64th of its power of two.
  private func middle(_ value: Value) -> Value {
    let number = double(value)
    guard value != .null, number.isFinite, number.magnitude >= .leastNormalMagnitude else {
      return number.isFinite && type == .float64 ? .float64(0) : value
    }
    let step = ((number.significand - 1) * 64).rounded(.down) + 0.5
    let size = Double(sign: .plus, exponent: Int(number.exponent), significand: 1 + step / 64)
    let result = number < 0 ? -size : size
    guard type.physical == .int64 else { return .float64(result) }
    return .int64(result >= 0x1p63 ? .max : result <= -0x1p63 ? .min : Int64(result))
  }

  // MARK: Distributions

  private func histogram(_ numbers: [Double], _ buckets: Int) -> Value {
    guard let least = numbers.min(), let high = numbers.max() else { return .null }
    let low = least == 0 ? 0 : least
    // Divided before subtracting: the difference of two finite values may be infinite.
    let width = high / Double(buckets) - low / Double(buckets)
    let count = low == high || width <= 0 ? 1 : buckets
    var counts = [Int64](repeating: 0, count: count)
    for number in numbers {
      let place = count == 1 ? 0 : (number - low) / width
      counts[place < Double(count - 1) ? Int(place) : count - 1] += 1
    }
    let entries = counts.enumerated().map { bucket, number in
      Variant.array([.double(bucket == 0 ? low : low + width * Double(bucket)), .int(number)])
    }
    return OracleVariant.encoded(.array(entries))
  }

  private func top(_ values: [Value], _ count: Int) -> Value {
    if values.isEmpty { return .null }
    var counts: [OracleKey: (value: Value, count: Int64)] = [:]
    for value in values {
      counts[OracleKey(value), default: (OracleOrder.normalized(value), 0)].count += 1
    }
    let sorted = counts.values.sorted { left, right in
      left.count == right.count
        ? OracleOrder.compare(left.value, right.value, type) < 0 : left.count > right.count
    }
    let entries = sorted.prefix(count).map { entry -> Variant in
      guard case .bytes(let bytes) = OracleVariant.encoded(entry.value, type),
        let variant = try? Variant(decoding: bytes)
      else { return .empty }
      return .array([variant, .int(entry.count)])
    }
    return OracleVariant.encoded(.array(entries))
  }
}
