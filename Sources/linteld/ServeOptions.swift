#if Server
  internal import ArgumentParser

  /// The flags of `linteld serve`, as typed. ``ServeSettings`` gives them their meaning.
  struct ServeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The directory of the store; made if it doesn't exist.", valueName: "dir"))
    var data: String?
    @Option(help: ArgumentHelp("Where OTLP over HTTP is taken. (default: 127.0.0.1:4318)", valueName: "host:port"))
    var otlpHttp: String?
    @Option(help: ArgumentHelp("Where queries are answered. (default: 127.0.0.1:4320)", valueName: "host:port"))
    var api: String?
    @Option(
      help: ArgumentHelp("Tokens that requests must bring, with their scopes; chmod 600.", valueName: "file"))
    var tokenFile: String?
    @Option(help: ArgumentHelp("The server's certificate, in PEM: both ports speak TLS then.", valueName: "file"))
    var tlsCertificate: String?
    @Option(help: ArgumentHelp("The certificate's key, in PEM; chmod 600.", valueName: "file"))
    var tlsKey: String?
    @Flag(
      help: "Serve without tokens where other machines reach the ports: whoever does may read and write everything.")
    var allowAnyone = false
    @Option(help: "What is logged: trace, debug, info, notice, warning, error or critical. (default: info)")
    var logLevel: String?

    @Option(
      help: ArgumentHelp(
        "What a string that isn't UTF-8 costs: reject-request or reject-span. (default: reject-request)",
        valueName: "what"))
    var invalidText: String?
    @Option(help: ArgumentHelp("Largest request body as sent. (default: 64MiB)", valueName: "size"))
    var maxBody: String?
    @Option(help: ArgumentHelp("Largest request body after decompression. (default: 64MiB)", valueName: "size"))
    var maxExpandedBody: String?
    @Option(help: ArgumentHelp("All request bodies under way together. (default: 160MiB)", valueName: "size"))
    var maxInFlight: String?
    @Option(help: ArgumentHelp("Exports under way at one time. (default: 256)", valueName: "n"))
    var maxExports: String?
    @Option(help: ArgumentHelp("Queries running at one time. (default: 16)", valueName: "n"))
    var maxQueries: String?
    @Option(help: ArgumentHelp("Largest answer to a query. (default: 256MiB)", valueName: "size"))
    var maxAnswer: String?
    @Option(help: ArgumentHelp("Open connections on each port. (default: 4096)", valueName: "n"))
    var maxConnections: String?
    @Option(help: ArgumentHelp("Time for a body to arrive. (default: 30)", valueName: "seconds"))
    var bodyTimeout: String?
    @Option(help: ArgumentHelp("Time a connection may be without a request. (default: 75)", valueName: "seconds"))
    var idleTimeout: String?
    @Option(help: ArgumentHelp("Longest time a query may take. (default: 120)", valueName: "seconds"))
    var queryTimeout: String?
    @Option(help: ArgumentHelp("Memory one query may use. (default: 1GiB)", valueName: "size"))
    var queryMemory: String?
    @Option(
      help: ArgumentHelp("Where queries put what memory can't hold. (default: spill in --data)", valueName: "dir"))
    var spillDirectory: String?
    @Option(
      help: ArgumentHelp(
        "Memory of a query from which on. (default: half of --query-memory)", valueName: "size"))
    var spillAfter: String?
    @Option(help: ArgumentHelp("What all queries may put there; 0: nothing. (default: 16GiB)", valueName: "size"))
    var spillLimit: String?
    @Option(help: ArgumentHelp("Memory for groups of parts that queries have counted. (default: 0)", valueName: "size"))
    var queryCache: String?
    @Option(help: ArgumentHelp("Memory for spans that aren't in parts yet. (default: 256MiB)", valueName: "size"))
    var writeMemory: String?
    @Option(help: ArgumentHelp("Memory for parts' dictionaries and blocks. (default: 384MiB)", valueName: "size"))
    var cache: String?
    @Option(
      help: ArgumentHelp(
        "Bytes a second of stored spans that are read again to find damage; 0: none. (default: 4MiB)",
        valueName: "size"))
    var scrubRate: String?
    @Option(
      help: ArgumentHelp(
        "Largest file of spans that merges make, which is what an erasure writes anew. (default: 2GiB)",
        valueName: "size"))
    var partSize: String?
    @Option(
      help: ArgumentHelp(
        "How long spans are kept: 90d, or acme=30d for one organisation; several separated by commas. (default: for good)",
        valueName: "times"))
    var retention: String?
    @Option(
      help: ArgumentHelp(
        "How long what spans say is kept (inputs, outputs, tools' results), written likewise. (default: as spans)",
        valueName: "times"))
    var contentRetention: String?
    @Option(
      help: ArgumentHelp(
        "Where spans lie that are older than --warm-after; made if it doesn't exist. (default: none are warm)",
        valueName: "dir"))
    var warm: String?
    @Option(help: ArgumentHelp("Age from which on they do. (default: 7d)", valueName: "time"))
    var warmAfter: String?
    @Option(
      help: ArgumentHelp(
        "Where spans lie that are older than --cold-after; made if it doesn't exist. (default: none are cold)",
        valueName: "dir"))
    var cold: String?
    @Option(help: ArgumentHelp("Age from which on they do. (default: 90d)", valueName: "time"))
    var coldAfter: String?
    @Option(
      help: ArgumentHelp(
        "The oldest spans leave the volume of --data early while it has less free; 0: none do. (default: 0)",
        valueName: "size"))
    var hotFree: String?
    @Option(help: ArgumentHelp("Bytes a second that such moves read and write. (default: 32MiB)", valueName: "size"))
    var moveRate: String?
    @Flag(help: "Answer exports before they are on disk: faster, and a power cut may lose the last moments.")
    var buffered = false
    @Option(help: ArgumentHelp("Threads that move bytes of connections. (default: 2)", valueName: "n"))
    var eventThreads: String?
    @Option(help: ArgumentHelp("Threads that decode requests. (default: 2)", valueName: "n"))
    var decodeThreads: String?
  }
#endif
