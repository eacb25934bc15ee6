import Testing

@testable import LintelStorage

@Suite struct ManifestStoreTests {
  private let fileSystem = SimulatedFileSystem()
  private var store: ManifestStore { ManifestStore("/m", fileSystem: fileSystem) }

  init() throws { try fileSystem.createParentsDurably(of: "/m/manifest") }

  private func path(_ sequence: UInt64) -> String { "/m/\(LogFormat.padded(sequence)).manifest" }

  @Test func publishesInSequence() throws {
    #expect(code { _ = try store.load() } == .corrupt)
    for sequence in 1...5 as ClosedRange<UInt64> {
      let published = try store.publish(.sample(parts: Int(sequence)))
      #expect(published.mayRemoveObsolete)
      #expect(try store.latestSequence() == published.manifest.sequence)
      #expect(try store.load().manifest == published.manifest)
      #expect(try fileSystem.list("/m").count == 1)
    }
  }

  @Test func fallsBackOnlyWhereThePredecessorIsStillThere() throws {
    let first = try store.publish(.empty(shardCount: 1)).manifest
    let kept = try #require(fileSystem.contents(path(1)))
    let second = try store.publish(first).manifest
    fileSystem.corrupt(path(2)) { $0[3] ^= 1 }
    #expect(code { _ = try store.load() } == .corrupt)
    try fileSystem.create(path(1)).append(kept)
    let loaded = try store.load()
    #expect(loaded.manifest == first)
    #expect(loaded.problem?.path == path(2))
    try store.clean(current: 1)
    #expect(Set(try fileSystem.list("/m")) == ["000000000001.manifest", "000000000002.manifest.damaged"])
    #expect(try store.publish(first).manifest.sequence == second.sequence)
  }

  @Test func aManifestUnderAnotherNumberIsRefused() throws {
    _ = try store.publish(.empty(shardCount: 1))
    try fileSystem.rename(path(1), to: path(9))
    #expect(code { _ = try store.load() } == .corrupt)
  }

  @Test func afterAFullDiskTheFormerOneStandsAndTheCallCanBeRepeated() throws {
    let first = try store.publish(.empty(shardCount: 1)).manifest
    // removeIfPresent, create, append, sync come before the rename.
    for offset in 1...4 {
      let next = fileSystem.calls.count + offset
      fileSystem.setFault(.fail(at: next, errno: SimulatedFileSystem.noSpace, lasting: false))
      let outcome = code { _ = try store.publish(first) }
      if fileSystem.calls[next].needsSpace { #expect(outcome == .diskFull, "\(fileSystem.calls[next])") }
      fileSystem.setFault(.none)
      _ = try store.publish(first)
    }
  }

  @Test func aFailureFromTheRenameOnStopsTheStore() throws {
    let first = try store.publish(.empty(shardCount: 1)).manifest
    let rename = try #require(fileSystem.calls.last { $0.name == "rename" }?.number)
    let start = try #require(fileSystem.calls.first { $0.name == "list" }?.number)
    for offset in [rename - start, rename - start + 1] {
      let at = fileSystem.calls.count + offset
      fileSystem.setFault(.fail(at: at, errno: SimulatedFileSystem.inputOutput, lasting: false))
      #expect(code { _ = try store.publish(first) } == .failedStop, "\(fileSystem.calls[at])")
    }
  }

  @Test func everyCrashLeavesTheOldOrTheNew() throws {
    let seed = UInt64.random(in: 0..<1 << 32)
    let first = try store.publish(.sample(parts: 2)).manifest
    let base = fileSystem.calls.count
    let dry = fileSystem.afterCrash(.processKilled)
    _ = try ManifestStore("/m", fileSystem: dry).publish(.sample(parts: 3))
    #expect(base > 5)
    for call in dry.calls where call.isChange {
      for loss in Loss.variants(seed: seed &+ UInt64(call.number)) {
        let crashing = fileSystem.afterCrash(.processKilled, fault: .crash(at: call.number))
        var published: ManifestStore.Publication?
        do { published = try ManifestStore("/m", fileSystem: crashing).publish(.sample(parts: 3)) } catch {}
        let found = crashing.afterCrash(loss)
        let loaded = try ManifestStore("/m", fileSystem: found).load()
        #expect(loaded.problem == nil, "\(call), \(loss), seed \(seed)")
        let isNew = loaded.manifest.parts.count == 3
        #expect(isNew || loaded.manifest == first, "\(call), \(loss), seed \(seed)")
        if published != nil { #expect(isNew, "\(call), \(loss), seed \(seed)") }
        // Where the old one may still come back, what it names must not be removed.
        if published?.mayRemoveObsolete == true {
          #expect(try found.list("/m") == ["000000000002.manifest"], "\(call), \(loss), seed \(seed)")
        }
      }
    }
  }
}
