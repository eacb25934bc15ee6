#if canImport(Glibc)
  import Glibc
#endif

#if Server
  import ArgumentParser
#endif

/// Where the shell starts: reads the arguments and says with which status it ends.
@main
struct Spanql {
  static func main() {
    #if Server
      let arguments: Arguments
      do {
        arguments = try Arguments.parse()
      } catch {
        let isAnswer = Arguments.exitCode(for: error) == .success
        let text = Arguments.fullMessage(for: error)
        if isAnswer { StandardStreams.output(text + "\n") } else { StandardStreams.error(text + "\n") }
        exit((isAnswer ? ExitStatus.success : .usage).rawValue)
      }
      exit(Launch(arguments).run().rawValue)
    #else
      StandardStreams.error("spanql was built without the package trait Server: swift build --traits Server\n")
      exit(ExitStatus.usage.rawValue)
    #endif
  }
}

/// What the caller learns from the status.
enum ExitStatus: Int32 {
  case success = 0
  /// A query failed; the message is on standard error.
  case queryFailed = 1
  /// The arguments make no sense, or name no store.
  case usage = 2
  /// Ctrl-C stopped a script.
  case interrupted = 130
}
