#if Server
  internal import NIOHTTP1
  internal import Synchronization

  /// Lets requests in by their `Authorization: Bearer` header. Without tokens everybody may do everything.
  final class Gatekeeper: Sendable {
    private let tokens: Mutex<AccessTokens?>

    init(_ tokens: AccessTokens?) { self.tokens = Mutex(tokens) }

    /// From now on these count; requests under way go on.
    func replace(_ tokens: AccessTokens) { self.tokens.withLock { $0 = tokens } }

    /// Whether a request says who it is from, or needn't.
    func allows(_ scope: AccessScope, _ head: HTTPRequestHead) -> Bool {
      do throws(HTTPProblem) { try check(scope, head) } catch { return false }
      return true
    }

    /// - Throws: 401 for a request without a token that is known, 403 where its token is for something else.
    func check(_ scope: AccessScope, _ head: HTTPRequestHead) throws(HTTPProblem) {
      guard let tokens = tokens.withLock({ $0 }) else { return }
      guard let token = Self.bearer(head) else {
        throw Self.unauthorized("send a token: Authorization: Bearer TOKEN", "")
      }
      guard let scopes = tokens.scopes(of: token) else {
        throw Self.unauthorized("the token is not known here", ", error=\"invalid_token\"")
      }
      guard scopes.contains(where: { $0.covers(scope) }) else {
        throw HTTPProblem(
          .forbidden, "this needs a token with the scope '\(scope.rawValue)', which the one sent doesn't have",
          headers: [("www-authenticate", Self.challenge + ", error=\"insufficient_scope\"")])
      }
    }

    private static let challenge = "Bearer realm=\"lintel\""

    private static func unauthorized(_ message: String, _ parameters: String) -> HTTPProblem {
      HTTPProblem(.unauthorized, message, headers: [("www-authenticate", challenge + parameters)])
    }

    /// The token of the one `Authorization` header.
    private static func bearer(_ head: HTTPRequestHead) -> Substring.UTF8View? {
      let values = head.headers["authorization"]
      guard values.count == 1, let value = values.first else { return nil }
      let words = value.split { $0 == " " || $0 == "\t" }
      guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
      return words[1].utf8
    }
  }
#endif
