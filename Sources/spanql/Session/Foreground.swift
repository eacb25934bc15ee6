import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// Runs work off the main thread, which meanwhile watches for Ctrl-C and shows progress.
enum Foreground {
  /// Waits for the body. Ctrl-C cancels its task; the body then ends by itself, usually by throwing.
  static func run<Value: Sendable>(
    _ progress: ProgressLine, _ body: @escaping @Sendable () async throws(ShellError) -> Value
  ) throws(ShellError) -> Value {
    guard let done = SignalPipe.make() else { throw .failed("the system has no more file descriptors") }
    defer {
      close(done.readEnd)
      close(done.writeEnd)
    }
    let outcome = Outcome<Value>()
    let task = Task {
      do throws(ShellError) {
        outcome.set(.success(try await body()))
      } catch {
        outcome.set(.failure(error))
      }
      var byte: UInt8 = 1
      _ = write(done.writeEnd, &byte, 1)
    }
    var progress = progress
    defer { progress.clear() }
    while true {
      var descriptors = [
        pollfd(fd: done.readEnd, events: Int16(POLLIN), revents: 0),
        pollfd(fd: Interrupts.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&descriptors, 2, progress.millisecondsToNextFrame)
      if let result = outcome.value { return try result.get() }
      if Interrupts.take().contains(.interrupt) {
        task.cancel()
        progress.isCancelling = true
      }
      progress.draw()
    }
  }

  private final class Outcome<Value: Sendable>: Sendable {
    private let storage = Mutex<Result<Value, ShellError>?>(nil)

    func set(_ result: Result<Value, ShellError>) { storage.withLock { $0 = result } }

    var value: Result<Value, ShellError>? { storage.withLock { $0 } }
  }
}
