#if Server
  import ArgumentParser
  import LintelQuery

  private let formats = ResultFormat.allCases.map(\.rawValue).joined(separator: ", ")

  /// The command line.
  struct Arguments: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "spanql",
      abstract: "Asks a Lintel store questions in SpanQL.",
      discussion: """
        Without -c and -f it reads statements from standard input; on a terminal, it is interactive.
        Statements end with ';'. The first one that fails ends a script.

        Exit status: 0 all right, 1 a query failed, 2 the arguments are wrong or name no store.
        """)

    @Option(
      help: ArgumentHelp("The store's directory; opened read-only, also beside a running linteld.", valueName: "dir"))
    var data: String?

    @Option(help: ArgumentHelp("A linteld to ask instead, such as http://127.0.0.1:4320.", valueName: "url"))
    var server: String?

    @Option(
      help: ArgumentHelp(
        "A file with the token that the server wants; LINTEL_TOKEN in the environment is the token itself.",
        valueName: "file"))
    var tokenFile: String?

    @Option(
      help: ArgumentHelp(
        "Certificates, in PEM, of who may vouch for an https server. Default: whom the system trusts.",
        valueName: "file"))
    var caFile: String?

    @Option(
      name: .customShort("c"), parsing: .unconditionalSingleValue,
      help: ArgumentHelp("Statements to run; may be given several times.", valueName: "query"))
    var commands: [String] = []

    @Option(
      name: .customShort("f"), parsing: .unconditionalSingleValue,
      help: ArgumentHelp("A file of statements, run after every -c; may be given several times.", valueName: "file"))
    var files: [String] = []

    @Option(
      help: ArgumentHelp("\(formats). Default: box on a terminal, else table.", valueName: "format"),
      transform: { text in
        guard let format = ResultFormat(rawValue: text.lowercased()) else {
          throw ValidationError("There is no format \(text): give one of \(formats).")
        }
        return format
      })
    var format: ResultFormat?

    @Option(help: ArgumentHelp("Give a query up after so many seconds.", valueName: "seconds"))
    var timeout: Double?

    func validate() throws {
      switch (data, server) {
      case (nil, nil): throw ValidationError("Give --data DIR or --server URL.")
      case (.some, .some): throw ValidationError("Give either --data or --server, not both.")
      default: break
      }
      if let timeout, !(timeout > 0 && timeout <= 1_000_000) {
        throw ValidationError("--timeout takes seconds above 0.")
      }
    }
  }
#endif
