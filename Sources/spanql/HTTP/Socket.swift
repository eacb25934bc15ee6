#if canImport(Glibc)
  import Glibc
#endif

/// A TCP connection that gives up: after a while, or when it is cancelled.
final class Socket: Transport {
  private let descriptor: Int32
  private let cancellation: CancelSignal
  /// Milliseconds without a byte after which a read or a write fails.
  private let patience: Int32

  /// Connects to the first of the host's addresses that answers within `connectSeconds`.
  init(
    _ address: ServerAddress, connectSeconds: Double, idleSeconds: Double, cancellation: CancelSignal
  ) throws(ShellError) {
    self.cancellation = cancellation
    patience = Self.milliseconds(idleSeconds)
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(address.host, String(address.port), &hints, &found)
    guard code == 0 else { throw .failed("\(address.host): \(String(cString: gai_strerror(code)))") }
    defer { freeaddrinfo(found) }
    var reason = "it has no address"
    var candidate = found
    while let info = candidate?.pointee {
      let outcome = Self.connect(info, Self.milliseconds(connectSeconds), cancellation)
      switch outcome {
      case .connected(let descriptor):
        self.descriptor = descriptor
        return
      case .cancelled: throw .cancelled
      case .failed(let why): reason = why
      }
      candidate = info.ai_next
    }
    throw .failed("cannot reach \(address.text): \(reason)")
  }

  deinit { close(descriptor) }

  private enum Attempt {
    case connected(Int32)
    case cancelled
    case failed(String)
  }

  private static func milliseconds(_ seconds: Double) -> Int32 { Int32(max(1, min(seconds, 1_000_000) * 1000)) }

  private static func connect(_ info: addrinfo, _ patience: Int32, _ cancellation: CancelSignal) -> Attempt {
    let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(info.ai_family, flags, info.ai_protocol)
    guard descriptor >= 0 else { return .failed(StandardStreams.reason(errno)) }
    if Glibc.connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 { return .connected(descriptor) }
    var number = errno
    if number == EINPROGRESS {
      switch wait(descriptor, POLLOUT, patience, cancellation) {
      case .ready:
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length)
      case .timedOut: number = ETIMEDOUT
      case .cancelled:
        close(descriptor)
        return .cancelled
      }
    }
    if number == 0 { return .connected(descriptor) }
    close(descriptor)
    return .failed(StandardStreams.reason(number))
  }

  private enum Readiness { case ready, timedOut, cancelled }

  private static func wait(
    _ descriptor: Int32, _ events: Int32, _ patience: Int32, _ cancellation: CancelSignal
  ) -> Readiness {
    while true {
      var descriptors = [
        pollfd(fd: descriptor, events: Int16(events), revents: 0),
        pollfd(fd: cancellation.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      let count = poll(&descriptors, 2, patience)
      if count < 0, errno == EINTR { continue }
      if descriptors[1].revents != 0 { return .cancelled }
      return count > 0 ? .ready : .timedOut
    }
  }

  private func wait(_ events: Int32) throws(ShellError) {
    switch Self.wait(descriptor, events, patience, cancellation) {
    case .ready: return
    case .timedOut: throw .failed("the server sent nothing for \(patience / 1000) s")
    case .cancelled: throw .cancelled
    }
  }

  func write(_ bytes: [UInt8]) throws(ShellError) {
    var start = 0
    while start < bytes.count {
      try wait(POLLOUT)
      let written = bytes[start...].withUnsafeBytes {
        send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if written < 0 {
        if errno == EINTR || errno == EAGAIN { continue }
        throw .failed("sending to the server failed: \(StandardStreams.reason(errno))")
      }
      start += written
    }
  }

  /// Some bytes; none at the end.
  func read(upTo count: Int) throws(ShellError) -> [UInt8] {
    while true {
      try wait(POLLIN)
      var number: Int32 = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        let received = recv(descriptor, buffer.baseAddress, count, 0)
        number = received < 0 ? errno : 0
        initialized = max(0, received)
      }
      if number == 0 { return bytes }
      if number == EINTR || number == EAGAIN { continue }
      throw .failed("reading from the server failed: \(StandardStreams.reason(number))")
    }
  }
}

/// Wakes a thread that waits in `poll`.
final class CancelSignal: Sendable {
  let descriptor: Int32
  private let writeEnd: Int32

  init() throws(ShellError) {
    guard let pipe = SignalPipe.make() else { throw .failed("the system has no more file descriptors") }
    (descriptor, writeEnd) = pipe
  }

  deinit {
    close(descriptor)
    close(writeEnd)
  }

  func cancel() {
    var byte: UInt8 = 1
    _ = write(writeEnd, &byte, 1)
  }
}
