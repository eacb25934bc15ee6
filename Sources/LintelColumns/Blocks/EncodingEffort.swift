/// How hard an encoder looks for fewer bytes.
public enum EncodingEffort: Sendable {
  /// What a flush can afford: encodings found by one look at the values.
  case light
  /// What a merge can afford: binned integers, fresh codes, templates and symbol tables too, where a sample promises
  /// that they pay.
  case compact
  /// What a move to a tier can afford that is read less often: whatever takes fewest bytes, though it be read more slowly.
  case dense
}
