import LintelColumns
import Testing

@testable import LintelStorage

/// The calls that backups and restores make, each as the last one before a crash and as one that fails. A share of them by
/// default; with `LINTEL_STATES=10000` all. The walks of ``StoreCrashTests`` go through more of what a crash leaves.
@Suite struct BackupCrashTests {
  @Test(arguments: ["backup", "backup-copies"]) func anyCall(scenario: String) throws {
    let seed = UInt64.random(in: 0..<1 << 20)
    let life = try #require(StoreScenario.crashing.first { $0.name == scenario })
    let healthy = SimulatedRun(scenario, seed: seed, .none).execute()
    #expect(healthy.wrong == nil)
    let calls = healthy.calls.filter(life.isFocus)
    // All that they can be asked for, and all but what others do to their files.
    let names = Set(calls.map(\.name))
    #expect(names.isSuperset(of: ["create", "append", "sync", "rename", "remove", "syncDirectory", "removeDirectory"]))
    #expect(names.contains("link"))
    var dice = Dice(seed)
    var runs: [SimulatedRun] = []
    for call in calls {
      if call.isChange, let loss = Loss.variants(seed: dice.next() % 1000).randomElement(using: &dice) {
        runs.append(SimulatedRun(scenario, seed: seed, .crash(at: call.number, loss)))
      }
      // Of the many reads a share.
      if call.isChange || dice.chance(10) {
        runs.append(SimulatedRun(scenario, seed: seed, .error(at: call.number, lasting: dice.chance(30))))
      }
      if call.needsSpace {
        runs.append(SimulatedRun(scenario, seed: seed, .full(at: call.number, lasting: dice.chance(30))))
      }
    }
    let chosen = Array(runs.shuffled(using: &dice).prefix(CrashStates.count / 4))
    var walk = SimulationWalk(jobs: 2)
    walk.run(chosen)
    for finding in walk.findings { Issue.record("\(finding)") }
    print("\(scenario): \(walk.states) of \(runs.count) runs, seed \(seed)")
    #expect(walk.findings.count > 0 || walk.states == chosen.count)
  }
}
