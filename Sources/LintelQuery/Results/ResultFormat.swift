/// The forms an answer can take as text.
///
/// `table`, `box`, `markdown` and `vertical` are for people: times are ISO 8601, durations and money carry units, control
/// characters are escaped. `csv`, `tsv`, `json` and `jsonlines` are for programs: times and durations are integers in
/// nanoseconds, money is an integer in nano-USD. Everywhere ids and hashes are lower-case hex, byte strings base64 and
/// enumerations labels.
public enum ResultFormat: String, Sendable, Hashable, CaseIterable {
  /// Aligned columns under a ruled heading, plain ASCII.
  case table
  /// Aligned columns in a box.
  case box
  /// RFC 4180 with a heading and LF line ends. NULL is an empty field, the empty string `""`.
  case csv
  /// Tab-separated with a heading; `\t`, `\n`, `\r` and `\\` are escaped so. NULL is `\N`.
  case tsv
  /// One object: columns, rows and statistics.
  case json
  /// One object a row.
  case jsonlines
  /// A GitHub-flavoured Markdown table.
  case markdown
  /// One line a value, one block a row.
  case vertical
}
