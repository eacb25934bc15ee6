import Testing

/// The store on a disk that crashes, lies and fails at any call, in an order that a seed decides. A failure prints the
/// command that does it again; `LINTEL_STATES` sets how many states are gone through, `tools/simulate` does many quickly.
@Suite(.serialized) struct StoreCrashTests {
  @Test(arguments: StoreScenario.crashing)
  func theScenarioIsWholeWithoutFaults(life: StoreScenario) throws {
    let verdict = SimulatedRun(life.name, seed: 1, .none).execute()
    #expect(verdict.wrong == nil)
    let again = SimulatedRun(life.name, seed: 1, .none).execute()
    #expect(verdict.calls.map(\.description) == again.calls.map(\.description), "a run is the same each time")
    #expect(verdict.calls.count { $0.isChange && life.isFocus($0) } > 5)
  }

  @Test func theLifetimeMakesEveryKindOfCall() {
    let calls = SimulatedRun("lifetime", seed: 1, .none).execute().calls
    // The walk over the calls is only worth something if the scenario makes them.
    let names: Set = ["create", "append", "sync", "rename", "remove", "syncDirectory", "open", "read"]
    #expect(Set(calls.map(\.name)).isSuperset(of: names))
    #expect(calls.contains { $0.name == "remove" && $0.path.hasSuffix(".part") })
    #expect(calls.contains { $0.name == "remove" && $0.path.hasSuffix(".log") })
  }

  @Test func nothingAcknowledgedIsLostWhateverFails() {
    let seed = UInt64.random(in: 0..<1 << 20)
    // A whole round takes as long to make as the default run takes for all.
    var walk = SimulationWalk(jobs: 2, effort: min(1, Double(CrashStates.count) / 20_000))
    walk.run(states: CrashStates.count, seed: seed)
    for finding in walk.findings { Issue.record("\(finding)") }
    print("\(walk.states) crash states, seed \(seed)")
    #expect(walk.findings.count > 0 || walk.states >= CrashStates.count)
  }

  @Test func runsAreReadBackFromTheirDescriptions() {
    for group in SimulationWalk.knownRound(seed: 1, effort: Self.littleEffort) {
      for run in group.prefix(20) {
        #expect(SimulatedRun(run.description)?.description == run.description)
      }
    }
  }

  private static let littleEffort = 0.1
  private static let sites = SyncSites.find(stride: .max)

  /// The walk finds the bug when the engine, or the device, leaves out a sync that counts: the log's after an append, the
  /// part's, the manifest's, their directories'.
  @Test(arguments: [".log", ".part", ".manifest.tmp", "/manifest/", "/hot/"])
  func aDeviceThatSkipsSyncsIsFoundOut(subject: String) {
    let sites = Self.sites
    let found = sites.sites.indices.filter { sites.sites[$0].subject == subject }.contains { number in
      var walk = SimulationWalk(sites: sites, skippedSite: number, jobs: 2, effort: Self.littleEffort)
      walk.run(states: 300, seed: 1)
      return !walk.findings.isEmpty
    }
    #expect(found, "syncs of \(subject) are skipped and nothing is lost")
  }
}
