#if canImport(Glibc)
  import Glibc
#endif

#if Server
  /// Opens what the arguments name and runs what they ask for.
  struct Launch {
    private let arguments: Arguments

    init(_ arguments: Arguments) { self.arguments = arguments }

    func run() -> ExitStatus {
      Interrupts.install()
      let source: any QuerySource
      do throws(ShellError) {
        source = try open()
      } catch {
        StandardStreams.error(error.text(for: "") + "\n")
        return .usage
      }
      let isScript = !arguments.commands.isEmpty || !arguments.files.isEmpty || isatty(STDIN_FILENO) == 0
      let session = Session(source: source, format: arguments.format, isInteractive: !isScript)
      let outcome = isScript ? script(session) : InteractiveShell(session).run()
      session.close()
      return outcome
    }

    private func open() throws(ShellError) -> any QuerySource {
      if let server = arguments.server {
        let access = try ServerAccess(
          tokenFile: arguments.tokenFile, environment: getenv("LINTEL_TOKEN").map { String(cString: $0) },
          authorities: arguments.caFile)
        return ServerSource(address: try ServerAddress(server), access: access, timeoutSeconds: arguments.timeout)
      }
      let path = arguments.data ?? ""
      let seconds = arguments.timeout
      return try Foreground.run(ProgressLine("opening \(path)")) { () async throws(ShellError) in
        try await StoreSource.open(path, timeoutSeconds: seconds)
      }
    }

    private func script(_ session: Session) -> ExitStatus {
      for command in arguments.commands {
        let status = session.runScript(command)
        guard status == .success, !session.hasQuit else { return status }
      }
      for file in arguments.files {
        let status = session.runFile(file)
        guard status == .success, !session.hasQuit else { return status }
      }
      guard arguments.commands.isEmpty, arguments.files.isEmpty else { return .success }
      return session.runStandardInput()
    }
  }
#endif
