import Testing

@testable import spanql

@Suite struct CompletionTests {
  private let completion: Completion = {
    var completion = Completion()
    completion.keywords = ["SELECT", "FROM", "WHERE", "SHOW"]
    completion.functions = ["count", "count_if", "quantile"]
    completion.tables = ["spans", "scores"]
    completion.columns = ["service_name", "start_time", "status", "status_message"]
    completion.attributes = ["gen_ai.request.model", "gen_ai.system", "http.route"]
    return completion
  }()

  @Test(
    arguments: [
      ("SEL", .replace(count: 3, with: "SELECT ")), ("sel", .replace(count: 3, with: "select ")),
      ("SELECT serv", .replace(count: 4, with: "service_name ")),
      ("SELECT quan", .replace(count: 4, with: "quantile(")),
      ("SELECT stat", .replace(count: 4, with: "status")), ("SELECT status", .choose(["status", "status_message"])),
      ("SELECT count", .choose(["count(", "count_if("])), ("SELECT xyz", .nothing), ("", .nothing),
      ("SELECT ", .nothing),
      ("SELECT * FROM ", .replace(count: 0, with: "s")), ("SELECT * FROM sp", .replace(count: 2, with: "spans ")),
      ("WHERE attributes['ht", .replace(count: 2, with: "http.route']")),
      ("WHERE attributes['gen", .replace(count: 3, with: "gen_ai.")),
      ("WHERE attributes['gen_ai.", .choose(["gen_ai.request.model']", "gen_ai.system']"])),
      ("SELECT attr", .replace(count: 4, with: "attributes['")), (".mo", .replace(count: 3, with: ".mode ")),
      (".mode v", .replace(count: 1, with: "vertical ")), (".timer o", .choose(["off", "on"])),
    ] as [(String, Completion.Answer)])
  func answers(_ line: String, _ expected: Completion.Answer) {
    #expect(completion.answer(line) == expected)
  }

  @Test func columnsFillTheWidth() {
    #expect(Completion.inColumns(["a", "b", "c"], width: 7) == "a  c  \nb  \n")
    #expect(Completion.inColumns(["日本", "b"], width: 80) == "日本  b     \n")
    #expect(Completion.inColumns(["long", "longer"], width: 1) == "long    \nlonger  \n")
  }
}
