// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that what measures Lintel is never fetched by who embeds it.
let package = Package(
  name: "lintel-benchmarks",
  dependencies: [
    .package(name: "lintel", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
  ],
  targets: [
    .executableTarget(
      name: "lintel-bench",
      dependencies: [
        .product(name: "Lintel", package: "lintel"),
        .product(name: "LintelColumns", package: "lintel"),
        .product(name: "LintelIngest", package: "lintel"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(name: "encoding-bench", dependencies: [.product(name: "LintelColumns", package: "lintel")]),
    .executableTarget(name: "embedded-example", dependencies: [.product(name: "Lintel", package: "lintel")]),
  ],
  swiftLanguageModes: [.v6]
)
