#if Server
  internal import NIOHTTP1

  /// The fields of a JSON object that a client sends. What is misspelt, or null, is refused rather than left out.
  struct RequestFields {
    private struct Key: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }

      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    private let values: KeyedDecodingContainer<Key>

    /// - Parameters:
    ///   - what: What the object is, with its article.
    ///   - names: All fields that it can have.
    ///   - outcome: What has become of the request, where it has another one.
    /// - Throws: ``HTTPProblem`` naming a field that isn't known; `DecodingError` where it is no object.
    init(_ decoder: any Decoder, of what: String, _ names: [String], _ outcome: String) throws {
      values = try decoder.container(keyedBy: Key.self)
      guard let unknown = values.allKeys.map(\.stringValue).sorted().first(where: { !names.contains($0) }) else {
        return
      }
      throw HTTPProblem(
        .badRequest,
        "\(what) has no field \"\(unknown)\": \(outcome); the fields are "
          + names.map { "\"\($0)\"" }.joined(separator: ", "))
    }

    /// `nil` where there is no such field.
    func value<T: Decodable>(_ name: String, _ type: T.Type) throws -> T? {
      let key = Key(stringValue: name)
      return values.contains(key) ? try values.decode(type, forKey: key) : nil
    }
  }
#endif
