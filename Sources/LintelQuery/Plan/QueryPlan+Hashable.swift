/// Plans are one when they ask the same of the same schema object.
extension QueryPlan: Hashable {
  public static func == (left: QueryPlan, right: QueryPlan) -> Bool {
    left.table == right.table && left.schema === right.schema && left.join == right.join && left.filter == right.filter
      && left.aggregation == right.aggregation && left.outputs == right.outputs && left.isDistinct == right.isDistinct
      && left.ordering == right.ordering && left.limit == right.limit && left.offset == right.offset
      && left.subqueries == right.subqueries
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(table)
    hasher.combine(join)
    hasher.combine(filter)
    hasher.combine(aggregation)
    hasher.combine(outputs)
    hasher.combine(limit)
    hasher.combine(subqueries)
  }
}
