internal import LintelColumns

/// Puts vectors of one column end to end, as they come from many batches with dictionaries of their own.
///
/// Byte strings and 128-bit ids get one dictionary for all where that pays (``DictionaryPolicy``); the strings of a
/// batch's dictionary are hashed once each, its rows are translated by table.
enum ColumnJoin {
  static func join(_ pieces: [ColumnVector], type: PhysicalType) -> ColumnVector {
    if pieces.count == 1, let only = pieces.first, !isCandidate(only) { return only }
    switch type {
    case .int64, .float64, .bool: return plain(pieces, type: type)
    case .bytes, .id128: return coded(pieces, type: type) ?? plain(pieces, type: type)
    }
  }

  private static func isCandidate(_ vector: ColumnVector) -> Bool {
    switch vector.storage {
    case .bytes, .id128, .codes: true
    default: false
    }
  }

  private static func plain(_ pieces: [ColumnVector], type: PhysicalType) -> ColumnVector {
    var assembler = VectorAssembler(type, dictionary: false, capacity: pieces.reduce(0) { $0 + $1.count })
    for piece in pieces { assembler.append(piece, 0..<piece.count) }
    return assembler.finish()
  }

  /// `nil` when a dictionary doesn't pay.
  private static func coded(_ pieces: [ColumnVector], type: PhysicalType) -> ColumnVector? {
    var union = DictionaryUnion(type)
    var assembler = VectorAssembler(type, dictionary: true, capacity: pieces.reduce(0) { $0 + $1.count })
    var tables: [ObjectIdentifier: [UInt32]] = [:]
    var values = 0
    for piece in pieces {
      values += piece.count - (piece.validity.map { piece.count - $0.setCount } ?? 0)
      switch piece.storage {
      case .codes(_, let dictionary):
        let known = tables[ObjectIdentifier(dictionary)]
        let table = known ?? union.add(dictionary)
        if known == nil { tables[ObjectIdentifier(dictionary)] = table }
        assembler.append(piece, 0..<piece.count, table: table)
      case .bytes(let strings) where strings.bytes.count > DictionaryPolicy.longValueBytes * max(1, strings.count):
        return nil
      default:
        assembler.appendCodes(union.codes(of: piece), validity: piece.validity)
      }
      if DictionaryPolicy.isHopeless(distinct: union.count, values: values, bytes: union.bytes) { return nil }
    }
    guard DictionaryPolicy.pays(distinct: union.count, values: values, bytes: union.bytes) else { return nil }
    return assembler.finish(union.finish())
  }
}
