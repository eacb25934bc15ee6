import Foundation

/// How many crash states the tests go through: `LINTEL_STATES=100000` goes through more.
enum CrashStates {
  static let count = ProcessInfo.processInfo.environment["LINTEL_STATES"].flatMap { Int($0) } ?? 1200
}
