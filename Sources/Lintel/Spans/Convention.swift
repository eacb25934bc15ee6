public import LintelColumns

/// A canonical column of the spans table and the attributes that can fill it, the preferred one first.
public struct Convention: Sendable {
  /// Name of the column.
  public let column: String
  /// In order of precedence: the first that a span has, with a value that can be read, wins.
  public let candidates: [Candidate]

  init(_ column: String, _ candidates: [Candidate]) {
    self.column = column
    self.candidates = candidates
  }

  /// One attribute that can fill a column.
  public struct Candidate: Sendable {
    public let key: String
    public let list: List
    public let reading: Reading

    /// The ways in which a value of this attribute may be moved into the column: the value leaves the attribute list and
    /// is rebuilt from the column. Where none fits, the column is filled and the attribute stays as well.
    public var conversions: [AttributeConversion] {
      switch reading {
      case .text, .provider, .named: [.string]
      case .textOrFirst: [.string, .singleton]
      case .count: [.int, .double]
      case .seconds: [.seconds]
      case .milliseconds: [.milliseconds]
      case .usd: [.usd]
      case .openInferenceKind: [.openInferenceKind]
      }
    }
  }

  /// Where an attribute stands.
  public enum List: String, Sendable {
    case span = "attributes"
    case resource = "resource_attributes"
  }

  /// How an attribute's value becomes the column's.
  public enum Reading: Sendable, Hashable {
    /// A string that isn't empty, as it is.
    case text
    /// As `text`; of an array, the first string.
    case textOrFirst
    /// A whole number in `0 ..< 2^32`, sent as an integer or as a double.
    case count
    /// A time in seconds or milliseconds, for a column of nanoseconds.
    case seconds
    case milliseconds
    /// US dollars, for a column of nano-USD.
    case usd
    /// OpenInference's span kinds, see ``Conventions/openInferenceKinds``.
    case openInferenceKind
    /// A provider's name; aliases are replaced, see ``Conventions/providerAliases``.
    case provider
    /// Only the listed values count, each standing for an operation.
    case named([String: String])
  }
}

extension Convention.Candidate {
  static func text(_ key: String) -> Self { Self(key: key, list: .span, reading: .text) }
  static func resource(_ key: String) -> Self { Self(key: key, list: .resource, reading: .text) }
  static func textOrFirst(_ key: String) -> Self { Self(key: key, list: .span, reading: .textOrFirst) }
  static func count(_ key: String) -> Self { Self(key: key, list: .span, reading: .count) }
  static func seconds(_ key: String) -> Self { Self(key: key, list: .span, reading: .seconds) }
  static func milliseconds(_ key: String) -> Self { Self(key: key, list: .span, reading: .milliseconds) }
  static func usd(_ key: String) -> Self { Self(key: key, list: .span, reading: .usd) }
  static func provider(_ key: String) -> Self { Self(key: key, list: .span, reading: .provider) }
  static func openInferenceKind(_ key: String) -> Self { Self(key: key, list: .span, reading: .openInferenceKind) }
  static func named(_ key: String, _ names: [String: String]) -> Self {
    Self(key: key, list: .span, reading: .named(names))
  }
}
