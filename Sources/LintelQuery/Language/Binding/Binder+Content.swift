internal import LintelColumns
internal import LintelStorage

/// What leads to messages: their digests, and back.
extension Binder {
  /// `content('digest' [, 'organisation'])`: looked up once, when the statement is bound.
  mutating func bindContent(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    try checkCount(call, node, 1...2, "content('digest', 'organisation')")
    var texts: [String] = []
    for argument in call.arguments {
      guard case .constant(.bytes(let bytes), .string) = try bind(argument, scope) else {
        throw QueryError(
          .binding, "content takes a digest and an organisation, both in quotes", offset: argument.range.lowerBound,
          hint: "input_digests and output_digests show those of a span")
      }
      texts.append(String(decoding: bytes, as: UTF8.self))
    }
    guard texts[0].utf8.count == 32, texts[0].utf8.allSatisfy(Self.isHexDigit),
      let digest = UInt128(texts[0], radix: 16)
    else {
      throw QueryError(
        .binding, "a digest has 32 hexadecimal digits", offset: call.arguments[0].range.lowerBound,
        hint: "input_digests and output_digests show those of a span")
    }
    do throws(StorageError) {
      let bytes = try catalog.content(digest, organization: texts.count > 1 ? texts[1] : nil)
      return .constant(bytes.map { Value.bytes($0) } ?? .null, .string)
    } catch {
      throw QueryError(.storage, error.description, offset: node.range.lowerBound)
    }
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
    case UInt8(ascii: "A")...UInt8(ascii: "F"): true
    default: false
    }
  }

  /// `digests(attributes['key'])`: those of the pieces of an attribute that is kept as content.
  mutating func bindDigests(
    _ call: CallSyntax, _ node: SyntaxNode, _ scope: Scope
  ) throws(QueryError) -> Expression {
    try checkCount(call, node, 1...1, "digests(attributes['key'])")
    let argument = call.arguments[0]
    guard case .element(let base, let key) = argument.kind, case .name(let name) = base.kind,
      Keywords.folded(name.name) == "attributes", let schema, schema.hasAttributes, !scope.isGrouped,
      case .constant(.bytes(let bytes), .string) = try bind(key, .rows)
    else {
      throw QueryError(
        .binding, "digests takes an attribute of the spans themselves", offset: argument.range.lowerBound,
        hint: "such as digests(attributes['gen_ai.input.messages'])")
    }
    let side = try side(of: name, base, scope)
    if join != nil, side == nil { throw ambiguous(name, base) }
    let attribute = String(decoding: bytes, as: UTF8.self)
    var kinds: Set<AttributeKind> = []
    for segment in snapshot?.segments ?? [] {
      for key in segment.digestKeys where key.name == attribute { kinds.insert(key.kind) }
    }
    if kinds.isEmpty { return .constant(.null, .variant) }
    var reads: [Expression] = []
    for kind in kinds.sorted() {
      reads.append(stored(.attribute(AttributeRead(name: attribute, kinds: [kind], type: .bytes)), side))
    }
    return .call(.digestArray, [reads.count == 1 ? reads[0] : .call(.coalesce, reads, .bytes)], .variant)
  }
}
