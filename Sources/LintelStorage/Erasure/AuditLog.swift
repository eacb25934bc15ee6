internal import Crypto

/// Something about erasures, holds or retention that is to be accounted for.
struct AuditEvent: Sendable {
  enum Kind: String, Sendable {
    case requested, refused, erased, lifted, held, released, retention, restored, dropped
  }

  var kind: Kind
  /// Of the erasure or hold.
  var number: UInt64?
  /// Stands for the subject.
  var token: UInt128?
  var tenant: TenantName?
  /// `name=value` pairs.
  var detail: String

  init(
    _ kind: Kind, number: UInt64? = nil, token: UInt128? = nil, tenant: TenantName? = nil, detail: String = ""
  ) {
    self.kind = kind
    self.number = number
    self.token = token
    self.tenant = tenant
    self.detail = detail
  }
}

/// Where the audit log ends.
struct AuditTail: Sendable, Hashable {
  var entries: UInt64 = 0
  /// Bytes of whole lines.
  var length = 0
  /// Hash of the last line, in hex.
  var hash = AuditLog.origin
}

/// `DATA/erasure/audit.log`: a line for each event, each with a hash over itself and the one before, so that none can be
/// changed, moved or taken out from among the others unnoticed.
///
///     line := number time kind subject token tenant detail hash        separated by one space, ended by a line feed
///     hash := SHA-256(hash of the line before, the line up to here), in hex; 64 zeros come before the first
///
/// `subject` is the number of the erasure or hold, `time` nanoseconds since 1970; `-` stands for what there is none of. Names
/// and details are escaped as names in the manifest are.
enum AuditLog {
  static let origin = String(repeating: "0", count: 64)
  private static let maximumBytes = 1 << 30

  static func line(_ event: AuditEvent, _ number: UInt64, time: Int64, after previous: String) -> (
    text: String, hash: String
  ) {
    func field(_ text: String?) -> String { text.map { $0.isEmpty ? "-" : ManifestCodec.escape($0) } ?? "-" }
    let fields: [String] = [
      "\(number)", "\(time)", event.kind.rawValue, event.number.map { "\($0)" } ?? "-",
      event.token.map(RulesCodec.hex) ?? "-", field(event.tenant?.text), field(event.detail),
    ]
    let text = fields.joined(separator: " ")
    let hash = Self.hash(previous, text)
    return ("\(text) \(hash)\n", hash)
  }

  static func hash(_ previous: String, _ text: String) -> String {
    hex(SHA256.hash(data: Array(previous.utf8) + Array(text.utf8)))
  }

  /// Reads the log and checks its chain. What an interrupted append left behind the last line doesn't count.
  static func tail(_ path: String, _ fileSystem: any FileSystem) throws(StorageError) -> AuditTail {
    let bytes: [UInt8]
    do throws(StorageError) {
      bytes = try fileSystem.readAll(path, limit: maximumBytes)
    } catch {
      guard error.isMissingFile else { throw error }
      return AuditTail()
    }
    var tail = AuditTail()
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: bytes[start..<end], as: UTF8.self)
      let text = line.dropLast(65)
      guard line.utf8.count > 65, line.hasPrefix("\(tail.entries + 1) "),
        line.hasSuffix(" " + hash(tail.hash, String(text)))
      else {
        throw StorageError(
          .corrupt,
          "line \(tail.entries + 1) of the audit log isn't as it was written, or the one before is missing: find out who "
            + "changed it, and move the file away to begin a new one", path: path)
      }
      tail.hash = String(line.suffix(64))
      tail.entries += 1
      start = end + 1
    }
    tail.length = start
    return tail
  }

  static func append(
    _ text: String, to path: String, after length: Int, in directory: String, _ fileSystem: any FileSystem
  ) throws(StorageError) {
    let isNew = try !fileSystem.exists(path)
    if isNew { try fileSystem.createFolderDurably(directory) }
    let file = isNew ? try fileSystem.create(path) : try fileSystem.reopen(path, length: length)
    try file.append(Array(text.utf8))
    do throws(StorageError) {
      try file.sync()
      try file.close()
      if isNew { try fileSystem.syncDirectory(directory) }
    } catch {
      // What is read back from now on may not be what is on the disk.
      throw StorageError(
        .failedStop, "it is unknown what the audit log holds: open the store again; the cause: \(error.message)",
        path: path, errorNumber: error.errorNumber)
    }
  }

  static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension Store {
  var auditPath: String { "\(directory.erasurePath)/audit.log" }

  /// Appends to the audit log, durably.
  func audit(_ events: [AuditEvent], _ log: inout AuditTail?) throws(StorageError) {
    var tail: AuditTail
    if let log { tail = log } else { tail = try AuditLog.tail(auditPath, fileSystem) }
    // Only what is known to be on the disk is built upon.
    log = nil
    let length = tail.length
    var text = ""
    let now = clock()
    for event in events {
      let line = AuditLog.line(event, tail.entries + 1, time: now, after: tail.hash)
      text += line.text
      tail.entries += 1
      tail.hash = line.hash
    }
    tail.length += text.utf8.count
    try AuditLog.append(text, to: auditPath, after: length, in: directory.erasurePath, fileSystem)
    log = tail
  }
}
