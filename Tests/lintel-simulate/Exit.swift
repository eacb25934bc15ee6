#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Ends the program with what is to be said.
func exit(_ message: String, failed: Bool) {
  print(message)
  exit(failed ? 1 : 0)
}
