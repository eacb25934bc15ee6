import Foundation
import Synchronization
import Testing

@testable import LintelStorage

@Suite struct EngineThreadsTests {
  private final class Arrivals: Sendable {
    let counter = Atomic<Int>(0)
  }

  @Test func runsBodiesAndPassesOnErrors() async throws {
    let threads = EngineThreads(count: 2, name: "test")
    #expect(try await threads.run { 41 + 1 } == 42)
    do {
      try await threads.run { () throws(StorageError) in throw StorageError(.io, "no") }
      Issue.record("no error")
    } catch {
      #expect(error.code == .io)
    }
    threads.shutDownAndWait()
  }

  @Test func oneThreadRunsInOrder() {
    let threads = EngineThreads(count: 1, name: "test")
    let arrived = Arrivals()
    let misplaced = Arrivals()
    for index in 0..<5000 {
      threads.start {
        let (place, _) = arrived.counter.add(1, ordering: .relaxed)
        if place != index { misplaced.counter.add(1, ordering: .relaxed) }
      }
    }
    threads.shutDownAndWait()
    #expect(arrived.counter.load(ordering: .relaxed) == 5000)
    #expect(misplaced.counter.load(ordering: .relaxed) == 0)
  }

  @Test func severalThreadsBlockIndependently() {
    let threads = EngineThreads(count: 4, name: "test")
    let arrived = Arrivals()
    // Each body waits for all four: with fewer threads this would never end.
    for _ in 0..<4 {
      threads.start {
        arrived.counter.add(1, ordering: .sequentiallyConsistent)
        while arrived.counter.load(ordering: .sequentiallyConsistent) < 4 { sched_yield() }
      }
    }
    threads.shutDownAndWait()
    #expect(arrived.counter.load(ordering: .sequentiallyConsistent) == 4)
  }

  @Test func takesNothingAfterShutDown() async {
    let threads = EngineThreads(count: 1, name: "test")
    threads.shutDownAndWait()
    await #expect(throws: StorageError.self) { try await threads.run { 1 } }
    #expect(!threads.start {})
  }

  @Test func helpersWorkTogetherWithTheCaller() {
    let threads = EngineThreads(count: 2, name: "test")
    let next = Arrivals()
    let done = Arrivals()
    for helpers in [0, 1, 2] {
      next.counter.store(0, ordering: .relaxed)
      done.counter.store(0, ordering: .relaxed)
      threads.together(helpers) {
        while next.counter.add(1, ordering: .relaxed).oldValue < 100 { done.counter.add(1, ordering: .relaxed) }
      }
      #expect(done.counter.load(ordering: .relaxed) == 100)
    }
    threads.shutDownAndWait()
    // Without helpers the caller does it all.
    next.counter.store(0, ordering: .relaxed)
    threads.together(2) { next.counter.add(1, ordering: .relaxed) }
    #expect(next.counter.load(ordering: .relaxed) == 1)
  }
}
