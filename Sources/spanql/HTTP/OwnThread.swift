#if canImport(Glibc)
  import Glibc
#endif

/// Runs blocking work on a thread of its own, so that no thread of Swift's pool waits for a network.
enum OwnThread {
  private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  static func run<Value: Sendable>(
    _ body: @escaping @Sendable () throws(ShellError) -> Value
  ) async throws(ShellError) -> Value {
    let result: Result<Value, ShellError> = await withCheckedContinuation { continuation in
      start {
        do throws(ShellError) {
          continuation.resume(returning: .success(try body()))
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }

  private static func start(_ body: @escaping @Sendable () -> Void) {
    let argument = Unmanaged.passRetained(Work(body)).toOpaque()
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, argument)
    if code == 0 {
      pthread_detach(thread)
    } else {
      // No thread to be had: better here than not at all.
      Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body()
    }
  }
}
