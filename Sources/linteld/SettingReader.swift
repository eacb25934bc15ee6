#if Server
  internal import Glibc
  internal import LintelServer

  /// Reads one setting from its flag or, without one, from the environment: `--max-body` is `LINTEL_MAX_BODY` there.
  struct SettingReader {
    var environment: [String: String]

    func text(_ name: String, _ flag: String?) -> String? {
      let variable = "LINTEL_" + name.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
      guard let value = flag ?? environment[variable], !value.isEmpty else { return nil }
      return value
    }

    func address(_ name: String, _ flag: String?) throws(UsageError) -> ListenAddress? {
      guard let text = text(name, flag) else { return nil }
      guard let address = ListenAddress(text) else {
        throw UsageError(message: "--\(name) is \(text): write HOST:PORT, such as 127.0.0.1:4318")
      }
      return address
    }

    func count(_ name: String, _ flag: String?) throws(UsageError) -> Int? {
      guard let text = text(name, flag) else { return nil }
      guard let count = Int(text), (1...1_000_000).contains(count) else {
        throw UsageError(message: "--\(name) is \(text): it must be a number from 1 to 1000000")
      }
      return count
    }

    func seconds(_ name: String, _ flag: String?) throws(UsageError) -> Double? {
      guard let text = text(name, flag) else { return nil }
      guard let seconds = Double(text), seconds > 0, seconds <= 86_400 else {
        throw UsageError(message: "--\(name) is \(text): it must be a number of seconds, at most 86400")
      }
      return seconds
    }

    func flag(_ name: String, _ isSet: Bool) throws(UsageError) -> Bool {
      guard !isSet, let text = text(name, nil) else { return isSet }
      switch text.lowercased() {
      case "1", "true", "yes": return true
      case "0", "false", "no": return false
      default: throw UsageError(message: "--\(name) is \(text) in the environment: it must be true or false")
      }
    }

    /// A number of bytes: `1048576`, `1MiB`, `1M`, `2GiB`.
    func size(_ name: String, _ flag: String?, orZero: Bool = false) throws(UsageError) -> Int? {
      guard let text = text(name, flag) else { return nil }
      let digits = text.prefix { $0.isASCII && $0.isNumber }
      let shift: Int? =
        switch text.dropFirst(digits.count).lowercased() {
        case "", "b": 0
        case "k", "kb", "kib": 10
        case "m", "mb", "mib": 20
        case "g", "gb", "gib": 30
        default: nil
        }
      guard let shift, let number = Int(digits), number > 0 || orZero, number <= (1 << 40) >> shift else {
        throw UsageError(message: "--\(name) is \(text): write a number of bytes, such as 16777216 or 16MiB")
      }
      return number << shift
    }
  }

  /// The variables this process was started with.
  enum Environment {
    static var current: [String: String] {
      var variables: [String: String] = [:]
      var entry = environ
      while let text = entry.pointee {
        let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
        entry += 1
      }
      return variables
    }
  }
#endif
