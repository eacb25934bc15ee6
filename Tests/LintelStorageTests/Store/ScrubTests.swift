import LintelColumns
import Testing

@testable import LintelStorage

/// The check of the parts in the background, by a clock that the tests move on.
@Suite struct ScrubTests {
  /// A store of three parts on a simulated disk.
  private struct Scrubbed {
    let disk: SimulatedFileSystem
    let scheduler = SimulatedScheduler(seed: 1)
    let store: Store
    let batches: [Batch]

    init(
      bytesPerSecond: Int, on disk: SimulatedFileSystem = SimulatedFileSystem(), parts: Int = 3
    ) throws {
      self.disk = disk
      var dice = Dice(7)
      let batches = (0..<parts).map { _ in Samples.batch(&dice) }
      self.batches = batches
      var configuration = StoreConfiguration()
      configuration.scrubBytesPerSecond = bytesPerSecond
      configuration.scrubSeconds = 1000
      configuration.blockRows = 64
      let store = try Store.open(
        path: "/data", schemas: [Samples.schema], configuration: configuration, fileSystem: disk, scheduler: scheduler)
      self.store = store
      guard store.statistics.parts == 0 else { return }
      let outcome = scheduler.run { () async -> Result<Void, StorageError> in
        do throws(StorageError) {
          for batch in batches {
            _ = try await store.append(batch)
            try await store.flush()
          }
          return .success(())
        } catch {
          return .failure(error)
        }
      }
      try (outcome ?? .failure(StorageError(.io, "it waits for something that nobody does"))).get()
    }

    /// The clock stands at so many seconds.
    func at(_ seconds: Double) {
      store.scrub(now: Int64(seconds * 1e9))
      scheduler.drain()
    }

    var statistics: StoreStatistics { store.statistics }

    func end() {
      disk.crash()
      scheduler.drain()
    }
  }

  @Test func readsNoFasterThanTold() throws {
    let rate = 1000
    let scrubbed = try Scrubbed(bytesPerSecond: rate)
    defer { scrubbed.end() }
    // The largest chunk is what it may be ahead.
    let bytes = scrubbed.statistics.partBytes
    var last = 0
    scrubbed.at(1)
    #expect(scrubbed.statistics.scrubbedBytes == 0)
    for second in 2...(bytes / rate + 10) {
      scrubbed.at(Double(second))
      let read = scrubbed.statistics.scrubbedBytes
      #expect(read - last < rate + bytes / 4)
      #expect(read <= (second - 1) * rate + bytes / 4)
      last = read
    }
    #expect(scrubbed.statistics.scrubPasses == 1)
    // All but the footers, which are read when a part is opened.
    #expect(last > bytes / 2 && last < bytes)
    #expect(scrubbed.statistics.problems == 0)
  }

  @Test func allPartsAreGoneThroughAgainAfterAWhile() throws {
    let scrubbed = try Scrubbed(bytesPerSecond: 1 << 20)
    defer { scrubbed.end() }
    for second in 1...20 { scrubbed.at(Double(second)) }
    let once = scrubbed.statistics.scrubbedBytes
    #expect(scrubbed.statistics.scrubPasses == 1)
    scrubbed.at(900)
    #expect(scrubbed.statistics.scrubbedBytes == once)
    scrubbed.at(1100)
    #expect(scrubbed.statistics.scrubbedBytes == 2 * once)
    #expect(scrubbed.statistics.scrubPasses == 2)
  }

  @Test func nothingIsReadWhenItIsOff() throws {
    let scrubbed = try Scrubbed(bytesPerSecond: 0)
    defer { scrubbed.end() }
    let calls = scrubbed.disk.callCount
    for second in 1...20 { scrubbed.at(Double(second)) }
    #expect(scrubbed.disk.callCount == calls)
  }

  @Test func everyFlippedByteIsFound() throws {
    let whole = try Scrubbed(bytesPerSecond: 1 << 20)
    let paths = whole.disk.paths.filter { $0.hasSuffix(".part") }
    #expect(paths.count == 3)
    var flips = 0
    for path in paths {
      let size = try #require(whole.disk.contents(path)).count
      for place in stride(from: flips % 7, to: size, by: 97) {
        // Opened healthy, damaged afterwards.
        let scrubbed = try Scrubbed(bytesPerSecond: 1 << 20, on: whole.disk.afterCrash(.processKilled))
        scrubbed.disk.corrupt(path) { $0[place] ^= 1 << UInt8(place % 8) }
        scrubbed.at(1)
        scrubbed.at(11)
        let problems = scrubbed.store.problems
        #expect(
          problems.count == 1 && problems.first?.path.map { path.hasSuffix($0) } == true, "byte \(place) of \(path)")
        #expect(problems.first?.code == .corrupt)
        #expect(scrubbed.statistics.parts == 2)
        // It stays out.
        scrubbed.scheduler.drain()
        let again = try Scrubbed(bytesPerSecond: 1 << 20, on: scrubbed.disk.afterCrash(.everything))
        #expect(again.statistics.parts == 2)
        #expect(again.store.problems.first?.message.contains("left out") == true)
        scrubbed.end()
        again.end()
        flips += 1
      }
    }
    #expect(flips > 100)
    whole.end()
  }

  /// A part that was set aside comes back when its file is whole again, and nothing is wrong any more.
  @Test(arguments: [false, true])
  func aRestoredPartIsTakenInAgain(byCheck: Bool) throws {
    let whole = try Scrubbed(bytesPerSecond: 1 << 20)
    let expected = try RowText.rows(whole.store.snapshot("events")).sorted()
    let path = try #require(whole.disk.paths.filter { $0.hasSuffix(".part") }.sorted().dropFirst().first)
    for isReopened in [false, true] {
      for isMissing in [false, true] {
        let first = try Scrubbed(bytesPerSecond: 1 << 20, on: whole.disk.afterCrash(.processKilled))
        let bytes = try #require(first.disk.contents(path))
        first.disk.corrupt(path) { $0[$0.count / 2] ^= 1 }
        first.at(1)
        first.at(11)
        #expect(first.store.problems.count == 1 && first.statistics.parts == 2)
        #expect(try first.store.snapshot("events").omitted == ["hot/\(path.split(separator: "/").last ?? "")"])
        let scrubbed: Scrubbed
        if isReopened {
          scrubbed = try Scrubbed(bytesPerSecond: 1 << 20, on: first.disk.afterCrash(.everything))
          first.end()
        } else {
          scrubbed = first
        }
        if isMissing { try scrubbed.disk.remove(path) }
        // It isn't there, or isn't whole yet.
        _ = try scrubbed.store.check()
        #expect(scrubbed.statistics.problems == 1 && scrubbed.statistics.parts == 2)
        if isMissing {
          let file = try scrubbed.disk.create(path)
          try file.append(bytes)
          try file.close()
        } else {
          scrubbed.disk.corrupt(path) { $0[$0.count / 2] ^= 1 }
        }
        if byCheck {
          #expect(try scrubbed.store.check().allSatisfy { $0.problem == nil })
        } else {
          for second in [2000, 2011, 2021, 2031] { scrubbed.at(Double(second)) }
        }
        #expect(scrubbed.store.problems == [] && scrubbed.statistics.parts == 3)
        #expect(try RowText.rows(scrubbed.store.snapshot("events")).sorted() == expected)
        #expect(try scrubbed.store.snapshot("events").omitted == [])
        scrubbed.scheduler.drain()
        let again = try Scrubbed(bytesPerSecond: 1 << 20, on: scrubbed.disk.afterCrash(.everything))
        #expect(again.store.problems == [] && again.statistics.parts == 3)
        scrubbed.end()
        again.end()
      }
    }
    whole.end()
  }

  @Test func problemsAreToldOnce() throws {
    let scrubbed = try Scrubbed(bytesPerSecond: 1 << 20)
    defer { scrubbed.end() }
    let path = try #require(scrubbed.disk.paths.first { $0.hasSuffix(".part") })
    #expect(scrubbed.store.problems(after: 0).count == 0)
    scrubbed.disk.corrupt(path) { $0[$0.count / 2] ^= 1 }
    scrubbed.at(1)
    scrubbed.at(11)
    let (new, count) = scrubbed.store.problems(after: 0)
    #expect(new.count == 1 && count == 1)
    #expect(scrubbed.store.problems(after: count).new.isEmpty)
  }
}
