import LintelColumns
import Synchronization

@testable import LintelStorage

/// Rows that say something, one text a row.
enum TalkRows {
  static func batch(_ texts: [(user: Int, org: String, text: String)], time: Int64 = 0) -> Batch {
    var dice = Dice(UInt64(bitPattern: time) &+ 77)
    var batch = Samples.batch(&dice, Samples.Options(rows: texts.count, attributes: 0))
    for (name, column) in [
      ("user", ColumnVector(.id128(texts.map { Samples.user($0.user) }))),
      ("org", ColumnVector(.bytes(ByteStrings(texts.map(\.org))))),
      ("time", ColumnVector(.int64(texts.map { _ in Samples.epoch + time }))),
    ] {
      if let index = Samples.schema.index(of: name) { batch.columns[index] = column }
    }
    batch.attributes = [
      AttributeColumn(
        key: AttributeKey("said", .string), rows: (0..<UInt32(texts.count)).map { $0 },
        values: ColumnVector(.bytes(ByteStrings(texts.map(\.text)))))
    ]
    return batch
  }

  static func pieces(_ store: Store) throws -> [String] {
    var texts: [String] = []
    for live in store.state.withLock({ Array($0.contentSegments.joined()) }) {
      try live.reader.forEachPiece { (piece) throws(StorageError) in
        texts.append(String(decoding: piece.bytes, as: UTF8.self))
      }
    }
    return texts.sorted()
  }
}
