import ArgumentParser
import Glibc

/// What spans are made from, the same for all commands.
struct WorkloadOptions: ParsableArguments {
  @Option(help: "Spans to make.") var spans = 1_000_000
  @Option(help: "The same seed makes the same spans.") var seed: UInt64 = 1
  @Option(
    help:
      "Spans a second of imagined time (2000, or what fills the last hour of a running linteld).")
  var rate: Double?
  @Option(help: "Threads that make spans.") var threads = 2

  /// 2026-02-01T00:00:00Z, in nanoseconds since 1970.
  private static let firstOfFebruary: Int64 = 1_769_904_000_000_000_000

  func workload() -> Workload {
    Workload(seed: seed, start: Self.firstOfFebruary, rate: rate ?? 2000)
  }

  /// The hour before now.
  func lastHour() -> Workload {
    Workload(
      seed: seed, start: Int64(time(nil) - 3600) * 1_000_000_000,
      rate: rate ?? max(1, Double(spans) / 3600))
  }
}

/// `lintel-bench generate`: makes spans, and says how fast and what no format can go below.
struct Generate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make spans; print the rate and the entropy floor.")

  @OptionGroup var options: WorkloadOptions
  @Option(help: "Spans in one batch.") var batch = 8192
  @Flag(help: "Make OTLP bodies in place of batches.") var bodies = false
  @Option(help: "Write OTLP bodies into this directory, a file each.") var otlp: String?
  @Option(help: "Spans in one OTLP body.") var bodySpans = 500

  func run() async throws {
    if let otlp, mkdir(otlp, 0o755) != 0, errno != EEXIST {
      throw ValidationError("can't make \(otlp): \(String(cString: strerror(errno)))")
    }
    var workload = options.workload()
    let began = Usage.now()
    if let otlp {
      let bytes = try await makeBodies(&workload, into: otlp).reduce(0, +)
      report("OTLP bodies of \(bodySpans) in \(otlp)", bytes: bytes, seconds: Usage.now() - began)
    } else if bodies {
      let bytes = try await makeBodies(&workload, into: nil).reduce(0, +)
      report("OTLP bodies of \(bodySpans)", bytes: bytes, seconds: Usage.now() - began)
    } else {
      let marks = await makeBatches(&workload)
      report("batches of \(batch)", bytes: nil, seconds: Usage.now() - began)
      print("mark of these spans \(String(marks.reduce(0) { SplitMix64.mix($0 ^ $1) }, radix: 16))")
    }
    print("peak memory \((Usage.peakResidentBytes() >> 20).grouped) MiB")
    print(Self.table(workload.floor))
  }

  /// Returns a mark of each stream's spans.
  private func makeBatches(_ workload: inout Workload) async -> [UInt64] {
    let (catalogue, rows) = (workload.catalogue, batch)
    return await workload.run(spans: options.spans, threads: options.threads) { stream, share in
      var maker = BatchMaker(catalogue)
      var mark: UInt64 = 0
      stream.forEachRows(share, rows) { rows in
        for row in rows { mark = SplitMix64.mix(mark ^ row.spanID) }
        mark ^= UInt64(maker.batch(rows).columns.count)
      }
      return mark
    }
  }

  /// Returns the bytes of each stream's bodies.
  private func makeBodies(_ workload: inout Workload, into directory: String?) async throws -> [Int] {
    let (catalogue, bodySpans) = (workload.catalogue, bodySpans)
    let results = await workload.run(spans: options.spans, threads: options.threads) {
      stream, share in
      var (bytes, number) = (0, 0)
      var failure: String?
      let name = stream.number
      stream.forEachBody(catalogue, share, bodySpans) { body, _ in
        bytes += body.count
        if let directory, failure == nil {
          failure = Self.write(
            body, to: "\(directory)/\(number.padded(to: 7))-\(name).pb")
        }
        number += 1
      }
      return failure.map { Result<Int, ValidationError>.failure(ValidationError($0)) }
        ?? .success(bytes)
    }
    return try results.map { try $0.get() }
  }

  /// Returns what went wrong.
  private static func write(_ body: UnsafeRawBufferPointer, to path: String) -> String? {
    guard let file = fopen(path, "w") else {
      return "can't write \(path): \(String(cString: strerror(errno)))"
    }
    let written = fwrite(body.baseAddress, 1, body.count, file)
    return fclose(file) == 0 && written == body.count
      ? nil : "can't write \(path): \(String(cString: strerror(errno)))"
  }

  private func report(_ form: String, bytes: Int?, seconds: Double) {
    let rate = Int(Double(options.spans) / seconds)
    print(
      "\(options.spans.grouped) spans as \(form): \(rate.grouped) a second on \(options.threads) threads"
    )
    if let bytes {
      print("\(bytes.grouped) bytes, \((Double(bytes) / Double(options.spans)).fixed(1)) a span")
    }
  }

  private static func table(_ floor: EntropyFloor) -> String {
    var table = TextTable(["column", "floor B/span"])
    for column in DrawnColumn.allCases.sorted(by: {
      floor.bytesPerSpan($0) > floor.bytesPerSpan($1)
    }) {
      table.add([column.name, floor.bytesPerSpan(column).fixed(3)])
    }
    table.add(["all columns", floor.bytesPerSpan.fixed(2)])
    return table.text
  }
}

extension Int {
  /// With leading zeros, so that names sort as their numbers do.
  func padded(to digits: Int) -> String {
    let text = String(self)
    return String(repeating: "0", count: Swift.max(0, digits - text.count)) + text
  }
}
