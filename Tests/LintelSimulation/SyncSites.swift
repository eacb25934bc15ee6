internal import LintelStorage

/// The places in the engine that sync a file or a directory, found by going through all scenarios once, and through some
/// recoveries of each: from a kill, and from crashes that leave torn records and unfinished files.
package struct SyncSites: Sendable {
  package struct Site: Sendable, CustomStringConvertible {
    let address: UInt
    /// What is synced: the name's ending, or the directory.
    package let subject: String
    package let description: String

    func matches(path: String, site: UInt) -> Bool { site == address && SyncSites.subject(path) == subject }
  }

  package let sites: [Site]

  /// The order is the same each time.
  /// - Parameter stride: Of every so many changes that a scenario makes, one is where it crashes.
  package static func find(stride: Int = 5) -> SyncSites {
    var sites: [Site] = []
    func note(_ calls: [SimulatedFileSystem.Call]) {
      for call in calls where call.site != 0 {
        let path = call.name == "syncDirectory" ? call.path + "/" : call.path
        let subject = subject(path)
        if sites.contains(where: { $0.address == call.site && $0.subject == subject }) { continue }
        sites.append(Site(address: call.site, subject: subject, description: "\(call.name) of \(path)"))
      }
    }
    for life in StoreScenario.crashing {
      let verdict = SimulatedRun(life.name, seed: 0, .none).execute()
      note(verdict.calls)
      note(verdict.recoveryCalls)
      for (index, call) in verdict.calls.filter(\.isChange).enumerated() where index % stride == 0 {
        for loss in [Loss.processKilled, .lastWriteTorn(unit: 512, zeroFilled: true), .content] {
          note(SimulatedRun(life.name, seed: 0, .crash(at: call.number, loss)).execute().recoveryCalls)
        }
      }
    }
    return SyncSites(sites: sites)
  }

  /// Numbers left out: `.log`, `.manifest.tmp`, `/hot/`, `/shard-/`.
  private static func subject(_ path: String) -> String {
    let isDirectory = path.hasSuffix("/")
    let name = path.split(separator: "/").last ?? ""
    if isDirectory { return "/\(name.filter { !$0.isNumber })/" }
    let stem = name.prefix { $0.isNumber }
    return String(name.dropFirst(stem.count))
  }
}
