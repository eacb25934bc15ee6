internal import Lintel
internal import LintelColumns

/// The conventions, compiled for the decoder: attribute keys by their bytes, each with what is to be done with it.
final class KnownKeys: Sendable {
  static let shared = KnownKeys()

  /// What a key means in one attribute list.
  struct Rule {
    /// Which convention (column) the attribute can fill; negative for none.
    var slot: Int8 = -1
    /// Place in the convention's order; lower wins.
    var rank: UInt8 = 0
    var reading = Reading.text
    /// Number of the first of its moves in ``Conventions/moves``.
    var move: UInt8 = 0
  }

  enum Reading: UInt8 {
    case text, textOrFirst, count, seconds, milliseconds, usd, openInferenceKind, provider, named
  }

  /// Keys of the conventions and user keys; a key's number is its index in all the lists below.
  let table: ByteTable
  let spanRules: [Rule]
  let resourceRules: [Rule]
  /// Rank among ``Conventions/userKeys``; `notUser` for all other keys.
  let userRanks: [UInt8]
  let userHash: UInt32
  /// Per key: the texts that stand for another (`named` readings).
  let names: [[(from: [UInt8], to: [UInt8])]]
  let providers: ByteTable
  let providerNames: [[UInt8]]
  let kinds: ByteTable
  let kindOperations: [[UInt8]]

  static let notUser = UInt8.max

  private init() {
    var table = ByteTable()
    func number(_ key: String) -> Int { Array(key.utf8).withUnsafeBytes { Int(table.code(for: $0)) } }
    for convention in Conventions.table { for candidate in convention.candidates { _ = number(candidate.key) } }
    for key in Conventions.userKeys { _ = number(key) }
    var spanRules = [Rule](repeating: Rule(), count: table.count)
    var resourceRules = spanRules
    var userRanks = [UInt8](repeating: Self.notUser, count: table.count)
    var names = [[(from: [UInt8], to: [UInt8])]](repeating: [], count: table.count)
    var move = 0
    for (slot, convention) in Conventions.table.enumerated() {
      for (rank, candidate) in convention.candidates.enumerated() {
        let key = number(candidate.key)
        let rule = Rule(
          slot: Int8(slot), rank: UInt8(rank), reading: Self.reading(candidate.reading), move: UInt8(move))
        switch candidate.list {
        case .span: spanRules[key] = rule
        case .resource: resourceRules[key] = rule
        }
        if case .named(let values) = candidate.reading {
          names[key] = values.map { (from: Array($0.key.utf8), to: Array($0.value.utf8)) }
        }
        move += candidate.conversions.count
      }
    }
    for (rank, key) in Conventions.userKeys.enumerated() { userRanks[number(key)] = UInt8(rank) }
    userHash = UInt32(number(Conventions.userHashKey))
    self.table = table
    self.spanRules = spanRules
    self.resourceRules = resourceRules
    self.userRanks = userRanks
    self.names = names
    (providers, providerNames) = Self.dictionary(Conventions.providerAliases.map { ($0.key, $0.value) })
    (kinds, kindOperations) = Self.dictionary(Conventions.openInferenceKinds.map { ($0.kind, $0.operation) })
  }

  private static func dictionary(_ pairs: [(String, String)]) -> (ByteTable, [[UInt8]]) {
    var table = ByteTable()
    for (from, _) in pairs { Array(from.utf8).withUnsafeBytes { _ = table.code(for: $0) } }
    return (table, pairs.map { Array($0.1.utf8) })
  }

  private static func reading(_ reading: Convention.Reading) -> Reading {
    switch reading {
    case .text: .text
    case .textOrFirst: .textOrFirst
    case .count: .count
    case .seconds: .seconds
    case .milliseconds: .milliseconds
    case .usd: .usd
    case .openInferenceKind: .openInferenceKind
    case .provider: .provider
    case .named: .named
    }
  }

  var count: Int { userRanks.count }

  @inline(__always)
  func isUserKey(_ key: UInt32) -> Bool { userRanks[Int(key)] != Self.notUser }
}
