internal import LintelStorage
internal import Synchronization

/// Runs a body on several threads, and waits for them.
enum Workers {
  static func run(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    if count <= 1 { return body() }
    let threads = EngineThreads(count: count - 1, name: "simulate")
    for _ in 1..<count { threads.start(body) }
    body()
    threads.shutDownAndWait()
  }
}
