import LintelColumns

/// LIKE and ILIKE with a constant pattern.
final class LikeNode: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode
  private let pattern: LikePattern
  /// Content may be looked through without putting its values together.
  let looksIntoContent: Bool

  init(_ operand: EvaluationNode, pattern: [UInt8], isContent: Bool = false) {
    self.operand = operand
    self.pattern = LikePattern(pattern)
    looksIntoContent = isContent && self.pattern.onlyLiteral != nil
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    if looksIntoContent { return try operand.matches(pattern, context) }
    return try pattern.matches(try operand.evaluate(context), context)
  }
}

extension LikePattern {
  /// Whether each text matches.
  func matches(_ texts: Vector, _ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let flags = try context.flags(texts, lookingAfter: 1 << 20) { matches($0) }
    return Vector(.bool(flags), validity: texts.validity)
  }
}

/// `~` with a constant regular expression.
final class MatchNode: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode
  private let program: RegularExpression

  init(_ operand: EvaluationNode, program: RegularExpression) {
    self.operand = operand
    self.program = program
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try operand.evaluate(context)
    var matcher = RegularExpression.Matcher(program)
    let flags = try context.flags(vector, lookingAfter: 1 << 16) { matcher.matches($0) }
    return Vector(.bool(flags), validity: vector.validity)
  }
}

/// `element(map, 'key')` and `element(array, 3)`.
final class ElementNode: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode
  private let key: Value

  init(_ operand: EvaluationNode, key: Value) {
    self.operand = operand
    self.key = key
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try operand.evaluate(context)
    var builder = BytesBuilder(capacity: vector.count)
    switch key {
    case .bytes(let name):
      name.withUnsafeBufferPointer { name in
        vector.withBytes { view in
          for lane in 0..<vector.count {
            builder.append(vector.isValid(lane) ? EncodedVariant.element(view[lane], key: name) : nil)
          }
        }
      }
    case .int64(let position):
      vector.withBytes { view in
        for lane in 0..<vector.count {
          builder.append(vector.isValid(lane) ? EncodedVariant.element(view[lane], at: position) : nil)
        }
      }
    default: return .nulls(.bytes, count: vector.count)
    }
    return builder.finish()
  }
}

/// `hasOrigin`: looks for an entry in a list separated by semicolons.
final class OriginNode: EvaluationNode, @unchecked Sendable {
  private let operand: EvaluationNode
  private let entry: [UInt8]

  init(_ operand: EvaluationNode, entry: [UInt8]) {
    self.operand = operand
    self.entry = entry
  }

  override func evaluate(_ context: EvaluationContext) throws(ExecutionFailure) -> Vector {
    let vector = try operand.evaluate(context)
    let flags = vector.withBytes { view in makeLanes(vector.count) { holds(view[$0]) } }
    return Vector(.bool(flags), validity: vector.validity)
  }

  private func holds(_ list: UnsafeBufferPointer<UInt8>) -> Bool {
    var start = 0
    while start <= list.count {
      var end = start
      while end < list.count, list[end] != UInt8(ascii: ";") { end += 1 }
      if list[start..<end].elementsEqual(entry) { return true }
      start = end + 1
    }
    return false
  }
}

/// Builds byte strings lane by lane.
struct BytesBuilder {
  private var values = ByteStrings()
  private var validity: [Bool] = []
  private var hasNull = false

  init(capacity: Int) {
    values.reserveCapacity(capacity, bytes: 0)
    validity.reserveCapacity(capacity)
  }

  mutating func append(_ value: UnsafeBufferPointer<UInt8>?) {
    if let value { values.append(UnsafeRawBufferPointer(value)) } else { values.append(EmptyCollection<UInt8>()) }
    validity.append(value != nil)
    if value == nil { hasNull = true }
  }

  mutating func append(_ value: some Collection<UInt8>) {
    values.append(value)
    validity.append(true)
  }

  mutating func append(_ text: String) {
    values.append(text)
    validity.append(true)
  }

  mutating func appendNull() {
    values.append(EmptyCollection<UInt8>())
    validity.append(false)
    hasNull = true
  }

  func finish() -> Vector { Vector(.bytes(values), validity: hasNull ? validity : nil) }
}
