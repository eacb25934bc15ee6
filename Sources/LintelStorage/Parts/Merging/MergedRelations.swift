internal import LintelColumns

/// What the columns of a merged part may be derived from while it is being written: the keys of the cluster column and
/// of the predictors, kept for all rows, and columns of integers, merged a second time block by block when asked for.
///
/// Used by one thread, column after column, block after block.
final class MergedRelations: RelatedBlocks {
  private let schema: TableSchema
  private let sources: [PartReader]
  private let layout: MergeLayout
  /// The number in the part's directory of each schema column that has been written.
  private var numbers: [Int: Int] = [:]
  private var keys: [BlockReference: [RowKeys]] = [:]
  private var references: [BlockReference] = []
  private var integers: [Int: MergedIntegers] = [:]
  private var block = 0
  /// What is being collected from the column at hand.
  private var collecting: (kind: BlockReference.Kind, dictionaryCount: Int, keys: [RowKeys])?
  private var column: Int?
  /// Set when the sources could not be read; the merge must not go on.
  private(set) var failure: StorageError?

  /// Keys take two bytes a row. Larger parts do without predictors.
  private static let maximumRows = 1 << 25

  init(_ schema: TableSchema, sources: [PartReader], layout: MergeLayout) {
    self.schema = schema
    self.sources = sources
    self.layout = layout
  }

  /// The schema's columns, those first that others refer to: a block refers to columns before its own only.
  var columnOrder: [Int] {
    var order = [schema.clusterColumn] + schema.predictors
    for derivation in schema.derivations.sorted(by: { $0.key < $1.key }).map(\.value) {
      switch derivation {
      case .reference(let column): order += [schema.index(of: column)].compactMap(\.self)
      case .weightedSum(let terms): order += terms.compactMap { schema.index(of: $0) }
      }
    }
    var seen: Set<Int> = []
    return (order + schema.columns.indices).filter { seen.insert($0).inserted }
  }

  /// How the blocks of a column may be derived from the columns written so far.
  func relations(of role: PartColumnRole) -> [BlockRelation] {
    guard role != .tail, layout.rowCount <= Self.maximumRows else { return [] }
    var relations: [BlockRelation] = references.map { .keyed($0) }
    guard case .schema(let name) = role, let column = schema.index(of: name) else { return relations }
    let runs = references.first { $0.kind == .runs }
    if column == schema.timeColumn, let runs { relations.append(.offsets(runs: runs)) }
    switch schema.derivations[column] {
    case .reference(let ids):
      if let runs, let ids = schema.index(of: ids).flatMap({ numbers[$0] }) {
        relations.append(.ordinals(runs: runs, ids: ids))
      }
    case .weightedSum(let names):
      let terms = names.compactMap { schema.index(of: $0).flatMap { numbers[$0] } }
      for reference in references where reference.kind == .values {
        relations.append(.linear(keys: reference, terms: terms))
      }
    case nil: break
    }
    return relations
  }

  /// - Parameter dictionaryCount: Entries that the column's dictionary may have; `nil` when it has none.
  func beginColumn(_ role: PartColumnRole, dictionaryCount: Int?) {
    collecting = nil
    column = nil
    guard case .schema(let name) = role, let column = schema.index(of: name) else { return }
    self.column = column
    guard layout.rowCount <= Self.maximumRows else { return }
    if column == schema.clusterColumn {
      collecting = (.runs, dictionaryCount ?? 0, [])
    } else if schema.predictors.contains(column), let dictionaryCount, dictionaryCount <= RowKeys.maximumDictionary {
      collecting = (.values, dictionaryCount, [])
    }
  }

  func begin(block: Int) { self.block = block }

  /// The next block of the column at hand, as it is written.
  func add(_ vector: ColumnVector) {
    guard let collected = collecting else { return }
    let keys: RowKeys?
    if collected.kind == .runs {
      keys = RowKeys(runsOf: vector)
    } else if case .codes(let codes, _) = vector.storage {
      keys = RowKeys(codes: codes, validity: vector.validity, dictionaryCount: collected.dictionaryCount)
    } else {
      keys = nil
    }
    if let keys { collecting?.keys.append(keys) } else { collecting = nil }
  }

  func add(nulls rowCount: Int) { collecting?.keys.append(RowKeys(nulls: rowCount)) }

  /// - Parameter number: The column's number in the directory; `nil` when it had no value.
  func endColumn(number: Int?) {
    guard let column, let number else { return }
    numbers[column] = number
    guard let collected = collecting, collected.keys.count == layout.blocks.count else { return }
    let reference = BlockReference(number, collected.kind)
    keys[reference] = collected.keys
    references.append(reference)
    collecting = nil
  }

  func keys(_ reference: BlockReference) throws(ColumnError) -> RowKeys {
    guard let known = keys[reference], block < known.count else {
      throw ColumnError(.malformed, "no keys of column \(reference.column) were kept")
    }
    return known[block]
  }

  func integers(_ number: Int) throws(ColumnError) -> ColumnVector {
    guard let column = numbers.first(where: { $0.value == number })?.key else {
      throw ColumnError(.malformed, "there is no column \(number)")
    }
    var merged = integers.removeValue(forKey: number) ?? MergedIntegers(column, sources)
    defer { integers[number] = merged }
    do throws(StorageError) {
      return try merged.block(block, layout)
    } catch {
      failure = error
      throw ColumnError(.malformed, error.message)
    }
  }
}

/// A column of integers that is merged again, for those derived from it.
private struct MergedIntegers {
  private var columns: [SourceColumn]
  private var gather = ColumnGather(.int64, isCoded: false)
  private var last: (block: Int, vector: ColumnVector)?

  init(_ column: Int, _ sources: [PartReader]) {
    columns = sources.map { SourceColumn($0, $0.place(.column(column)), .int64) }
  }

  mutating func block(_ number: Int, _ layout: MergeLayout) throws(StorageError) -> ColumnVector {
    if let last, last.block == number { return last.vector }
    let block = layout.blocks[number]
    let vector =
      try gather.block(block, of: layout, from: &columns, dictionary: nil) ?? .nulls(.int64, count: block.rowCount)
    last = (number, vector)
    return vector
  }
}
