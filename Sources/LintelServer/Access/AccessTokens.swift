#if Server
  internal import Crypto

  /// What the bearer of a token may do.
  public enum AccessScope: String, Sendable, Hashable, CaseIterable {
    /// Send spans.
    case ingest
    /// Ask, export, and see metrics.
    case query
    /// What ``query`` may, and the statements that change the store or make it work: OPTIMIZE, FLUSH, CHECK.
    case admin

    /// Whether a token of this scope does where `other` is asked for.
    func covers(_ other: AccessScope) -> Bool { self == other || (self == .admin && other == .query) }
  }

  /// Who may do what: the tokens that the server knows, each with its scopes.
  ///
  ///     # scopes        token
  ///     ingest          collector-1-bT3mNq0f7w
  ///     query,admin     operator-9mW2xk4dQe
  ///
  /// A line each: scopes with commas between them, spaces, the token. Empty lines and lines that begin with `#` say nothing.
  public struct AccessTokens: Sendable, Hashable {
    /// Only digests are kept: the tokens themselves are in no memory dump, and comparing takes the same time whatever was
    /// guessed right.
    private struct Entry: Sendable, Hashable {
      let digest: SHA256Digest
      let scopes: Set<AccessScope>
    }

    static let minimumLength = 16
    static let maximumLength = 512
    private static let maximumFileBytes = 1 << 20

    private let entries: [Entry]

    public var count: Int { entries.count }

    /// Reads a file that only its owner may read.
    ///
    /// - Throws: ``ServerError/Code/invalidConfiguration``; the message names the line, never what stands there.
    public init(path: String) throws(ServerError) {
      try self.init(try PrivateFile.read(path, limit: Self.maximumFileBytes), path: path)
    }

    init(_ bytes: [UInt8], path: String) throws(ServerError) {
      var entries: [Entry] = []
      let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() {
        let words = line.split { " \t\r".utf8.contains($0) }
        guard let first = words.first, first.first != UInt8(ascii: "#") else { continue }
        func wrong(_ what: String) -> ServerError {
          ServerError(.invalidConfiguration, "\(path), line \(index + 1): \(what)")
        }
        guard words.count == 2 else { throw wrong("write scopes, a space and a token: ingest,query TOKEN") }
        var scopes: Set<AccessScope> = []
        for name in first.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
          guard let scope = AccessScope(rawValue: String(decoding: name, as: UTF8.self)) else {
            throw wrong("scopes are \(AccessScope.allCases.map(\.rawValue).joined(separator: ", "))")
          }
          scopes.insert(scope)
        }
        let token = words[1]
        guard (Self.minimumLength...Self.maximumLength).contains(token.count), token.allSatisfy(Self.isAllowed) else {
          throw wrong("a token is \(Self.minimumLength) to \(Self.maximumLength) letters, digits or any of -._~+/=")
        }
        entries.append(Entry(digest: SHA256.hash(data: Array(token)), scopes: scopes))
      }
      guard !entries.isEmpty else { throw ServerError(.invalidConfiguration, "\(path) has no token in it") }
      self.entries = entries
    }

    /// The characters of RFC 6750.
    private static func isAllowed(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: "-._~+/=".utf8.contains(byte)
      }
    }

    /// The scopes of a token; `nil` when nobody has it. Every entry is looked at, and each comparison of digests takes the
    /// same time, so that how long it takes tells nothing about the tokens.
    func scopes(of token: some Collection<UInt8>) -> Set<AccessScope>? {
      let digest = SHA256.hash(data: Array(token))
      var found: Set<AccessScope>?
      for entry in entries where entry.digest == digest { found = (found ?? []).union(entry.scopes) }
      return found
    }
  }
#endif
