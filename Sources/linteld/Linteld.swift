#if Server
  internal import ArgumentParser

  /// The command line of the server.
  @main
  struct Linteld: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "linteld",
      abstract: "Receives trace spans over OTLP, stores them in columns, answers SpanQL.",
      subcommands: [Serve.self, BackupCommand.self, RestoreCommand.self, VerifyReceipt.self])
  }
#else
  /// Stands in for the server in a build without it.
  @main
  enum Linteld {
    static func main() { print("linteld was built without its server: use swift build --traits Server") }
  }
#endif
