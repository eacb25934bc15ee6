/// When a column gets a dictionary.
///
/// A dictionary is read whole before the first block is, so that it must stay small against the column; equality and
/// grouping on codes pay for much. Ids that repeat in adjacent rows (a trace's) cost nearly nothing as codes, because
/// the codes are given in the order of first appearance.
enum DictionaryPolicy {
  /// At least this many entries are allowed whatever the number of rows.
  static let minimumLimit = 65_536
  /// Below what the store's cache takes by default in one piece: a dictionary beyond it is read anew for every block.
  static let maximumBytes = 96 << 20
  /// Values that take more than this on average are not looked at for repeats.
  static let longValueBytes = 1024
  /// Values seen before a column that repeats nothing is given up.
  static let trialValues = 4096

  /// A single value has nothing to repeat.
  /// - Parameters:
  ///   - values: Rows that have a value.
  static func pays(distinct: Int, values: Int, bytes: Int) -> Bool {
    values > 1 && distinct <= max(minimumLimit, values / 4) && 2 * distinct <= values + 2 && bytes <= maximumBytes
  }

  /// The same for a merge, which writes what is read for long: there a dictionary is worth its while as soon as it takes
  /// fewer bytes than the values by themselves.
  static func paysWhenMerged(distinct: Int, values: Int, bytes: Int) -> Bool {
    guard distinct > minimumLimit else { return pays(distinct: distinct, values: values, bytes: bytes) }
    return distinct <= values / 4 * 3 && bytes <= maximumBytes && bytes / distinct >= 8
  }

  /// Whether to stop trying after `values` of the values.
  static func isHopeless(distinct: Int, values: Int, bytes: Int) -> Bool {
    values >= trialValues && 4 * distinct > 3 * values || bytes > maximumBytes
  }
}
