/// Numbers in the text files of a store and its backups.
///
/// What no store can have come to isn't believed: whoever counts on from there, or adds sizes up, can't overflow.
enum StoredNumber {
  /// Sequences, files, erasures: below 2^62.
  static func counter(_ text: some StringProtocol) -> UInt64? { UInt64(text).flatMap { $0 < 1 << 62 ? $0 : nil } }

  /// Rows, bytes, pieces: below 2^48, so that tens of thousands of files' fit together.
  static func size(_ text: some StringProtocol) -> Int? { Int(text).flatMap { 0..<1 << 48 ~= $0 ? $0 : nil } }

  /// How often something was merged: below 2^16.
  static func level(_ text: some StringProtocol) -> Int? { Int(text).flatMap { 0..<1 << 16 ~= $0 ? $0 : nil } }
}
