internal import LintelColumns

/// What the columns of a merged part may be derived from: the keys of the cluster column and of the predictors, kept for
/// all rows, and columns of integers, merged a second time block by block when asked for.
///
/// The key columns are merged first, one after the other; from then on nothing changes, and threads may merge a column each.
struct MergedRelations {
  private let schema: TableSchema
  private let density: PartDensity
  private let rowCount: Int
  /// The number in the part's directory of each schema column that it will hold.
  private let numbers: [Int: Int]
  private var keys: [BlockReference: [PackedRowKeys]] = [:]
  private var references: [BlockReference] = []

  /// Larger parts do without predictors: keys take up to two bytes a row.
  private static let maximumRows = 1 << 25

  /// - Parameter columns: All that will be written, in the order of the directory.
  init(_ schema: TableSchema, _ density: PartDensity, rowCount: Int, columns: [MergedColumn]) {
    self.schema = schema
    self.density = density
    self.rowCount = rowCount
    var numbers: [Int: Int] = [:]
    for (number, column) in columns.enumerated() {
      if case .schema(let name) = column.role, let index = schema.index(of: name) { numbers[index] = number }
    }
    self.numbers = numbers
  }

  /// The columns that others take their keys from.
  static func keyColumns(_ schema: TableSchema, _ density: PartDensity) -> [Int] {
    // What a client sent tells which columns have values.
    let others = density == .dense ? [schema.originsColumn].compactMap(\.self) : []
    return [schema.clusterColumn] + schema.predictors + others
  }

  /// The schema's columns, those first that others refer to: a block refers to columns before its own only.
  static func columnOrder(_ schema: TableSchema, _ density: PartDensity) -> [Int] {
    var order = keyColumns(schema, density)
    for derivation in schema.derivations.sorted(by: { $0.key < $1.key }).map(\.value) {
      switch derivation {
      case .reference(let column): order += [schema.index(of: column)].compactMap(\.self)
      case .weightedSum(let terms): order += terms.compactMap { schema.index(of: $0) }
      }
    }
    var seen: Set<Int> = []
    return (order + schema.columns.indices).filter { seen.insert($0).inserted }
  }

  /// How the blocks of a column may be derived from columns before it.
  func relations(of role: PartColumnRole) -> [BlockRelation] {
    guard role != .tail, rowCount <= Self.maximumRows else { return [] }
    var relations: [BlockRelation] = references.map { .keyed($0) }
    if density == .dense { relations += references.filter { $0.kind == .values }.map { .classes(.key($0)) } }
    guard case .schema(let name) = role, let column = schema.index(of: name), let number = numbers[column] else {
      return relations
    }
    let runs = references.first { $0.kind == .runs }
    if column == schema.timeColumn, let runs { relations.append(.offsets(runs: runs)) }
    switch schema.derivations[column] {
    case .reference(let ids):
      if let runs, let ids = schema.index(of: ids).flatMap({ numbers[$0] }), ids < number {
        relations.append(.ordinals(runs: runs, ids: ids))
      }
    case .weightedSum(let names):
      let terms = names.compactMap { schema.index(of: $0).flatMap { numbers[$0] } }.filter { $0 < number }
      for reference in references where reference.kind == .values {
        relations.append(.linear(keys: reference, terms: terms))
      }
    case nil: break
    }
    if density == .dense { relations += denseRelations(column, number, runs) }
    return relations
  }

  /// What takes longer to find, to write and to read.
  private func denseRelations(_ column: Int, _ number: Int, _ runs: BlockReference?) -> [BlockRelation] {
    let contexts = (schema.correlations[column] ?? []).compactMap { numbers[$0] }.filter { $0 < number }
      .flatMap { column in (0...3).map { ClassContext.magnitude(column: column, steps: $0) } }
    var relations = contexts.map { BlockRelation.classes($0) }
    guard let runs else { return relations }
    relations += [0, 1, 2].map { .classes(.previous(runs: runs, steps: $0)) }
    if column == schema.durationColumn, let starts = numbers[schema.timeColumn], starts < number {
      let keys = references.filter { $0.kind == .values }.map { ClassContext.key($0) }
      relations += ([.nothing] + keys + contexts).map { .enclosing(runs: runs, starts: starts, $0) }
    }
    return relations
  }

  /// What is to be collected from a column while it is merged; `nil` where others don't refer to it.
  /// - Parameter dictionaryCount: Entries that the column's dictionary may have; `nil` when it has none.
  func collector(_ role: PartColumnRole, dictionaryCount: Int?) -> KeyCollector? {
    guard case .schema(let name) = role, let column = schema.index(of: name), rowCount <= Self.maximumRows else {
      return nil
    }
    if column == schema.clusterColumn { return KeyCollector(.runs, dictionaryCount: dictionaryCount ?? 0) }
    guard Self.keyColumns(schema, density).contains(column), let dictionaryCount,
      dictionaryCount <= RowKeys.maximumDictionary
    else {
      return nil
    }
    return KeyCollector(.values, dictionaryCount: dictionaryCount)
  }

  /// Takes in the keys of all blocks of a column.
  /// - Parameter number: The column's number in the directory.
  mutating func add(_ collector: KeyCollector, number: Int) {
    let reference = BlockReference(number, collector.kind)
    keys[reference] = collector.keys
    references.append(reference)
  }

  func keys(_ reference: BlockReference, block: Int) throws(ColumnError) -> RowKeys {
    guard let known = keys[reference], block < known.count else {
      throw ColumnError(.malformed, "no keys of column \(reference.column) were kept")
    }
    return known[block].keys
  }

  /// The column of the schema with a number in the directory.
  func column(_ number: Int) -> Int? { numbers.first { $0.value == number }?.key }
}

/// The keys of one column, block after block as it is written.
struct KeyCollector {
  let kind: BlockReference.Kind
  let dictionaryCount: Int
  private(set) var keys: [PackedRowKeys] = []
  /// False when a block had no keys: then the column serves no other.
  private(set) var isWhole = true

  init(_ kind: BlockReference.Kind, dictionaryCount: Int) {
    self.kind = kind
    self.dictionaryCount = dictionaryCount
  }

  mutating func add(_ vector: ColumnVector) {
    if kind == .runs {
      add(RowKeys(runsOf: vector))
    } else if case .codes(let codes, _) = vector.storage {
      add(RowKeys(codes: codes, validity: vector.validity, dictionaryCount: dictionaryCount))
    } else {
      add(nil)
    }
  }

  mutating func add(nulls rowCount: Int) { add(RowKeys(nulls: rowCount)) }

  private mutating func add(_ keys: RowKeys?) {
    if let keys { self.keys.append(PackedRowKeys(keys, kind)) } else { isWhole = false }
  }
}

/// The relations as one column sees them while it is merged, block after block. Used by one thread.
final class ColumnRelations: RelatedBlocks {
  private let relations: MergedRelations
  private let sources: MergeSources
  private let layout: MergeLayout
  private var integers: [Int: MergedIntegers] = [:]
  private var lastKeys: [BlockReference: RowKeys] = [:]
  private var block = 0
  /// Set when the sources could not be read; the merge must not go on.
  private(set) var failure: StorageError?

  init(_ relations: MergedRelations, sources: MergeSources, layout: MergeLayout) {
    self.relations = relations
    self.sources = sources
    self.layout = layout
  }

  func begin(block: Int) {
    self.block = block
    lastKeys.removeAll(keepingCapacity: true)
  }

  func keys(_ reference: BlockReference) throws(ColumnError) -> RowKeys {
    if let last = lastKeys[reference] { return last }
    let keys = try relations.keys(reference, block: block)
    lastKeys[reference] = keys
    return keys
  }

  func integers(_ number: Int) throws(ColumnError) -> ColumnVector {
    guard let column = relations.column(number) else {
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

  init(_ column: Int, _ sources: MergeSources) {
    columns = sources.readers.map { SourceColumn($0, $0.place(.column(column)), .int64, .keys(sources.keys)) }
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
