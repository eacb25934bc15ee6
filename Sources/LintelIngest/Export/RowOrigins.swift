internal import Lintel
internal import LintelColumns

/// The moves that an origins text lists, ready to be undone.
struct RowOrigins {
  struct Move {
    let key: ArraySlice<UInt8>
    let isResource: Bool
    let column: Int
    let conversion: AttributeConversion
  }

  var moves: [Move] = []
  /// The client sent a parent id of all zeros.
  var hasZeroParent = false

  /// Reads `s:key>column:conversion;r:..` (``MovedAttribute/originEntry``). Entries that name what this version doesn't
  /// know are an error: leaving them out would lose data silently.
  init(_ text: String) throws(ColumnError) {
    for entry in text.split(separator: ";") {
      if entry == SpanSchema.zeroParentOrigin {
        hasZeroParent = true
        continue
      }
      guard let arrow = entry.lastIndex(of: ">"), let colon = entry[arrow...].firstIndex(of: ":"), entry.count > 2,
        let column = SpanSchema.table.index(of: String(entry[entry.index(after: arrow)..<colon])),
        let conversion = AttributeConversion(rawValue: String(entry[entry.index(after: colon)...]))
      else {
        throw ColumnError(.unsupportedEncoding, "the attribute origin '\(entry)' is unknown to this version of Lintel")
      }
      let key = entry[entry.index(entry.startIndex, offsetBy: 2)..<arrow]
      moves.append(
        Move(key: Array(key.utf8)[...], isResource: entry.hasPrefix("r:"), column: column, conversion: conversion))
    }
  }
}

extension OTLPJSONWriter {
  /// Writes the attribute as the client sent it, from the column it was moved into.
  mutating func attribute(_ move: RowOrigins.Move, from column: ColumnVector, row: Int) {
    switch move.conversion {
    case .string:
      guard let text = column.bytes(at: row) else { return }
      attribute(move.key) { $0.stringValue(text) }
    case .singleton:
      guard let text = column.bytes(at: row) else { return }
      attribute(move.key) {
        $0.raw("\"arrayValue\":{\"values\":[{")
        $0.stringValue(text)
        $0.raw("}]}")
      }
    case .openInferenceKind:
      guard let text = column.string(at: row),
        let kind = Conventions.openInferenceKinds.first(where: { $0.operation == text })?.kind
      else { return }
      attribute(move.key) { $0.stringValue(Array(kind.utf8)[...]) }
    case .int:
      guard let value = column.int64(at: row) else { return }
      attribute(move.key) { $0.intValue(value) }
    case .double, .seconds, .milliseconds, .usd:
      guard let value = column.int64(at: row) else { return }
      let scale: Double =
        switch move.conversion {
        case .seconds, .usd: 1e9
        case .milliseconds: 1e6
        default: 1
        }
      attribute(move.key) { $0.doubleValue(Double(value) / scale) }
    }
  }
}
