internal import Lintel
internal import LintelColumns

/// Decodes one ExportTraceServiceRequest from bytes into column lanes.
///
///     request := ResourceSpans*     ResourceSpans := resource, ScopeSpans*     ScopeSpans := scope, Span*
///
/// A span is read twice: first into `span` (nothing is stored, everything is checked), then, if nothing speaks against it,
/// from there into `columns`. So a bad span leaves no trace in the lanes. Messages that aren't well-formed refuse the
/// whole request instead, for past them nothing can be trusted.
struct RequestDecoder {
  let known = KnownKeys.shared
  let hasher: UserHasher
  let limits: OTLPLimits
  /// The organisation that the caller knows, which goes before what the request says.
  let organization: String?
  let organizationCode: UInt32?

  /// Places among the conventions that the decoder knows by name; a test holds them against the table.
  static let serviceSlot = 0
  static let organizationSlot = 1
  static let applicationSlot = 3

  var values: ValueReader
  var columns: SpanColumns
  var rejected: [Int]

  // The resource and the scope being read.
  var resource: ResourceState
  var scope = ScopeState()
  // The span being read, and what each convention found in it.
  var span = ParsedSpan()
  var slots: [SlotState]

  /// Room to encode a map.
  var scratch = VariantWriter()

  // User ids of the request and their hashes.
  var userIDs = DictionaryBuilder()
  var userHashes: [UInt128] = []

  /// - Parameter rows: about how many spans the request has.
  init(hasher: UserHasher, limits: OTLPLimits, organization: String?, rows: Int) {
    self.hasher = hasher
    self.limits = limits
    self.organization = organization
    resource = ResourceState(known: known)
    values = ValueReader(known: known, limits: limits)
    columns = SpanColumns(known: known, rows: rows)
    rejected = Array(repeating: 0, count: RejectionReason.allCases.count)
    slots = Array(repeating: SlotState(), count: Conventions.table.count)
    var organizations = DictionaryBuilder()
    organizationCode = organization.map { organizations.code(for: $0) }
    columns.identities[Self.organizationSlot].values = organizations
  }

  /// Decodes the whole request.
  mutating func decode(_ body: WireSlice) throws(WireError) -> DecodedRequest {
    var reader = WireReader(body)
    guard body.count <= limits.requestBytes else { throw reader.failure(.tooLarge) }
    while !reader.isAtEnd {
      let tag = try reader.readTag()
      if tag == 0x0a {
        try decodeResourceSpans(try reader.readSlice(), in: reader)
      } else {
        try values.skip(tag, lastKnown: 1, &reader)
      }
    }
    var counts: [RejectionReason: Int] = [:]
    for reason in RejectionReason.allCases where rejected[reason.rawValue] > 0 {
      counts[reason] = rejected[reason.rawValue]
    }
    return DecodedRequest(batch: columns.finish(keyNames: values.finishKeys()), rejected: counts)
  }

  /// Takes note of a string that isn't UTF-8: either the request is refused here, or the caller rejects spans.
  mutating func takeInvalidText(in reader: borrowing WireReader) throws(WireError) -> Bool {
    guard values.hasInvalidText else { return false }
    values.hasInvalidText = false
    guard limits.invalidText == .rejectSpan else { throw reader.failure(.invalidText) }
    return true
  }
}

/// What a convention found in the span that is being stored.
struct SlotState {
  /// Row of the span that this is about; anything else is left over from another span.
  var row = UInt32.max
  var rank: UInt8 = 0
  /// Number of the first move of the winning candidate.
  var move: UInt8 = 0
  /// Index of the attribute among the span's.
  var attribute = 0
  var value = SlotValue()
}
