#if canImport(Glibc)
  import Glibc
#endif

/// Ctrl-C and changes of the window's size, as bytes in a pipe, so that waiting for them and for something else is one
/// `poll`.
enum Interrupts {
  enum Event { case interrupt, resize }

  // Written once, before the handlers are installed; the handlers only read.
  nonisolated(unsafe) private static var writeEnd: Int32 = -1
  nonisolated(unsafe) private(set) static var descriptor: Int32 = -1

  static func install() {
    guard descriptor < 0, let pipe = SignalPipe.make() else { return }
    (descriptor, writeEnd) = pipe
    handle(SIGINT) { _ in Interrupts.note(UInt8(ascii: "i")) }
    handle(SIGWINCH) { _ in Interrupts.note(UInt8(ascii: "w")) }
  }

  private static func handle(_ signal: Int32, _ handler: @escaping @convention(c) (Int32) -> Void) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = handler
    action.sa_flags = SA_RESTART
    sigaction(signal, &action, nil)
  }

  /// Runs inside a signal handler: nothing but `write` is allowed here.
  private static func note(_ byte: UInt8) {
    let saved = errno
    var byte = byte
    _ = write(writeEnd, &byte, 1)
    errno = saved
  }

  /// What has happened since the last call. Never waits.
  static func take() -> Set<Event> {
    var events: Set<Event> = []
    var byte: UInt8 = 0
    while descriptor >= 0, read(descriptor, &byte, 1) == 1 {
      events.insert(byte == UInt8(ascii: "i") ? .interrupt : .resize)
    }
    return events
  }
}

/// A pipe whose ends never block and are not inherited.
enum SignalPipe {
  static func make() -> (readEnd: Int32, writeEnd: Int32)? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends {
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    }
    return (ends[0], ends[1])
  }
}
