import Testing

@testable import spanql

#if canImport(Glibc)
  import Glibc
#endif

/// The shell from outside: arguments in, exit status and streams out.
@Suite(.enabled(if: ShellRun.isBuilt), .serialized) struct ScriptedShellTests {
  private let directory = TemporaryDirectory()
  private var data: String { directory.path + "/data" }

  init() async throws { try await SampleStore.make(at: directory.path + "/data") }

  private func run(_ arguments: String..., input: String = "") -> ShellRun {
    ShellRun(["--data", data] + arguments, input: input, in: directory.path)
  }

  @Test func aQueryAnswersOnStandardOutputAlone() {
    #expect(
      run("-c", "SELECT count(*) AS n, min(duration) AS least FROM spans")
        == ShellRun(status: 0, output: " n  least\n--  -----\n20   0 ns\n", errors: ""))
  }

  @Test func everyFormatCanBeAskedFor() {
    let query = "SELECT count(*) AS n, max(duration) AS d FROM spans"
    func output(_ format: String) -> String { run("--format", format, "-c", query).output }
    #expect(output("csv") == "n,d\n20,28500000\n")
    #expect(output("tsv") == "n\td\n20\t28500000\n")
    #expect(output("jsonlines") == "{\"n\":20,\"d\":28500000}\n")
    #expect(output("table") == " n        d\n--  -------\n20  28.5 ms\n")
    #expect(output("markdown") == "|   n |       d |\n| --: | ------: |\n|  20 | 28.5 ms |\n")
    #expect(output("box").hasPrefix("┌────┬─────────┐\n"))
    #expect(output("vertical").hasSuffix("n  20\nd  28.5 ms\n"))
    #expect(
      output("json").hasPrefix(
        "{\"columns\":[{\"name\":\"n\",\"type\":\"int64\"},{\"name\":\"d\",\"type\":\"duration\"}],"
          + "\"rows\":[\n[20,28500000]\n],\"statistics\":{\"elapsed_ms\":"))
  }

  @Test func statementsRunInOrderAndTheFirstErrorEndsThem() {
    let run = run(
      "-c", "SELECT 1 AS a; SELECT 2 AS b", "-c", "SELECT nme FROM spans", "-c", "SELECT 3", "--format", "csv")
    #expect(run.status == 1)
    #expect(run.output == "a\n1\nb\n2\n")
    #expect(run.errors.contains("SELECT nme FROM spans\n") && run.errors.contains("       ^"))
    #expect(run.errors.contains("did you mean name?"))
  }

  @Test func filesAndPipesAreRead() {
    directory.write("-- a; comment\nSELECT ';' AS a;\n.mode csv\nSELECT 2\n  AS b", to: "x.sql")
    #expect(run("-f", directory.path + "/x.sql").output == "a\n-\n;\nb\n2\n")
    #expect(run("--format", "csv", input: "SELECT 1 AS a;\nSELECT 2 AS b").output == "a\n1\nb\n2\n")
    let failing = run("--format", "csv", input: "SELECT 1 AS a;\n\nSELECT\n x y z;\nSELECT 2;")
    #expect(failing.status == 1 && failing.output == "a\n1\n" && failing.errors.contains("line 3"))
    #expect(run("-f", "/nowhere").status == 1)
    #expect(run(input: "").status == 0)
  }

  @Test func dotCommandsWorkInScripts() {
    let other = directory.path + "/out.csv"
    let run = run(
      input: ".mode csv\n.output \(other)\nSELECT 1 AS a;\n.output stdout\nSELECT 2 AS b;\n.quit\nSELECT 3;")
    #expect(run == ShellRun(status: 0, output: "b\n2\n", errors: ""))
    #expect(directory.read("out.csv") == "a\n1\n")
    directory.write("SELECT 1 AS a;\n.read inner.sql", to: "outer.sql")
    directory.write(".mode csv\nSELECT 2 AS b;", to: "inner.sql")
    #expect(self.run(input: ".mode csv\n.read outer.sql\n").output == "a\n1\nb\n2\n")
    directory.write(".read loop.sql", to: "loop.sql")
    #expect(self.run(input: ".read loop.sql").status == 1)
    #expect(
      self.run(input: ".nonsense\nSELECT 1;")
        == ShellRun(
          status: 1, output: "", errors: "error: there is no command .nonsense; .help lists them\n"))
    #expect(self.run(input: ".tables").output.contains("spans"))
    #expect(self.run(input: ".schema").output.contains("request_model"))
    #expect(self.run(input: ".schema nosuch").errors == "error: there is no table nosuch\ntables are: spans\n")
    #expect(self.run(input: ".mode csv\n.timer on\nSELECT 1 AS a;").errors.hasPrefix("1 row in "))
  }

  @Test func wrongArgumentsAreUsage() {
    #expect(ShellRun([]).status == 2)
    #expect(ShellRun(["--data", data, "--server", "http://h"]).status == 2)
    #expect(run("--format", "xml", "-c", "SELECT 1").status == 2)
    #expect(run("--nonsense").status == 2)
    #expect(run("--timeout", "0").status == 2)
    #expect(ShellRun(["--server", "ftp://h", "-c", "SELECT 1"]).status == 2)
    let help = ShellRun(["--help"])
    #expect(help.status == 0 && help.output.contains("Exit status") && help.errors.isEmpty)
  }

  @Test func whatIsNoStoreIsNotMadeOne() {
    let missing = ShellRun(["--data", directory.path + "/nothing", "-c", "SELECT 1"])
    #expect(missing.status == 2 && missing.output.isEmpty && missing.errors.contains("No such file"))
    let empty = ShellRun(["--data", directory.path, "-c", "SELECT 1"])
    #expect(empty.status == 2 && empty.errors.contains("is not a Lintel store"))
    #expect(access(directory.path + "/lintel.json", F_OK) != 0)
  }

  @Test func aServerThatIsNotThereIsAnError() {
    let run = ShellRun(["--server", "http://127.0.0.1:1", "-c", "SELECT 1"])
    #expect(run.status == 1 && run.output.isEmpty && run.errors.contains("cannot reach http://127.0.0.1:1"))
  }

  @Test func exportWritesTheFileAtOnceAndCounts() {
    let run = run("-c", "EXPORT spans WHERE status = 'error' TO 'x.jsonl'")
    #expect(run == ShellRun(status: 0, output: "", errors: "exported 4 spans to x.jsonl\n"))
    #expect(directory.read("x.jsonl").split(separator: "\"startTimeUnixNano\":").count == 5)
    let failing = self.run("-c", "EXPORT spans TO '/nowhere/x.jsonl'")
    #expect(failing.status == 1 && failing.errors.contains("cannot write to /nowhere/x.jsonl"))
    let nowhere = self.run("-c", "EXPORT spans")
    #expect(nowhere.status == 1 && nowhere.errors.contains("which file") && nowhere.errors.contains("add TO"))
    let wrong = self.run("-c", "EXPORT spans WHERE nme = 1 TO 'y.jsonl'")
    #expect(wrong.status == 1 && directory.read("y.jsonl").isEmpty)
  }

  @Test func anIncompleteExportFails() throws {
    let name = try #require(directory.files(in: "data/hot").first)
    directory.damage("data/hot/" + name)
    let run = run("-c", "EXPORT spans TO 'x.jsonl'", "-c", "SELECT 1")
    #expect(run.status == 1 && run.output.isEmpty)
    #expect(run.errors.contains("warning: ") && run.errors.contains(name))
    #expect(run.errors.contains("error: the export is not complete"))
    #expect(access(directory.path + "/x.jsonl", F_OK) == 0)
  }

  /// The writer opens without a file that is gone, and so does who reads beside it.
  @Test func aMissingFileIsAWarning() throws {
    let name = try #require(directory.files(in: "data/hot").first)
    try #require(unlink(data + "/hot/" + name) == 0)
    let run = run("-c", "SELECT count(*) AS n FROM spans", "--format", "csv")
    #expect(run.status == 0 && run.output == "n\n0\n")
    #expect(run.errors.contains("warning: ") && run.errors.contains(name))
    #expect(self.run("-c", "SHOW PROBLEMS").output.contains(name))
  }

  @Test func terminalsAreSafeFromData() {
    let table = run("-c", "SELECT name FROM spans WHERE name ~ 'x'").output
    #expect(table.contains("chat \\x1b[31m \"x\",\\n日本") && !table.contains("\u{1B}"))
    #expect(
      run("--format", "csv", "-c", "SELECT name FROM spans WHERE name ~ 'x'").output.contains(
        "\"chat \u{1B}[31m \"\"x\"\",\n日本\""))
  }
}
