internal import LintelSimulation

/// Goes through simulated crashes and failures of the store: see `tools/simulate --help`.
@main
enum Simulate {
  private static let usage = """
    lintel-simulate [--states N] [--seed N] [--jobs N]     so many states of all scenarios (100,000)
    lintel-simulate --skip-sync [N|all] [--states N]       on a device that ignores the syncs of a place in the engine:
                                                           what is lost then; without N, a list of the places
    lintel-simulate --flip                                 every byte of a small store's files, flipped one by one
    lintel-simulate --run 'scenario=.. seed=.. ..'         one run again, as a finding prints it
    """

  static func main() {
    var options: [String: String] = [:]
    var arguments = CommandLine.arguments.dropFirst()
    while let name = arguments.popFirst() {
      if arguments.first?.hasPrefix("--") ?? true { options[name] = "" } else { options[name] = arguments.popFirst() }
    }
    let known: Set = ["--states", "--seed", "--jobs", "--skip-sync", "--flip", "--run"]
    guard options.keys.allSatisfy(known.contains) else { return exit(usage, failed: true) }
    func number(_ name: String, _ standard: Int) -> Int { options[name].flatMap { Int($0) } ?? standard }
    let seed = UInt64(max(0, number("--seed", 1)))
    let jobs = number("--jobs", 1)
    if let text = options["--run"] {
      repeatRun(text)
    } else if options["--flip"] != nil {
      flip(seed: seed)
    } else if let site = options["--skip-sync"] {
      skipSyncs(site, states: number("--states", 2000), seed: seed, jobs: jobs)
    } else {
      walk(states: number("--states", 100_000), seed: seed, jobs: jobs)
    }
  }

  private static func walk(states: Int, seed: UInt64, jobs: Int) {
    var walk = SimulationWalk(jobs: jobs)
    walk.run(states: states, seed: seed) { print("\($0.states) states") }
    print(table(walk.counts))
    for finding in walk.findings { print(finding) }
    func count(_ kind: StoreScenario.Wrong.Kind) -> Int { walk.findings.count { $0.wrong.kind == kind } }
    print(
      "\(walk.states) states: \(count(.lost)) lost, \(count(.duplicated)) duplicated, \(count(.resurrected)) resurrected, "
        + "\(count(.unopenable)) unopenable, \(count(.unreadable) + count(.other)) otherwise wrong")
    if !walk.findings.isEmpty { exit("seed \(seed)", failed: true) }
  }

  /// Scenarios by variant.
  private static func table(_ counts: [SimulationWalk.Key: Int]) -> String {
    counts.sorted { $0.key < $1.key }.map { key, count in
      let name = "\(key.scenario) / \(key.variant)"
      return name + String(repeating: " ", count: max(1, 44 - name.utf8.count)) + "\(count)"
    }.joined(separator: "\n")
  }

  private static func skipSyncs(_ text: String, states: Int, seed: UInt64, jobs: Int) {
    let sites = SyncSites.find()
    let chosen = Int(text).map { [$0] } ?? Array(sites.sites.indices)
    var missed: [Int] = []
    for number in chosen where sites.sites.indices.contains(number) {
      guard !text.isEmpty else {
        print("\(number): \(sites.sites[number])")
        continue
      }
      var walk = SimulationWalk(sites: sites, skippedSite: number, jobs: jobs)
      walk.run(states: states, seed: seed)
      if walk.findings.isEmpty { missed.append(number) }
      let found = walk.findings.first.map { "found after \(walk.states) states: \($0)" } ?? "no loss in \(walk.states)"
      print("\(number): \(sites.sites[number]): \(found)")
    }
    if text.isEmpty { return }
    print("\(chosen.count) places, the loss is found for \(chosen.count - missed.count)")
    if !missed.isEmpty { exit("nothing was lost without the syncs of \(missed)", failed: true) }
  }

  private static func flip(seed: UInt64) {
    var walk = FlipWalk()
    walk.run(stride: 1, seed: seed)
    for finding in walk.findings.prefix(20) { print(finding) }
    print("\(walk.flips) flips: \(walk.told) told, \(walk.harmless) harmless, \(walk.findings.count) wrong")
    if !walk.findings.isEmpty { exit("seed \(seed)", failed: true) }
  }

  private static func repeatRun(_ text: String) {
    guard let run = SimulatedRun(text) else { return exit("'\(text)' is no run", failed: true) }
    let verdict = run.execute(run.skippedSite == nil ? nil : SyncSites.find())
    if let wrong = verdict.wrong { return exit("\(wrong)", failed: true) }
    print("nothing is wrong")
  }
}
