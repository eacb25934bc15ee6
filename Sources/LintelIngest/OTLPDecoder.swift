public import Lintel

/// Turns OTLP trace requests into batches of the spans table.
///
/// A decoder holds no state between requests and may be used from every thread at once. It works straight from the bytes
/// into column lanes: no object is made for a span or for an attribute. About half a million spans a second on one core.
///
/// ```swift
/// let decoder = OTLPDecoder(hasher: store.hasher)
/// let request = try body.withUnsafeBytes { try decoder.decode($0, organization: header) }
/// try await store.append(request.batch)
/// ```
public struct OTLPDecoder: Sendable {
  public let hasher: UserHasher
  public let limits: OTLPLimits

  /// - Parameters:
  ///   - hasher: turns user ids into what is stored in their place.
  ///   - limits: what a request may ask for.
  public init(hasher: UserHasher, limits: OTLPLimits = OTLPLimits()) {
    self.hasher = hasher
    self.limits = limits
  }

  /// Decodes an ExportTraceServiceRequest in protobuf.
  ///
  /// - Parameters:
  ///   - body: the request, decompressed. Only read during the call.
  ///   - organization: who sends, where the transport knows (`X-Scope-OrgID`); goes before what the request says.
  /// - Returns: the rows, and which spans were left out.
  /// - Throws: ``OTLPError`` when nothing of the request can be used.
  public func decode(
    _ body: UnsafeRawBufferPointer, organization: String? = nil
  ) throws(OTLPError) -> DecodedRequest {
    // Spans of a few hundred bytes are the rule.
    var decoder = RequestDecoder(
      hasher: hasher, limits: limits, organization: organization, rows: body.count / 400)
    do {
      return try decoder.decode(body)
    } catch {
      throw OTLPError(error)
    }
  }

  /// Decodes an ExportTraceServiceRequest in OTLP's JSON. Rules and answers are those of protobuf.
  ///
  /// - Throws: ``OTLPError`` when the body isn't JSON, a value has the wrong type, or nothing of it can be used.
  public func decode(
    json body: UnsafeRawBufferPointer, organization: String? = nil
  ) throws(OTLPError) -> DecodedRequest {
    let message: [UInt8]
    do {
      message = try OTLPJSON.protobuf(body)
    } catch {
      throw OTLPError(.malformed, "the request isn't OTLP JSON: \(error); nothing of it was stored")
    }
    return try message.withUnsafeBufferPointer { bytes throws(OTLPError) in
      try decode(UnsafeRawBufferPointer(bytes), organization: organization)
    }
  }
}
