#if Server
  import ArgumentParser
  import Lintel
  import LintelIngest
  import LintelServer
  import LintelStorage
  import Logging
  import Testing

  @testable import linteld

  @Suite struct ServeSettingsTests {
    func settings(
      _ arguments: [String], _ environment: [String: String] = [:]
    ) throws -> ServeSettings {
      try ServeSettings(ServeOptions.parse(arguments), environment: environment)
    }

    @Test func defaultsNeedADirectoryOnly() throws {
      let settings = try settings(["--data", "d"])
      #expect(settings.data == "d")
      #expect(settings.server == ServerConfiguration())
      #expect(settings.logLevel == .info)
      #expect(throws: UsageError.self) { try self.settings([]) }
    }

    @Test func flagsWinOverTheEnvironment() throws {
      let environment = [
        "LINTEL_DATA": "e", "LINTEL_OTLP_HTTP": "10.0.0.1:1", "LINTEL_API": "h:2", "LINTEL_MAX_BODY": "1MiB",
        "LINTEL_LOG_LEVEL": "debug", "LINTEL_BUFFERED": "true", "LINTEL_QUERY_TIMEOUT": "", "OTHER": "x",
      ]
      let settings = try settings(
        ["--api", "[::1]:3", "--allow-anyone", "--max-queries", "2", "--body-timeout", "1.5"], environment)
      #expect(settings.data == "e")
      #expect(settings.server.otlpHTTP == ListenAddress(host: "10.0.0.1", port: 1))
      #expect(settings.server.api == ListenAddress(host: "::1", port: 3))
      #expect(settings.server.limits.bodyBytes == 1 << 20)
      #expect(settings.server.limits.concurrentQueries == 2)
      #expect(settings.server.limits.bodySeconds == 1.5)
      #expect(settings.server.limits.querySeconds == ServerLimits().querySeconds)
      #expect(settings.logLevel == .debug)
      #expect(settings.store.storage.durability == .buffered)
    }

    @Test func tiersAreThereWhenTheyHaveADirectory() throws {
      func tiers(_ arguments: [String], _ environment: [String: String] = [:]) throws -> TierConfiguration {
        try settings(["--data", "d"] + arguments, environment).store.storage.tiers
      }
      #expect(try tiers([]) == TierConfiguration())
      let day = 86_400.0
      let usual = try tiers(["--warm", "/w", "--cold", "/c"])
      #expect(usual.warm == TierSettings(directory: "/w", afterSeconds: 7 * day))
      #expect(usual.cold == TierSettings(directory: "/c", afterSeconds: 90 * day))
      let own = try tiers(
        ["--cold-after", "2w", "--hot-free", "20GiB", "--move-rate", "1MiB"], ["LINTEL_COLD": "/c"])
      #expect(own.warm == nil && own.cold == TierSettings(directory: "/c", afterSeconds: 14 * day))
      #expect(own.hotFreeBytes == 20 << 30 && own.moveBytesPerSecond == 1 << 20)
      // Other processes read the path, too.
      let relative = try #require(try tiers(["--warm", "w"]).warm?.directory)
      #expect(relative.hasPrefix("/") && relative.hasSuffix("/w"))
      for wrong in [
        ["--warm-after", "7d"], ["--cold-after", "7d"], ["--warm", "/w", "--warm-after", "7"], ["--hot-free", "1GiB"],
        ["--warm", "/w", "--cold", "/c", "--cold-after", "1d"], ["--warm", "/w", "--move-rate", "0"],
      ] {
        #expect(throws: UsageError.self, "\(wrong)") { try tiers(wrong) }
      }
    }

    @Test func portsThatOthersReachWantTokens() throws {
      for open in [
        ["--api", "0.0.0.0:1"], ["--api", ":1"], ["--otlp-http", "10.1.2.3:1"], ["--otlp-http", "[::]:1"],
      ] {
        #expect(throws: UsageError.self) { try settings(["--data", "d"] + open) }
        #expect(try settings(["--data", "d", "--token-file", "t"] + open).tokenFile == "t")
        #expect(try settings(["--data", "d", "--allow-anyone"] + open).openAddresses.count == 1)
        #expect(try settings(["--data", "d"] + open, ["LINTEL_ALLOW_ANYONE": "true"]).tokenFile == nil)
      }
      for mine in ["localhost:1", "127.0.0.2:1", "[::1]:1", "[0:0:0:0:0:0:0:1]:1"] {
        #expect(try settings(["--data", "d", "--api", mine]).openAddresses.isEmpty)
      }
      for foreign in ["127.0.0.1.example:1", "[::2]:1", "localhost.example:1"] {
        #expect(throws: UsageError.self) { try settings(["--data", "d", "--api", foreign]) }
      }
    }

    @Test func aCertificateComesWithItsKey() throws {
      let both = try settings(["--data", "d", "--tls-certificate", "c"], ["LINTEL_TLS_KEY": "k"])
      #expect(both.server.tls == TLSFiles(certificate: "c", key: "k"))
      #expect(throws: UsageError.self) { try settings(["--data", "d", "--tls-key", "k"]) }
    }

    @Test func spillingCanBeMovedAndSwitchedOff() throws {
      #expect(try settings(["--data", "d"]).store.spillDirectory == nil)
      let moved = try settings([
        "--data", "d", "--spill-directory", "/scratch", "--spill-limit", "2GiB", "--spill-after", "1",
      ])
      #expect(moved.store.spillDirectory == "/scratch" && moved.store.spillLimit == 2 << 30)
      #expect(moved.store.spillThreshold == 1)
      #expect(try settings(["--data", "d", "--spill-limit", "0"]).store.spillLimit == 0)
    }

    @Test func theBudgetFollowsLargerBodies() throws {
      let larger = try settings(["--data", "d", "--max-body", "200M", "--max-expanded-body", "300MB"])
      #expect(larger.server.limits.inFlightBytes == 500 << 20)
      #expect(throws: UsageError.self) { try settings(["--data", "d", "--max-in-flight", "1MiB"]) }
    }

    @Test(arguments: [
      ["--max-body", "12x"], ["--max-body=-1"], ["--max-body", "99999999999999999999"], ["--max-body", "5GiB"],
      ["--max-body", "0"], ["--api", "nowhere"], ["--max-queries", "0"], ["--max-queries", "many"],
      ["--idle-timeout", "nan"], ["--idle-timeout=-1"], ["--log-level", "loud"],
      ["--invalid-text", "repair"],
    ])
    func whatCanNotBeMeantIsRefused(arguments: [String]) {
      #expect(throws: UsageError.self) { try settings(["--data", "d"] + arguments) }
    }

    @Test func invalidTextCostsTheRequestUnlessToldOtherwise() throws {
      #expect(try settings(["--data", "d"]).server.invalidText == .rejectRequest)
      #expect(try settings(["--data", "d", "--invalid-text", "reject-span"]).server.invalidText == .rejectSpan)
      #expect(try settings(["--data", "d"], ["LINTEL_INVALID_TEXT": "reject-span"]).server.invalidText == .rejectSpan)
    }

    @Test func sizesTakeUnits() throws {
      let reader = SettingReader(environment: [:])
      for (text, size) in [("7", 7), ("7b", 7), ("2k", 2048), ("2KiB", 2048), ("3mb", 3 << 20), ("1GiB", 1 << 30)] {
        #expect(try reader.size("x", text) == size)
      }
    }
  }
#endif
