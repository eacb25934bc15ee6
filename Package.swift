// swift-tools-version: 6.1
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// What only the server and its tools need. An embedder of `Lintel` fetches none of it.
let server: TargetDependencyCondition? = .when(traits: ["Server"])

let package = Package(
  name: "lintel",
  products: [
    .library(name: "Lintel", targets: ["Lintel"]),
    .library(name: "LintelColumns", targets: ["LintelColumns"]),
    .library(name: "LintelIngest", targets: ["LintelIngest"]),
    .library(name: "LintelServer", targets: ["LintelServer"]),
    .executable(name: "linteld", targets: ["linteld"]),
    .executable(name: "spanql", targets: ["spanql"]),
  ],
  traits: [
    .trait(name: "Server", description: "linteld, spanql and the HTTP endpoints; brings in SwiftNIO and its kin.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
  ],
  targets: [
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CEditLine", pkgConfig: "libedit", providers: [.apt(["libedit-dev"])]),
    .target(name: "CLintelKernels", cSettings: [.define("_GNU_SOURCE")]),

    .target(name: "LintelColumns", dependencies: ["CLintelKernels", "CLZ4", "CZstd"], swiftSettings: strict),
    .target(
      name: "LintelStorage",
      dependencies: ["CLintelKernels", "LintelColumns", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: strict),
    .target(
      name: "LintelQuery", dependencies: ["CLintelKernels", "LintelColumns", "LintelStorage"], swiftSettings: strict),
    .target(
      name: "Lintel",
      dependencies: [
        "LintelColumns", "LintelStorage", "LintelQuery", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict),
    .target(
      name: "LintelIngest",
      dependencies: ["Lintel", "LintelColumns", "LintelStorage"],
      swiftSettings: strict),
    .target(
      name: "LintelServer",
      dependencies: [
        "Lintel", "LintelColumns", "LintelIngest", "LintelQuery", "LintelStorage", "CZlib", "CZstd",
        .product(name: "NIOCore", package: "swift-nio", condition: server),
        .product(name: "NIOPosix", package: "swift-nio", condition: server),
        .product(name: "NIOHTTP1", package: "swift-nio", condition: server),
        .product(name: "NIOSSL", package: "swift-nio-ssl", condition: server),
        .product(name: "Logging", package: "swift-log", condition: server),
        .product(name: "Crypto", package: "swift-crypto", condition: server),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "linteld",
      dependencies: [
        "Lintel", "LintelIngest", "LintelServer", "LintelStorage",
        .product(name: "Logging", package: "swift-log", condition: server),
        .product(name: "ArgumentParser", package: "swift-argument-parser", condition: server),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "spanql",
      dependencies: [
        "Lintel", "LintelColumns", "LintelQuery", "LintelIngest", "CEditLine",
        .product(name: "NIOCore", package: "swift-nio", condition: server),
        .product(name: "NIOEmbedded", package: "swift-nio", condition: server),
        .product(name: "NIOSSL", package: "swift-nio-ssl", condition: server),
        .product(name: "ArgumentParser", package: "swift-argument-parser", condition: server),
      ],
      swiftSettings: strict),

    .testTarget(name: "LintelColumnsTests", dependencies: ["LintelColumns"], swiftSettings: strict),
    .target(
      name: "LintelSimulation", dependencies: ["LintelColumns", "LintelStorage"], path: "Tests/LintelSimulation",
      swiftSettings: strict),
    .executableTarget(
      name: "lintel-simulate", dependencies: ["LintelSimulation"], path: "Tests/lintel-simulate", swiftSettings: strict),
    .testTarget(
      name: "LintelStorageTests", dependencies: ["LintelSimulation", "LintelColumns", "LintelStorage"],
      exclude: ["Golden/sets", "Golden/content"], swiftSettings: strict),
    .testTarget(name: "LintelQueryTests", dependencies: ["LintelQuery"], swiftSettings: strict),
    .testTarget(
      name: "LintelTests", dependencies: ["Lintel", "LintelColumns", "LintelQuery", "LintelStorage"],
      swiftSettings: strict),
    .testTarget(name: "SpanqlTests", dependencies: ["spanql", "Lintel", "LintelColumns"], swiftSettings: strict),
    .testTarget(
      name: "LintelIngestTests", dependencies: ["LintelIngest", "Lintel", "LintelColumns"], swiftSettings: strict),
    .testTarget(
      name: "LintelServerTests",
      dependencies: [
        "LintelServer", "linteld", "Lintel", "LintelColumns", "LintelIngest", "LintelQuery", "LintelStorage", "CZlib",
        "CZstd", .product(name: "ArgumentParser", package: "swift-argument-parser", condition: server),
        .product(name: "Logging", package: "swift-log", condition: server),
        .product(name: "NIOCore", package: "swift-nio", condition: server),
        .product(name: "NIOEmbedded", package: "swift-nio", condition: server),
        .product(name: "NIOHTTP1", package: "swift-nio", condition: server),
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
