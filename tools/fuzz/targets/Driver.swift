internal import Glibc

/// By name; LINTEL_FUZZ_TARGET says which one runs.
private let fuzzTargets = [
  columnTargets, relatedTargets, storageTargets, contentTargets, recordTargets, storeTargets, textTargets, bodyTargets,
].reduce(into: [:]) { $0.merge($1) { first, _ in first } }

/// The rows stand in the first two bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
  guard size >= 2 else { return 0 }
  let rows = (Int(data[0]) | Int(data[1]) << 8) % 5000
  // A copy of the very size, so that the address sanitizer sees each byte read beyond it.
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: size - 2, alignment: 1)
  defer { copy.deallocate() }
  copy.copyMemory(from: UnsafeRawBufferPointer(start: data + 2, count: size - 2))
  chosenTarget(rows, UnsafeRawBufferPointer(copy))
  return 0
}

private let chosenTarget: FuzzTarget = {
  let name = getenv("LINTEL_FUZZ_TARGET").map { String(cString: $0) } ?? ""
  guard let target = fuzzTargets[name] else {
    fatalError("LINTEL_FUZZ_TARGET is one of \(fuzzTargets.keys.sorted().joined(separator: ", "))")
  }
  return target
}()

/// With LINTEL_FUZZ_SEEDS it writes seeds into that directory, in folders that are called after what they hold, and ends;
/// with LINTEL_FUZZ_TARGET=list it names the targets.
@_cdecl("LLVMFuzzerInitialize")
public func fuzzInitialize(_ count: UnsafeMutableRawPointer, _ arguments: UnsafeMutableRawPointer) -> CInt {
  if getenv("LINTEL_FUZZ_TARGET").map({ String(cString: $0) }) == "list" {
    for name in fuzzTargets.keys.sorted() { print(name) }
    exit(0)
  }
  guard let directory = getenv("LINTEL_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
  for (folder, seeds) in allSeeds() {
    mkdir("\(directory)/\(folder)", 0o755)
    for (name, rows, bytes) in seeds {
      write([UInt8(rows & 255), UInt8(rows >> 8)] + bytes, to: "\(directory)/\(folder)/\(name)")
    }
  }
  exit(0)
}

private func write(_ bytes: [UInt8], to path: String) {
  guard let file = fopen(path, "w") else { fatalError("can't write \(path)") }
  fwrite(bytes, 1, bytes.count, file)
  fclose(file)
}
