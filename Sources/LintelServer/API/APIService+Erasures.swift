#if Server
  internal import FoundationEssentials
  internal import LintelColumns
  internal import LintelQuery
  internal import LintelStorage
  internal import NIOCore
  internal import NIOHTTP1

  /// What a client asks to erase: `{"user": "id", "org": "x", "dry_run": true}`, or `"users": ["id", ..]`.
  ///
  /// Anything else is refused, a null as well: what is misspelt or left out by mistake would erase more than was meant.
  struct ErasureRequest: Decodable {
    var users: [String]
    var org: String?
    var isDryRun: Bool

    private enum Field: String, CaseIterable {
      case user, users, org
      case isDryRun = "dry_run"
    }

    init(from decoder: any Decoder) throws {
      let fields = try RequestFields(decoder, of: "an erasure", Field.allCases.map(\.rawValue), "nothing was erased")
      let user = try fields.value(Field.user.rawValue, String.self)
      users = try (fields.value(Field.users.rawValue, [String].self) ?? []) + [user].compactMap(\.self)
      org = try fields.value(Field.org.rawValue, String.self)
      isDryRun = try fields.value(Field.isDryRun.rawValue, Bool.self) ?? false
    }

    static func parse(_ body: ByteBuffer) throws(HTTPProblem) -> LifecycleCommand {
      let request: ErasureRequest
      do {
        request = try JSONDecoder().decode(ErasureRequest.self, from: Data(body.readableBytesView))
      } catch {
        throw error as? HTTPProblem
          ?? HTTPProblem(
            .badRequest,
            "the body is not {\"user\": \"..\"} or {\"users\": [\"..\"]}, with \"org\" or without, and no nulls")
      }
      let users = request.users
      guard !users.isEmpty, users.allSatisfy({ !$0.isEmpty }), request.org != "" else {
        throw HTTPProblem(.badRequest, "an erasure needs the id of a user, and no empty names")
      }
      return .erase(users: users, organization: request.org, isDryRun: request.isDryRun)
    }
  }

  extension APIService {
    /// `POST /v1/erasures`, `GET /v1/erasures`, `GET /v1/erasures/7`, `GET /v1/erasures/7/receipt`.
    func erasures(_ request: HTTPRequest) async -> HTTPResponse {
      do throws(HTTPProblem) {
        let rest = request.head.path.dropFirst(Endpoint.erasures.rawValue.count).split(separator: "/")
        if request.head.method == .POST {
          guard rest.isEmpty else { throw HTTPProblem(.notFound, "erasures are asked for at /v1/erasures") }
          return try await erase(try ErasureRequest.parse(request.body))
        }
        guard let first = rest.first else { return Self.answer(try await lifecycle(.showErasures)) }
        guard let number = UInt64(first), rest.count == 1 || rest.count == 2 && rest[1] == "receipt" else {
          throw HTTPProblem(.notFound, "there is nothing here: GET /v1/erasures/7 or /v1/erasures/7/receipt")
        }
        return rest.count == 1 ? try await erasure(number) : try await receipt(number)
      } catch {
        return answer(error, to: request.head)
      }
    }

    private func erase(_ command: LifecycleCommand) async throws(HTTPProblem) -> HTTPResponse {
      guard case .erase(_, _, let isDryRun) = command else { throw HTTPProblem(.badRequest, "no erasure") }
      let result = try await lifecycle(command)
      // Hidden already; files follow.
      return Self.answer(result, isDryRun ? .ok : .accepted)
    }

    private func erasure(_ number: UInt64) async throws(HTTPProblem) -> HTTPResponse {
      let all = try await lifecycle(.showErasures)
      guard let column = all.columns.first?.values, case .int64(let numbers) = column.storage,
        let row = numbers.firstIndex(of: Int64(clamping: number))
      else { throw HTTPProblem(.notFound, "there is no erasure \(number)") }
      let columns = all.columns.map { column in
        QueryResult.Column(name: column.name, type: column.type, values: column.values.gather([UInt32(row)]))
      }
      return Self.answer(QueryResult(columns: columns, rowCount: 1))
    }

    private func receipt(_ number: UInt64) async throws(HTTPProblem) -> HTTPResponse {
      do throws(StorageError) {
        guard let receipt = try await backend.receipt(number) else {
          throw StorageError(.invalid, "there is no receipt of erasure \(number), or none yet")
        }
        return HTTPResponse(.ok, contentType: "application/jsonl", body: .bytes(ByteBuffer(bytes: receipt)))
      } catch {
        throw Self.problem(error, orNone: .notFound)
      }
    }

    private func lifecycle(_ command: LifecycleCommand) async throws(HTTPProblem) -> QueryResult {
      do throws(StorageError) { return try await backend.lifecycle(command) } catch {
        throw Self.problem(error, orNone: .conflict)
      }
    }

    private static func problem(_ error: StorageError, orNone status: HTTPResponseStatus) -> HTTPProblem {
      switch error.code {
      case .invalid: HTTPProblem(status, error.message)
      case .diskFull: HTTPProblem(.serviceUnavailable, "the disk is full: \(error.message)", retryAfter: 30)
      default: HTTPProblem(.serviceUnavailable, error.description, retryAfter: 30)
      }
    }

    private static func answer(_ result: QueryResult, _ status: HTTPResponseStatus = .ok) -> HTTPResponse {
      let bytes = ResultFormatter(.json).bytes(result)
      return HTTPResponse(status, contentType: "application/json", body: .bytes(ByteBuffer(bytes: bytes)))
    }
  }
#endif
