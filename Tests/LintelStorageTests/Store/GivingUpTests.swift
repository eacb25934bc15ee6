import LintelColumns
import Testing

@testable import LintelStorage

/// Parts that are damaged and can't be had back.
@Suite("Parts that are given up") struct GivingUpTests {
  private static func isOf(_ user: Int, _ row: String) -> Bool {
    row.split(separator: " ").contains("user=\(String(Samples.user(user), radix: 16))")
  }

  /// A store of two parts of which the first is damaged, or gone, and set aside.
  private func damaged(_ batches: [Batch], isGone: Bool) throws -> (tiered: TieredStore, name: String) {
    let tiered = try TieredStore()
    try tiered.write(batches)
    let path = try #require(tiered.files.first)
    if isGone {
      try tiered.disk.remove(path)
    } else {
      tiered.disk.corrupt(path) { bytes in for place in 40..<bytes.count / 2 { bytes[place] ^= 0x55 } }
    }
    let disk = tiered.disk.afterCrash(.processKilled)
    tiered.scheduler.drain()
    let again = try TieredStore(on: disk)
    if !isGone { #expect(try again.store.check().contains { $0.problem != nil }) }
    again.scheduler.drain()
    let name = String(path.dropFirst("/data/".utf8.count))
    #expect(again.store.problems.map(\.path) == [isGone ? path : name])
    return (again, name)
  }

  @Test(arguments: [false, true]) func anErasureWaitsForItNoMore(isGone: Bool) throws {
    let batches = TieredStore.batches(2, users: 4)
    let (tiered, name) = try damaged(batches, isGone: isGone)
    let left = RowText.rows(batches[1]).filter { !Self.isOf(1, $0) }.sorted()
    _ = try tiered.store.erase([Subject(Samples.user(1))])
    tiered.scheduler.drain()
    // Why it isn't finished is a problem of its own, until it is.
    #expect(try tiered.store.rules().erasures.map(\.state) == [.hidden])
    #expect(tiered.store.problems.count == 2 && tiered.store.problems.last?.message.contains(name) == true)
    let live = try #require(tiered.store.parts("events").first?.name)
    for wrong in [live, "hot/000000000999.part", ""] {
      #expect(throws: StorageError.self) { try tiered.store.giveUp(wrong) }
    }
    let lost = try tiered.store.giveUp(name)
    #expect(lost.name == name && lost.rows == 100 && lost.tier == .hot)
    tiered.scheduler.drain()
    #expect(try tiered.store.rules().erasures.map(\.state) == [.erased])
    #expect(tiered.store.problems == [] && tiered.store.statistics.problems == 0)
    #expect(try tiered.rows() == left)
    #expect(tiered.disk.paths.filter { $0.hasSuffix(name) }.isEmpty)
    let log = tiered.disk.contents("/data/erasure/audit.log").map { String(decoding: $0, as: UTF8.self) } ?? ""
    #expect(log.contains(" dropped ") && log.contains(" erased "))
    #expect(throws: StorageError.self) { try tiered.store.giveUp(name) }
    let disk = tiered.disk.afterCrash(.nothing)
    tiered.scheduler.drain()
    let again = try TieredStore(on: disk)
    defer { again.end() }
    #expect(again.store.problems == [])
    #expect(try again.rows() == left)
  }

  /// A crash leaves it set aside, or gone.
  @Test func anyCrashLeavesOneOrTheOther() throws {
    let batches = TieredStore.batches(2, users: 4)
    let left = RowText.rows(batches[1]).sorted()
    var number = 0
    while true {
      let (tiered, name) = try damaged(batches, isGone: false)
      let first = tiered.disk.callCount
      tiered.disk.setFault(.crash(at: first + number))
      let isOver = (try? tiered.store.giveUp(name)) != nil
      if isOver, tiered.disk.callCount <= first + number {
        tiered.end()
        break
      }
      let loss = Loss.variants(seed: UInt64(number))[number % Loss.variants(seed: 0).count]
      let disk = tiered.disk.afterCrash(loss)
      tiered.scheduler.drain()
      let again = try TieredStore(on: disk)
      #expect(try again.rows() == left, "call \(number), \(loss)")
      if !again.store.problems.isEmpty {
        #expect(again.store.problems.map(\.path) == [name], "call \(number), \(loss)")
        _ = try again.store.giveUp(name)
      }
      again.scheduler.drain()
      #expect(again.store.problems == [])
      #expect(again.disk.paths.filter { $0.hasSuffix(name) }.isEmpty, "call \(number), \(loss)")
      again.end()
      number += 1
    }
    #expect(number > 5)
  }

  @Test func aReaderGivesNothingUp() throws {
    let batches = TieredStore.batches(2, users: 4)
    let (tiered, name) = try damaged(batches, isGone: false)
    defer { tiered.end() }
    let reader = try TieredStore(on: tiered.disk, readOnly: true)
    #expect(throws: StorageError.self) { try reader.store.giveUp(name) }
    #expect(tiered.store.problems.count == 1)
  }
}

/// What is said of work in the background that failed.
@Suite("Problems") struct ProblemTests {
  private static func problem(_ text: String) -> StorageError { StorageError(.diskFull, text) }

  @Test func aFailureIsNotedOnceUntilTheWorkSucceeds() {
    var state = StoreState(shardCount: 1)
    state.report(Self.problem("lasting"))
    for _ in 0..<3 {
      state.report(Self.problem("full"), by: .merging)
      state.report(Self.problem("full"), by: .moving)
    }
    #expect(state.problems.count == 3 && state.reported == 3)
    state.forgetProblems(by: .merging)
    #expect(state.problems == [Self.problem("lasting"), Self.problem("full")])
    #expect(state.problems(after: 2) == [Self.problem("full")])
    state.report(Self.problem("again"), by: .moving)
    #expect(state.problems == [Self.problem("lasting"), Self.problem("again")])
    #expect(state.reported == 4 && state.problems(after: 3) == [Self.problem("again")])
    state.forgetProblems(by: .checking("hot/1.part"))
    #expect(state.problems.count == 2)
    state.forgetProblems(by: .moving)
    #expect(state.problems == [Self.problem("lasting")] && state.problems(after: 3) == [])
  }

  @Test func aFullDiskIsNoProblemOnceThereIsRoom() throws {
    let tiered = try TieredStore()
    defer { tiered.end() }
    let batches = TieredStore.batches(1)
    try tiered.run { (store) async throws(StorageError) in _ = try await store.append(batches[0]) }
    // The log has room, the part hasn't.
    tiered.disk.observeChanges { [disk = tiered.disk] call in
      guard call.name == "create", call.path.hasSuffix(".part") else { return }
      disk.setFault(.fail(at: call.number, errno: SimulatedFileSystem.noSpace, lasting: true))
    }
    for _ in 0..<2 {
      #expect(throws: StorageError.self) {
        try tiered.run { (store) async throws(StorageError) in try await store.flush() }
      }
      // It names another file each time.
      #expect(tiered.store.statistics.problems == 1)
    }
    tiered.disk.observeChanges(nil)
    tiered.disk.setFault(.none)
    try tiered.run { (store) async throws(StorageError) in try await store.flush() }
    #expect(tiered.store.problems == [] && tiered.store.statistics.problems == 0)
  }
}
