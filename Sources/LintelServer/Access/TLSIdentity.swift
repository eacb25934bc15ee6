#if Server
  internal import NIOSSL
  internal import Synchronization

  /// Where the server's certificate and its key are, in PEM.
  public struct TLSFiles: Sendable, Hashable {
    /// The certificate, then those that lead from it to one that clients trust.
    public var certificate: String
    /// Only its owner may read it.
    public var key: String

    public init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }

  /// What the server shows to clients that come over TLS. Can be exchanged while it serves.
  final class TLSIdentity: Sendable {
    private let current: Mutex<NIOSSLContext>

    init(_ files: TLSFiles) throws(ServerError) { current = Mutex(try Self.load(files)) }

    /// Connections that come from now on see what the files hold now. When they can't be used, nothing changes.
    func load(_ files: TLSFiles) throws(ServerError) {
      let context = try Self.load(files)
      current.withLock { $0 = context }
    }

    /// A handler for one connection.
    func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: current.withLock { $0 }) }

    private static let maximumFileBytes = 1 << 20

    private static func load(_ files: TLSFiles) throws(ServerError) -> NIOSSLContext {
      let key = try PrivateFile.read(files.key, limit: maximumFileBytes)
      do {
        let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map { NIOSSLCertificateSource.certificate($0) }
        let privateKey = try NIOSSLPrivateKey(bytes: key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
          certificateChain: chain, privateKey: .privateKey(privateKey))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
      } catch {
        throw ServerError(
          .invalidConfiguration,
          "\(files.certificate) and \(files.key) are not a certificate and its key in PEM: \(error)")
      }
    }
  }
#endif
