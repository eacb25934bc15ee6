import Lintel
import LintelColumns
import Testing

@testable import LintelIngest

/// The conventions table holds together.
@Suite struct ConventionsTests {
  @Test func everyKeyStandsOnceInAList() {
    for list in [Convention.List.span, .resource] {
      let keys = Conventions.table.flatMap(\.candidates).filter { $0.list == list }.map(\.key)
      #expect(Set(keys).count == keys.count)
    }
    #expect(Set(Conventions.userKeys).isDisjoint(with: Conventions.table.flatMap(\.candidates).map(\.key)))
  }

  @Test func everyColumnExistsOnceAndIsNullable() throws {
    #expect(Set(Conventions.table.map(\.column)).count == Conventions.table.count)
    for convention in Conventions.table {
      let index = try #require(SpanSchema.table.index(of: convention.column))
      #expect(SpanSchema.table.columns[index].isNullable)
    }
  }

  @Test func theDecoderFindsTheColumnsItKnowsByName() {
    #expect(Conventions.table[RequestDecoder.serviceSlot].column == "service_name")
    #expect(Conventions.table[RequestDecoder.organizationSlot].column == "org_id")
    #expect(Conventions.table[RequestDecoder.applicationSlot].column == "app_id")
    // Those that a resource can fill come first: the decoder keeps them in columns of another kind.
    let count = KnownKeys.shared.identityCount
    for (index, convention) in Conventions.table.enumerated() {
      #expect(convention.candidates.contains { $0.list == .resource } == (index < count))
    }
  }

  @Test func movesFitTheSet() {
    #expect(Conventions.moves.count < Int(MoveSet.zeroParent))
    #expect(SpanSchema.table.movedAttributes == Conventions.moves)
    #expect(Set(Conventions.moves.map(\.originEntry)).count == Conventions.moves.count)
  }

  @Test func openInferenceKindsAreOneToOne() {
    let kinds = Conventions.openInferenceKinds
    #expect(Set(kinds.map(\.kind)).count == kinds.count)
    #expect(Set(kinds.map(\.operation)).count == kinds.count)
  }

  @Test func aliasesEndAtCanonicalNames() {
    for name in Conventions.providerAliases.values { #expect(Conventions.providerAliases[name] == nil) }
  }

  @Test func everyOriginReadsBack() throws {
    for move in Conventions.moves {
      let origins = try RowOrigins(move.originEntry)
      #expect(origins.moves.count == 1)
      #expect(origins.moves.first.map { String(decoding: $0.key, as: UTF8.self) } == move.key)
      #expect(origins.moves.first?.conversion == move.conversion)
      #expect(origins.moves.first?.isResource == (move.list == "resource_attributes"))
    }
  }
}
