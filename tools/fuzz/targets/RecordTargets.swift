import Crypto

@testable import Lintel
@testable import LintelColumns
@testable import LintelStorage

/// The small files of a store and of its backups: their last line is a checksum, which is made right.
let recordTargets: [String: FuzzTarget] = [
  "rules": { _, bytes in
    let text = ended(bytes)
    if let rules = try? RulesCodec.decode(text, path: "rules") {
      precondition((try? RulesCodec.decode(RulesCodec.encode(rules), path: "rules")) == rules)
      for now in [Int64.min, 0, .max] {
        let cutoffs = RetentionCutoffs(rules.retention, SpanSchema.table, now: now)
        _ = cutoffs.within(now, .max)
        _ = cutoffs.cover(.min, now, patience: 1 << 50)
      }
    }
    _ = try? RulesCodec.decode(Array(bytes), path: "rules")
  },
  "progress": { _, bytes in
    guard let (rules, progress) = try? ErasureProgressCodec.decode(ended(bytes), path: "progress") else { return }
    let again = ErasureProgressCodec.encode(progress, rules: rules)
    let back = try? ErasureProgressCodec.decode(again, path: "progress")
    precondition(back.map { $0.rules == rules && $0.progress.steps.count >= progress.steps.count } ?? false)
    let manifest = Manifest(sequence: 1, nextPartNumber: 20, logFloors: [7, 8], parts: [])
    for step in progress.steps { _ = step.hasHappened(in: manifest) }
    _ = progress.rowsFromMemory
  },
  "listing": { _, bytes in
    guard let listing = try? BackupListing(decoding: ended(bytes), path: "listing") else { return }
    precondition((try? BackupListing(decoding: listing.encoded(), path: "listing")) == listing)
    precondition(listing.files.allSatisfy { BackupListing.isPlain($0.name) && !$0.name.hasPrefix("/") })
    _ = listing.bytes
  },
  "backup": { _, bytes in verifyBackup(bytes) },
  "layout": { _, bytes in
    _ = try? StoreLayout.decode(Array(bytes), path: "lintel.json")
    if let mark = try? VolumeMark.decode(ended(bytes), path: "volume") {
      precondition((try? VolumeMark.decode(mark.encoded(), path: "volume")) == mark)
    }
  },
  "audit": { _, bytes in readAuditLog(bytes) },
  "receipt": { _, bytes in
    _ = try? ReceiptCheck.check(Array(bytes))
    _ = try? ReceiptCheck.check(signed(bytes))
  },
]

/// The text with the line behind it that says its checksum.
func ended(_ text: some Sequence<UInt8>) -> [UInt8] {
  let text = Array(text)
  return text + Array("end \(ManifestCodec.hex(Checksum.crc32c(text)))\n".utf8)
}

/// Verifies a backup with this listing, whose files hold the same bytes again.
private func verifyBackup(_ bytes: UnsafeRawBufferPointer) {
  let text = ended(bytes)
  var files = ["/b/000000000001/backup.listing": text, "/b/000000000002/backup.listing": Array(bytes)]
  if let listing = try? BackupListing(decoding: text, path: "listing") {
    for file in listing.files.prefix(50) { files["/b/000000000001/\(file.name)"] = Array(bytes) }
  }
  let disk = MemoryFiles(files)
  let found = try? Backups("/b", fileSystem: disk).list()
  precondition(found.map { $0.count == 2 } ?? true)
  _ = try? Backups.verify("/b/000000000001", fileSystem: disk)
  let log = LogCut(
    name: "wal", file: MemoryFile(Array(bytes)), shard: 0, segment: 1, size: bytes.count, isLast: bytes.count % 2 == 0)
  _ = try? log.isStarted()
  if let kept = try? log.examine() { precondition(kept.bytes <= bytes.count) }
}

/// Lines of the input as they are, and as lines of a chain that holds.
private func readAuditLog(_ bytes: UnsafeRawBufferPointer) {
  var chain: [UInt8] = []
  var previous = AuditLog.origin
  for line in bytes.split(separator: 10) {
    let text = String(decoding: line, as: UTF8.self)
    previous = AuditLog.hash(previous, text)
    chain += Array("\(text) \(previous)\n".utf8)
  }
  for log in [chain, Array(bytes)] {
    guard let tail = try? AuditLog.tail("/log", MemoryFiles(["/log": log])) else { continue }
    precondition(tail.length <= log.count)
    let again = try? AuditLog.tail("/log", MemoryFiles(["/log": Array(log.prefix(tail.length))]))
    precondition(again == tail)
  }
}

/// The input as the text of a receipt that is signed.
private func signed(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
  let text = Array(bytes.prefix { $0 != 10 })
  guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: [UInt8](repeating: 7, count: 32)),
    let signature = try? key.signature(for: text)
  else { return [] }
  let end = "{\"algorithm\":\"ed25519\",\"public_key\":\"\(AuditLog.hex(key.publicKey.rawRepresentation))\","
    + "\"signature\":\"\(AuditLog.hex(signature))\"}"
  return text + [10] + Array(end.utf8) + Array(bytes.dropFirst(text.count).prefix(200)) + [10]
}
