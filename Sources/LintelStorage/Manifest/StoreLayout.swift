/// What is fixed when a store is created, as `lintel.json` says it:
///
///     {"format": 1, "shards": 1, "shard_key": "org_id"}
///
/// The file appears last when a store is created: where it is, the rest of the layout is.
public struct StoreLayout: Sendable, Hashable {
  /// The newest format this Lintel reads and the one it writes.
  public static let currentFormat = 1

  public var format: Int
  public var shardCount: Int
  /// Names what chooses a row's shard.
  public var shardKey: String

  public init(shardCount: Int, shardKey: String, format: Int = StoreLayout.currentFormat) {
    self.format = format
    self.shardCount = shardCount
    self.shardKey = shardKey
  }

  func encoded() -> [UInt8] {
    Array("{\"format\": \(format), \"shards\": \(shardCount), \"shard_key\": \"\(shardKey)\"}\n".utf8)
  }

  /// Letters, digits and a few signs, so that it needs no escaping.
  static func isValidKey(_ key: String) -> Bool {
    !key.isEmpty && key.utf8.count <= 200
      && key.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "_-.:,=/ ".utf8.contains(byte)
        }
      }
  }

  static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> StoreLayout {
    var parser = FlatObjectParser(bytes)
    guard let fields = parser.parse(), case .number(let format)? = fields["format"] else {
      throw StorageError(
        .corrupt, "is not what Lintel wrote: restore it from a backup (it holds three short settings)", path: path)
    }
    guard format == currentFormat else {
      throw StorageError(
        .incompatible,
        "the store has format \(format) and this Lintel knows \(currentFormat): open it with the Lintel that wrote it",
        path: path)
    }
    guard case .number(let shards)? = fields["shards"], 1...ManifestCodec.maximumShards ~= shards,
      case .string(let key)? = fields["shard_key"], isValidKey(key)
    else { throw StorageError(.corrupt, "lacks a valid number of shards or shard key", path: path) }
    return StoreLayout(shardCount: shards, shardKey: key, format: format)
  }
}

/// One JSON object of strings without escapes and integers: all that `lintel.json` needs. Other values are refused.
struct FlatObjectParser {
  enum Value: Equatable {
    case number(Int)
    case string(String)
  }

  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func parse() -> [String: Value]? {
    guard take("{") else { return nil }
    var fields: [String: Value] = [:]
    if !take("}") {
      repeat {
        guard let name = string(), take(":"), let value = value(), fields.updateValue(value, forKey: name) == nil else {
          return nil
        }
      } while take(",")
      guard take("}") else { return nil }
    }
    skipSpace()
    return rest.isEmpty ? fields : nil
  }

  private mutating func skipSpace() { rest = rest.drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 } }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    let quote = UInt8(ascii: "\"")
    let content = rest.prefix { $0 != quote && $0 != UInt8(ascii: "\\") && $0 >= 0x20 }
    guard content.endIndex < rest.endIndex, rest[content.endIndex] == quote else { return nil }
    rest = rest[(content.endIndex + 1)...]
    return String(validating: content, as: UTF8.self)
  }

  private mutating func value() -> Value? {
    skipSpace()
    if rest.first == UInt8(ascii: "\"") { return string().map(Value.string) }
    let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: "-") }
    rest = rest[digits.endIndex...]
    return Int(String(decoding: digits, as: UTF8.self)).map(Value.number)
  }
}
