import ArgumentParser

@main
struct Command: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lintel-bench", abstract: "Makes spans and measures Lintel with them.",
    subcommands: [Generate.self, Load.self, Recover.self, Size.self, Move.self, Query.self])
}
