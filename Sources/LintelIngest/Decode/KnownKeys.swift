internal import Lintel
internal import LintelColumns

/// The conventions, compiled for the decoder: attribute keys by their bytes, each with what is to be done with it.
///
/// One instance for the process. Its texts lie in memory that is never freed, so that slices of it are good for ever;
/// nothing changes after `init`, which is why the class may call itself Sendable.
final class KnownKeys: @unchecked Sendable {
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
  let table: DictionaryBuilder
  let spanRules: [Rule]
  let resourceRules: [Rule]
  /// Rank among ``Conventions/userKeys``; `notUser` for all other keys.
  let userRanks: [UInt8]
  let userHash: UInt32
  /// Per key: the texts that stand for another (`named` readings).
  let names: [Translation]
  let providers: Translation
  let kinds: Translation
  /// How many conventions, the first ones, can be filled from the resource as well.
  let identityCount: Int

  /// Texts that stand for others.
  struct Translation {
    private var table = DictionaryBuilder()
    private var targets: [WireSlice] = []

    init(_ pairs: [(String, String)]) {
      for (from, to) in pairs {
        var from = from
        from.withUTF8 { _ = table.code(for: UnsafeRawBufferPointer($0)) }
        targets.append(KnownKeys.permanent(to))
      }
    }

    /// What `text` stands for.
    func target(of text: WireSlice) -> WireSlice? { table.existingCode(for: text).map { targets[Int($0)] } }
  }

  static let notUser = UInt8.max

  private init() {
    var table = DictionaryBuilder()
    func number(_ key: String) -> Int { Int(table.code(for: Self.permanent(key))) }
    for convention in Conventions.table { for candidate in convention.candidates { _ = number(candidate.key) } }
    for key in Conventions.userKeys { _ = number(key) }
    var spanRules = [Rule](repeating: Rule(), count: table.count)
    var resourceRules = spanRules
    var userRanks = [UInt8](repeating: Self.notUser, count: table.count)
    var names = [Translation](repeating: Translation([]), count: table.count)
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
          names[key] = Translation(values.map { ($0.key, $0.value) })
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
    providers = Translation(Conventions.providerAliases.map { ($0.key, $0.value) })
    kinds = Translation(Conventions.openInferenceKinds.map { ($0.kind, $0.operation) })
    identityCount = Conventions.table.prefix { $0.candidates.contains { $0.list == .resource } }.count
  }

  /// A copy of `text` that lives as long as the process.
  private static func permanent(_ text: String) -> WireSlice {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, text.utf8.count), alignment: 1)
    copy.copyBytes(from: text.utf8)
    return WireSlice(rebasing: copy[..<text.utf8.count])
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
