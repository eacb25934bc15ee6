internal import LintelColumns

/// The text of the rules, one item a line, fields separated by one space:
///
///     lintel-rules 1
///     sequence 42
///     next 9
///     finished 41
///     erasure 7 4a7d1ed414474e4033ac29ccb8653d9b acme erased 1700000000000000000 1700000005000000000 0 312
///     hold 8 - acme 1700000000000000000 lawsuit
///     retention spans - 7776000000000000
///     content-retention spans acme 2592000000000000
///     end 5d41402a
///
/// - `finished`: erasures asked for up to this number of the rules are finished; the manifest's `erased` is no less.
/// - `erasure`: number, token in hex, tenant or `-`, state, when it was asked for, when no file held the rows any more,
///   when it was lifted (each 0 where it hasn't come to that), rows.
/// - `hold`: number, token or `-`, tenant or `-`, since when, reason or `-`.
/// - `retention`, `content-retention`: table, tenant or `-`, nanoseconds.
/// - `end`: CRC32C of all bytes before the line, in hex. Nothing follows it.
/// - Counters are below 2^62, rows below 2^48.
/// - Names are written as in the manifest, and `-` as `%2d` where it is all of a name; an empty one as `%`.
enum RulesCodec {
  static let version = 1
  static let maximumBytes = 256 << 20

  static func encode(_ rules: StoreRules) -> [UInt8] {
    var text = "lintel-rules \(version)\nsequence \(rules.sequence)\nnext \(rules.nextNumber)\n"
    text += "finished \(rules.finished)\n"
    for erasure in rules.erasures {
      let times = "\(erasure.requested) \(erasure.finished) \(erasure.lifted)"
      text += "erasure \(erasure.number) \(hex(erasure.token)) \(name(erasure.tenant?.text)) \(erasure.state.rawValue) "
      text += "\(times) \(erasure.rows)\n"
    }
    for hold in rules.holds {
      text += "hold \(hold.number) \(hold.token.map(hex) ?? "-") \(name(hold.tenant?.text)) \(hold.since) "
      text += "\(name(hold.reason))\n"
    }
    for rule in rules.retention {
      text +=
        "\(rule.scope == .rows ? "" : "content-")retention \(name(rule.table)) \(name(rule.tenant?.text)) \(rule.nanoseconds)\n"
    }
    var bytes = Array(text.utf8)
    let checksum = bytes.withUnsafeBytes { Checksum.crc32c($0) }
    bytes += Array("end \(ManifestCodec.hex(checksum))\n".utf8)
    return bytes
  }

  static func hex(_ value: UInt128) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, 32 - digits.utf8.count)) + digits
  }

  private static func name(_ name: String?) -> String {
    guard let name else { return "-" }
    if name.isEmpty { return "%" }
    return name == "-" ? "%2d" : ManifestCodec.escape(name)
  }

  static func decode(_ bytes: [UInt8], path: String) throws(StorageError) -> StoreRules {
    func damaged(_ reason: String) -> StorageError {
      StorageError(
        .corrupt, "the rules of erasure and retention are damaged: \(reason); restore the file from a backup",
        path: path)
    }
    var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard lines.popLast()?.isEmpty == true, let end = lines.popLast() else { throw damaged("they have no end") }
    let checksum = bytes.withUnsafeBytes { Checksum.crc32c(UnsafeRawBufferPointer(rebasing: $0[..<end.startIndex])) }
    guard end.elementsEqual("end \(ManifestCodec.hex(checksum))".utf8) else { throw damaged("the checksum is wrong") }
    var parser = RulesParser(lines: lines)
    guard let rules = parser.parse() else {
      throw StorageError(
        .incompatible, "line \(parser.line) isn't of format \(version): use the Lintel that wrote it", path: path)
    }
    return rules
  }
}

private struct RulesParser {
  let lines: [ArraySlice<UInt8>]
  /// Number of the line read last, from 1.
  var line = 0

  init(lines: [ArraySlice<UInt8>]) { self.lines = lines }

  mutating func parse() -> StoreRules? {
    var rules = StoreRules()
    guard let header = next(), header.count == 2, header[0] == "lintel-rules", Int(header[1]) == RulesCodec.version,
      let sequence = next(), sequence.count == 2, sequence[0] == "sequence",
      let number = StoredNumber.counter(sequence[1]),
      let following = next(), following.count == 2, following[0] == "next",
      let nextNumber = StoredNumber.counter(following[1]),
      let done = next(), done.count == 2, done[0] == "finished", let finished = StoredNumber.counter(done[1])
    else { return nil }
    rules.finished = finished
    rules.sequence = number
    rules.nextNumber = nextNumber
    while line < lines.count {
      guard let fields = next(), let kind = fields.first, add(kind, Array(fields.dropFirst()), to: &rules) else {
        return nil
      }
    }
    return rules
  }

  private func add(_ kind: String, _ fields: [String], to rules: inout StoreRules) -> Bool {
    switch (kind, fields.count) {
    case ("erasure", 8):
      guard let number = StoredNumber.counter(fields[0]), let token = UInt128(fields[1], radix: 16),
        let tenant = name(fields[2]),
        let state = Erasure.State(rawValue: fields[3]), let requested = Int64(fields[4]),
        let finished = Int64(fields[5]), let lifted = Int64(fields[6]), let rows = StoredNumber.size(fields[7])
      else { return false }
      rules.erasures.append(
        Erasure(
          number: number, token: token, tenant: tenant.tenant, state: state, requested: requested, finished: finished,
          lifted: lifted, rows: rows))
    case ("hold", 5):
      guard let number = StoredNumber.counter(fields[0]), let tenant = name(fields[2]), let since = Int64(fields[3]),
        let reason = name(fields[4])
      else { return false }
      let token = UInt128(fields[1], radix: 16)
      guard token != nil || fields[1] == "-" else { return false }
      rules.holds.append(
        LegalHold(number: number, token: token, tenant: tenant.tenant, since: since, reason: reason.name ?? ""))
    case ("retention", 3), ("content-retention", 3):
      guard let table = name(fields[0])?.name, let tenant = name(fields[1]), let time = Int64(fields[2]), time > 0
      else { return false }
      let scope: RetentionRule.Scope = kind == "retention" ? .rows : .content
      rules.retention.append(RetentionRule(table: table, scope: scope, tenant: tenant.tenant, nanoseconds: time))
    default: return false
    }
    return true
  }

  private mutating func next() -> [String]? {
    guard line < lines.count else { return nil }
    defer { line += 1 }
    return lines[line].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private struct Name {
    var name: String?
    var tenant: TenantName? { name.map { TenantName($0) } }
  }

  /// `nil` where the text is no name.
  private func name(_ text: String) -> Name? {
    if text == "-" { return Name(name: nil) }
    if text == "%" { return Name(name: "") }
    return ManifestCodec.unescape(text).map { Name(name: $0) }
  }
}
