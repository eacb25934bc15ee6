#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Darwin)
  internal import Darwin
#endif

extension StorageError {
  /// An error of the operating system, in words: what was tried, what it answered, and what to do about it.
  static func system(_ operation: String, _ path: String, _ number: Int32) -> StorageError {
    let reason = String(cString: strerror(number))
    let advice = advice(number).map { "; \($0)" } ?? ""
    return StorageError(
      code(number), "cannot \(operation): \(reason) (errno \(number))\(advice)", path: path, errorNumber: number)
  }

  /// The file or a directory on the way to it doesn't exist.
  public var isMissingFile: Bool { errorNumber == ENOENT }

  static func missingFile(_ path: String, _ message: String) -> StorageError {
    StorageError(.io, message, path: path, errorNumber: ENOENT)
  }

  private static func code(_ number: Int32) -> Code {
    switch number {
    case ENOSPC, EDQUOT: .diskFull
    default: .io
    }
  }

  private static func advice(_ number: Int32) -> String? {
    switch number {
    case ENOSPC: "free some space on the device, then retry"
    case EDQUOT: "the disk quota is used up: raise it or free some space, then retry"
    case EACCES, EPERM: "check the owner and the permissions of the data directory"
    case EROFS: "the file system is mounted read-only"
    case EMFILE, ENFILE: "too many open files: raise the limit (ulimit -n)"
    case EIO: "the device reports an error: check the disk and the kernel log"
    case ENOTDIR: "a part of the path is not a directory"
    case ENOENT: "no such file or directory on the way"
    case EEXIST: "something of that name is there already"
    case ENOLCK: "this file system has no locks: keep the data on a local disk"
    default: nil
    }
  }
}
