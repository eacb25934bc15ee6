internal import Crypto

/// What an erasure did, for whoever has to prove it.
///
/// The file has two lines. The first is a JSON object and says what was done; the second, another, has `algorithm`
/// (`ed25519`), `public_key` and `signature` over the bytes of the first without its line feed, both in hex.
public struct ErasureReceipt: Sendable, Hashable {
  /// A part that was written anew, or dropped because nothing of it was left.
  struct Part: Sendable, Hashable {
    var table: String
    var tier: Tier
    var name: String
    var rowsErased: Int
    var bytesRead: Int
    /// `nil` when no row was left.
    var replacement: String?
    var bytesWritten: Int
  }

  /// A content segment that was written anew, or dropped because nothing of it was left.
  struct Content: Sendable, Hashable {
    var name: String
    var piecesErased: Int
    var bytesRead: Int
    /// `nil` when no piece was left.
    var replacement: String?
    var bytesWritten: Int
  }

  struct Request: Sendable, Hashable {
    var number: UInt64
    var token: UInt128
    var tenant: TenantName?
    var requested: Int64
    var rows: Int
  }

  /// Number of the rules up to which everything asked for is erased.
  var number: UInt64
  var finished: Int64
  var requests: [Request]
  /// Whether a request was made before the store was opened last: what went before that is not accounted for here.
  var isAfterRestart = false
  /// Rows that were in no part, by table: they were in memory, or in the log that a recovery read.
  var rowsFromMemory: [String: Int] = [:]
  var parts: [Part]
  /// What only erased rows referred to.
  var content: [Content] = []
  /// Merkle roots over the manifest's parts and content segments.
  var rootBefore: String
  var rootAfter: String
  var verification: ErasureVerification

  func json() -> String {
    func quoted(_ text: String) -> String { ReceiptText.quoted(text) }
    let requests = requests.map { request in
      "{\"erasure\":\(request.number),\"request\":\"\(RulesCodec.hex(request.token))\","
        + "\"organisation\":\(request.tenant.map { quoted($0.text) } ?? "null"),\"requested\":\(request.requested),"
        + "\"rows\":\(request.rows)}"
    }
    let parts = parts.map { part in
      "{\"table\":\(quoted(part.table)),\"tier\":\"\(part.tier.rawValue)\",\"part\":\(quoted(part.name)),"
        + "\"rows_erased\":\(part.rowsErased),"
        + "\"bytes\":\(part.bytesRead),\"replacement\":\(part.replacement.map(quoted) ?? "null"),"
        + "\"bytes_written\":\(part.bytesWritten)}"
    }
    let content = content.map { content in
      "{\"segment\":\(quoted(content.name)),\"pieces_erased\":\(content.piecesErased),\"bytes\":\(content.bytesRead),"
        + "\"replacement\":\(content.replacement.map(quoted) ?? "null"),\"bytes_written\":\(content.bytesWritten)}"
    }
    let pieces = self.content.reduce(0) { $0 + $1.piecesErased }
    var tables: [String: Int] = [:]
    for part in self.parts { tables[part.table, default: 0] += part.rowsErased }
    func counts(_ tables: [String: Int]) -> String {
      "{\(tables.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\($0.value)" }.joined(separator: ","))}"
    }
    return "{\"receipt\":\(number),\"finished\":\(finished),\"erasures\":[\(requests.joined(separator: ","))],"
      + "\"after_restart\":\(isAfterRestart),\"rows_erased_from_memory\":\(counts(rowsFromMemory)),"
      + "\"rows_erased_from_parts\":\(counts(tables)),\"parts\":[\(parts.joined(separator: ","))],"
      + "\"pieces_erased_from_content\":\(pieces),\"content\":[\(content.joined(separator: ","))],"
      + "\"manifest_root_before\":\"\(rootBefore)\",\"manifest_root_after\":\"\(rootAfter)\","
      + "\"verification\":\(verification.json)}"
  }
}

enum ReceiptText {
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      default:
        if scalar.value < 0x20 {
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }
}

/// The hash of the parts and content segments, from which one can be shown to have been among them without the others.
///
///     leaf := SHA-256(00, the line in the manifest without its line feed)      parts by number, then content by number
///     node := SHA-256(01, left, right)                          the last of an odd number goes up as it is
///
/// Nothing has the hash of 64 zeros.
enum MerkleTree {
  static func root(_ manifest: Manifest) -> String {
    let parts = manifest.parts.sorted { $0.number < $1.number }.map { ManifestCodec.line($0) }
    let content = manifest.content.sorted { $0.number < $1.number }.map { ManifestCodec.line($0) }
    var level = (parts + content).map { Array(SHA256.hash(data: [0] + Array($0.utf8.dropLast()))) }
    guard !level.isEmpty else { return AuditLog.origin }
    while level.count > 1 {
      var next: [[UInt8]] = []
      for index in stride(from: 0, to: level.count, by: 2) {
        next.append(
          index + 1 < level.count ? Array(SHA256.hash(data: [1] + level[index] + level[index + 1])) : level[index])
      }
      level = next
    }
    return AuditLog.hex(level[0])
  }
}

/// Signs receipts. The key is made when it is first needed: `DATA/erasure/key`, 0600.
struct ReceiptSigner {
  private let key: Curve25519.Signing.PrivateKey

  /// 32 random bytes and their CRC32C, as the store's secret.
  init(_ directory: StoreDirectory) throws(StorageError) {
    let path = "\(directory.erasurePath)/key"
    let bytes = try directory.privateKey(path, in: directory.erasurePath)
    do {
      key = try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
    } catch {
      throw StorageError(.corrupt, "the key that signs receipts is none: restore it from a backup", path: path)
    }
  }

  var publicKey: String { AuditLog.hex(key.publicKey.rawRepresentation) }

  /// The two lines of the file.
  func sign(_ receipt: ErasureReceipt) throws(StorageError) -> String {
    let text = receipt.json()
    do {
      let signature = try key.signature(for: Array(text.utf8))
      return "\(text)\n{\"algorithm\":\"ed25519\",\"public_key\":\"\(publicKey)\","
        + "\"signature\":\"\(AuditLog.hex(signature))\"}\n"
    } catch {
      throw StorageError(.invalid, "the receipt could not be signed: \(error)")
    }
  }
}

/// Checks receipts, anywhere: nothing but the file is needed.
public enum ReceiptCheck {
  /// What a sound receipt says, and whose signature it bears, in hex.
  public struct Sound: Sendable, Hashable {
    /// The JSON object.
    public var text: String
    public var publicKey: String
  }

  /// - Parameter publicKey: The key that must have signed it, in hex; `nil` takes the one in the file.
  /// - Throws: `.corrupt` when the file is no receipt, or the signature isn't one of this text by this key.
  public static func check(_ bytes: [UInt8], publicKey expected: String? = nil) throws(StorageError) -> Sound {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.count == 3, lines[2].isEmpty, let text = String(validating: lines[0], as: UTF8.self),
      let end = String(validating: lines[1], as: UTF8.self)
    else { throw StorageError(.corrupt, "this is no receipt: it must have two lines of text") }
    let prefix = "{\"algorithm\":\"ed25519\",\"public_key\":\""
    let middle = "\",\"signature\":\""
    let key = end.dropFirst(prefix.count).prefix(64)
    let signature = end.dropFirst(prefix.count + 64 + middle.count).prefix(128)
    guard end == prefix + key + middle + signature + "\"}", let keyBytes = unhex(key), keyBytes.count == 32,
      let signatureBytes = unhex(signature), signatureBytes.count == 64
    else { throw StorageError(.corrupt, "this is no receipt: its second line has no Ed25519 signature") }
    if let expected, expected.lowercased() != key {
      throw StorageError(.corrupt, "the receipt was signed with the key \(key), not with \(expected)")
    }
    let isValid: Bool
    do {
      isValid = try Curve25519.Signing.PublicKey(rawRepresentation: keyBytes)
        .isValidSignature(signatureBytes, for: Array(text.utf8))
    } catch {
      throw StorageError(.corrupt, "the receipt's public key is none")
    }
    guard isValid else { throw StorageError(.corrupt, "the signature isn't one of this text: it has been changed") }
    return Sound(text: text, publicKey: String(key))
  }

  private static func unhex(_ text: some StringProtocol) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var bytes: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(byte)
    }
    return bytes
  }
}
