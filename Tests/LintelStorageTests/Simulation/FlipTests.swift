import LintelColumns
import Testing

@testable import LintelStorage

/// Damage of any byte is told or does no harm. `tools/simulate --flip` flips every one.
@Suite struct FlipTests {
  @Test func flippedBytesAreToldOrHarmless() {
    let seed = UInt64.random(in: 0..<1 << 20)
    var walk = FlipWalk()
    walk.run(stride: 13, seed: seed)
    for finding in walk.findings.prefix(5) { Issue.record("\(finding), seed \(seed)") }
    #expect(walk.flips > 300 && walk.told > walk.harmless)
  }

  @Test func aCheckNamesTheDamagedPartAndQuarantinesIt() async throws {
    let directory = ScratchDirectory()
    var dice = Dice(7)
    let store = try StoreTests.open(directory)
    let batches = (0..<3).map { _ in Samples.batch(&dice) }
    for batch in batches {
      _ = try await store.append(batch)
      if batch.rowCount > 0 { try await store.flush() }
    }
    // Everything is in the cache: the check reads the disk all the same.
    #expect(difference(try RowText.rows(store.snapshot("events")), batches.flatMap { RowText.rows($0) }) == nil)
    #expect(try store.check().allSatisfy { $0.problem == nil })
    let part = store.parts("events")[1]
    try DamageTests.flip(directory.path + "/data/" + part.name, at: 200)
    let damaged = try store.check().filter { $0.problem != nil }
    #expect(damaged.map(\.name) == [part.name])
    // The manifest follows in the background, on the thread that flushes. From then on the part is named as one that is left
    // out.
    try await store.flush()
    let leftOut = try store.check().filter { $0.problem != nil || $0.name == part.name }
    #expect(leftOut.map(\.name) == [part.name])
    #expect(leftOut.first?.problem?.message.hasPrefix("the part was found damaged earlier and is left out") == true)
    #expect(store.problems.contains { $0.path == part.name })
    let rest = RowText.rows(batches[0]) + RowText.rows(batches[2])
    #expect(difference(try RowText.rows(store.snapshot("events")), rest) == nil)
    try await store.close()
  }
}
