import LintelQuery

#if canImport(Glibc)
  import Glibc
#endif

/// The line on standard error that shows how far a long query is. Nothing where standard error is no terminal.
struct ProgressLine {
  /// Nothing is shown before this: most queries are over by then.
  static let patience = Duration.seconds(1)
  private static let frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
  private static let barCells = 24

  var isCancelling = false
  private let what: String
  private let progress: CancellationToken?
  private let began = ContinuousClock.now
  private let isTerminal = isatty(STDERR_FILENO) != 0
  private var frame = 0
  private var isShown = false

  init(_ what: String, progress: CancellationToken? = nil) {
    self.what = what
    self.progress = progress
  }

  var millisecondsToNextFrame: Int32 { isTerminal ? 100 : 1000 }

  mutating func draw() {
    let elapsed = ContinuousClock.now - began
    guard isTerminal, elapsed >= Self.patience || isCancelling else { return }
    frame = (frame + 1) % Self.frames.count
    isShown = true
    StandardStreams.error("\r\u{1B}[K" + text(elapsed))
  }

  private func text(_ elapsed: Duration) -> String {
    let seconds = elapsed.components.seconds
    let time = "\(seconds).\(elapsed.components.attoseconds / 100_000_000_000_000_000) s"
    if isCancelling { return "\(Self.frames[frame]) cancelling  \(time)" }
    guard let (done, total) = progress?.progress, total > 0 else { return "\(Self.frames[frame]) \(what)  \(time)" }
    let share = min(1, Double(done) / Double(total))
    let filled = Int(share * Double(Self.barCells))
    let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.barCells - filled)
    let counts = "\(Quantity.count(done)) of \(Quantity.count(total)) rows"
    return "\(bar) \(Int(share * 100)) %  \(counts)  \(time)"
  }

  mutating func clear() {
    guard isShown else { return }
    isShown = false
    StandardStreams.error("\r\u{1B}[K")
  }
}

/// Numbers for people.
enum Quantity {
  /// `1,234,567`.
  static func count(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return (number < 0 ? "-" : "") + text
  }

  /// `4.1 kB`, in powers of 1000.
  static func bytes(_ number: Int) -> String {
    guard number >= 1000 else { return "\(number) B" }
    var tenths = number / 100
    var units = ["kB", "MB", "GB", "TB"][...]
    while tenths >= 10_000, units.count > 1 {
      tenths /= 1000
      units.removeFirst()
    }
    return "\(tenths / 10).\(tenths % 10) \(units.first ?? "TB")"
  }

  /// `1 row`, `2 rows`.
  static func rows(_ number: Int) -> String { "\(count(number)) \(number == 1 ? "row" : "rows")" }
}
