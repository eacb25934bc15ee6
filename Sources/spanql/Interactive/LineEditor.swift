import CEditLine

#if canImport(Glibc)
  import Glibc
#endif

/// Reads lines from the terminal through libedit: editing, history, completion.
///
/// libedit calls back through C functions that carry nothing, so the one editor of the process is kept in a static.
final class LineEditor {
  enum Input {
    case line(String)
    /// Ctrl-C: what was typed is gone.
    case interrupted
    /// Ctrl-D on an empty line, or the terminal is gone.
    case end
  }

  /// Entries that the up key reaches.
  static let historySize: Int32 = 5000

  // Only the main thread comes here.
  nonisolated(unsafe) fileprivate static var current: LineEditor?

  private let editor: OpaquePointer
  private let history: OpaquePointer
  private let complete: (String) -> Completion.Answer
  private let promptText: UnsafeMutablePointer<CChar>
  private static let promptCapacity = 64
  private var input: [UInt8] = []
  private var wasInterrupted = false

  /// `nil` when the terminal is one that libedit can't drive.
  init?(complete: @escaping (String) -> Completion.Answer) {
    if setlocale(LC_CTYPE, "") == nil || String(cString: nl_langinfo(nl_item(CODESET))) != "UTF-8" {
      _ = setlocale(LC_CTYPE, "C.UTF-8")
    }
    // The prompt is no result: it goes to standard error where standard output is a file.
    guard let editor = lintel_el_init("spanql", isatty(STDOUT_FILENO)), let history = history_init() else { return nil }
    self.editor = editor
    self.history = history
    self.complete = complete
    promptText = .allocate(capacity: Self.promptCapacity)
    promptText.initialize(repeating: 0, count: Self.promptCapacity)
    Self.current = self
    configure()
  }

  deinit {
    Self.current = nil
    el_end(editor)
    history_end(history)
    promptText.deallocate()
  }

  private func configure() {
    _ = lintel_el_set_prompt(editor) { _ in LineEditor.current?.promptText }
    _ = lintel_el_set_editor(editor, "emacs")
    _ = lintel_el_set_signal(editor, 0)
    _ = lintel_history_set_size(history, Self.historySize)
    _ = lintel_history_set_unique(history, 1)
    _ = lintel_el_use_history(editor, history)
    _ = lintel_el_set_read(editor) { _, character in LineEditor.current?.readCharacter(into: character) ?? 0 }
    _ = lintel_el_add_function(editor, "spanql-complete", "complete the word") { _, _ in
      LineEditor.current?.completeWord() ?? UInt8(CC_ERROR)
    }
    _ = lintel_el_bind(editor, "^I", "spanql-complete")
    _ = lintel_el_bind(editor, "^R", "em-inc-search-prev")
    _ = lintel_el_bind(editor, "\\e[3~", "ed-delete-next-char")
    _ = lintel_el_bind(editor, "\\e[1;5C", "em-next-word")
    _ = lintel_el_bind(editor, "\\e[1;5D", "ed-prev-word")
    // The user's own bindings win.
    _ = el_source(editor, nil)
  }

  /// Makes a line reachable with the up key.
  func remember(_ line: String) { _ = lintel_history_enter(history, line) }

  func read(prompt: String) -> Input {
    let bytes = prompt.utf8.prefix(Self.promptCapacity - 1)
    for (index, byte) in bytes.enumerated() { promptText[index] = CChar(bitPattern: byte) }
    promptText[bytes.count] = 0
    wasInterrupted = false
    _ = Interrupts.take()
    el_resize(editor)
    var count: Int32 = 0
    let line = el_gets(editor, &count)
    if wasInterrupted {
      StandardStreams.error("^C\n")
      return .interrupted
    }
    guard let line, count > 0 else { return .end }
    return .line(String(cString: line))
  }

  // MARK: - Called by libedit

  /// The next character from the terminal: 1 when there is one, 0 at the end, -1 for Ctrl-C.
  private func readCharacter(into character: UnsafeMutablePointer<wchar_t>?) -> Int32 {
    while true {
      if let scalar = takeScalar() {
        character?.pointee = wchar_t(scalar)
        return 1
      }
      var descriptors = [
        pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
        pollfd(fd: Interrupts.descriptor, events: Int16(POLLIN), revents: 0),
      ]
      _ = poll(&descriptors, 2, -1)
      let events = Interrupts.take()
      if events.contains(.resize) { el_resize(editor) }
      if events.contains(.interrupt) {
        wasInterrupted = true
        input.removeAll()
        return -1
      }
      guard descriptors[0].revents != 0 else { continue }
      var chunk = [UInt8](repeating: 0, count: 4096)
      let read = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
      if read < 0, errno == EINTR || errno == EAGAIN { continue }
      guard read > 0 else { return 0 }
      input.append(contentsOf: chunk[..<read])
    }
  }

  /// Takes one scalar out of what was read; `nil` when it isn't complete.
  private func takeScalar() -> UInt32? {
    guard let first = input.first else { return nil }
    let length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard input.count >= length else { return nil }
    let text = String(decoding: input[..<length], as: UTF8.self)
    input.removeFirst(length)
    return text.unicodeScalars.first?.value ?? 0xFFFD
  }

  private func completeWord() -> UInt8 {
    guard let info = el_line(editor)?.pointee, let buffer = info.buffer, let cursor = info.cursor else {
      return UInt8(CC_ERROR)
    }
    let bytes = UnsafeRawBufferPointer(start: buffer, count: cursor - buffer)
    switch complete(String(decoding: bytes, as: UTF8.self)) {
    case .nothing: return UInt8(CC_REFRESH_BEEP)
    case .replace(let count, let text):
      el_deletestr(editor, Int32(count))
      el_insertstr(editor, text)
      return UInt8(CC_REFRESH)
    case .choose(let candidates):
      StandardStreams.error(
        "\n" + Completion.inColumns(candidates, width: StandardStreams.columns(of: STDERR_FILENO) ?? 80))
      return UInt8(CC_REDISPLAY)
    }
  }
}
