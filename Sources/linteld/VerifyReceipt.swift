#if Server
  internal import ArgumentParser
  internal import Glibc
  internal import LintelStorage

  /// `linteld verify-receipt FILE`: whether an erasure's receipt is what was signed.
  struct VerifyReceipt: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "verify-receipt",
      abstract: "Check the signature of an erasure's receipt.",
      discussion: """
        Needs nothing but the file. Without --public-key it says which key signed; that it is the server's has to be known
        from elsewhere. Exit status: 0 when the signature is right, 1 when it isn't.
        """)

    @Argument(help: "The receipt.")
    var file: String
    @Option(help: ArgumentHelp("The key that must have signed, 64 hexadecimal digits.", valueName: "hex"))
    var publicKey: String?

    func run() throws {
      do throws(StorageError) {
        let bytes = try PosixFileSystem().readAll(file, limit: 256 << 20)
        let sound = try ReceiptCheck.check(bytes, publicKey: publicKey)
        Console.say("valid: signed with \(sound.publicKey)", to: STDOUT_FILENO)
        Console.say(sound.text, to: STDOUT_FILENO)
      } catch {
        Console.say("linteld: \(file): \(error.message)", to: STDERR_FILENO)
        throw ExitCode(1)
      }
    }
  }
#endif
