/// The name of a tenant: whose rows are erased, held, or kept for how long.
///
/// Names are equal when their bytes are, as they are to columns, shards and content. Strings are equal already when they look
/// alike ("é" is one scalar or two): rules that compared those would reach the rows of another tenant.
public struct TenantName: Sendable, Hashable, Comparable, ExpressibleByStringLiteral {
  /// As the tenant column holds it.
  public let utf8: [UInt8]

  public init(_ text: some StringProtocol) { utf8 = Array(text.utf8) }

  public init(utf8: some Sequence<UInt8>) { self.utf8 = Array(utf8) }

  public init(stringLiteral text: String) { self.init(text) }

  public var text: String { String(decoding: utf8, as: UTF8.self) }

  public static func < (left: TenantName, right: TenantName) -> Bool { left.utf8.lexicographicallyPrecedes(right.utf8) }
}
