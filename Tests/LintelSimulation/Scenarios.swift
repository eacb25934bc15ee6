internal import LintelStorage

extension StoreScenario {
  /// What the walks go through. Each name stands for what is going on when the crash comes.
  package static let crashing: [StoreScenario] = [
    StoreScenario("append", steps: [.append([0]), .append([1]), .query, .append([2])]),
    StoreScenario(
      "group-commit", shardCount: 2, steps: [.append([0, 1, 2, 3]), .query, .append([4, 5, 6]), .query]),
    StoreScenario(
      "flush",
      steps: [.append([0]), .append([1, 2]), .flush, .query, .append([3]), .flush, .append([4]), .close]),
    StoreScenario(
      "merge",
      steps: [
        .append([0]), .flush, .append([1]), .flush, .append([2]), .flush, .append([3]), .merge, .query, .append([4]),
      ],
      isFocus: { $0.path.hasPrefix("/data/hot") || $0.path.hasPrefix("/data/manifest") }),
    StoreScenario(
      "manifest-swap", shardCount: 2,
      steps: [
        .append([0, 1]), .flush, .append([2]), .flush, .merge, .append([3]), .close, .open, .append([4]), .flush,
      ],
      isFocus: { $0.path.hasPrefix("/data/manifest") }),
    StoreScenario(
      "log-rotation", flushBytes: 1500,
      steps: [.append([0, 1]), .append([2, 3]), .tick, .append([4, 5]), .query, .append([6]), .append([7, 8])],
      isFocus: { $0.path.hasPrefix("/data/wal") }),
    StoreScenario(
      "long-log", logSegmentBytes: 1500,
      steps: [
        .append([0, 1]), .append([2]), .append([3, 4]), .query, .append([5]), .append([6]), .flush, .append([7]),
        .append([8, 9]),
      ],
      isFocus: { $0.path.hasPrefix("/data/wal") }),
    StoreScenario(
      "recovery-into-parts", logSegmentBytes: 4000, recoveryMemory: 3000,
      steps: [
        .append([0]), .append([1, 2]), .append([3]), .flush, .append([4, 5]), .append([6]), .query, .append([7]),
      ]),
    StoreScenario(
      "reopen",
      steps: [.append([0, 1]), .close, .open, .append([2]), .flush, .append([3]), .close, .open, .query, .append([4])]),
    StoreScenario(
      "buffered", flushBytes: 1500, durability: .buffered,
      steps: [.append([0]), .append([1]), .append([2]), .append([3]), .tick, .append([4]), .append([5]), .append([6])]),
    StoreScenario(
      "buffered-long-log", durability: .buffered, logSegmentBytes: 900,
      steps: [.append([0]), .append([1]), .append([2]), .append([3]), .append([4]), .append([5]), .append([6])],
      isFocus: { $0.path.hasPrefix("/data/wal") }),
    StoreScenario(
      "erase",
      steps: [
        .append([0, 1]), .flush, .append([2]), .erase(1), .query, .append([3]), .eraseFiles, .query, .append([4, 5]),
        .erase(0), .append([6]), .close, .open, .query, .append([7]), .eraseFiles, .query,
      ]),
    StoreScenario(
      "expire",
      steps: [
        .append([0, 1]), .flush, .append([2]), .retain(1000), .clock(1020), .query, .expire, .append([3]), .flush,
        .merge,
        .query, .clock(1040), .query, .close, .open, .query, .append([4]), .clock(90_000), .expire, .query,
        .append([5]),
      ]),
    StoreScenario(
      "content", isTalking: true,
      steps: [
        .append([0]), .append([1, 2]), .flush, .append([3]), .query, .flush, .append([4]), .merge, .query, .look,
        .append([5]), .close, .open, .query, .append([6]), .flush, .merge, .append([7]),
      ]),
    StoreScenario(
      "content-sweep", isTalking: true,
      steps: [
        .append([0, 1]), .flush, .append([2]), .erase(1), .append([3]), .eraseFiles, .query, .append([4]), .merge,
        .look,
        .retain(1000), .clock(1030), .query, .expire, .append([5]), .flush, .query, .close, .open, .erase(0),
        .append([6]), .eraseFiles, .query, .append([7]),
      ]),
    StoreScenario(
      "content-of-two-shards", shardCount: 2, flushBytes: 6000, logSegmentBytes: 4000, recoveryMemory: 4000,
      isTalking: true,
      steps: [
        .append([0, 1]), .append([2]), .tick, .append([3]), .erase(1), .append([4]), .query, .close, .open, .eraseFiles,
        .append([5]), .flush, .retain(1000), .clock(1030), .expire, .append([6]), .look, .query, .append([7]),
      ]),
    StoreScenario(
      "content-retention", isTalking: true,
      steps: [
        .append([0, 1]), .flush, .append([2]), .retainContent(1000), .clock(1020), .query, .expire, .append([3]),
        .flush, .merge, .query, .look, .close, .open, .query, .append([4]), .erase(1), .clock(90_000), .expire, .query,
        .eraseFiles, .append([5]), .query,
      ]),
    StoreScenario(
      "backup", isTalking: true,
      steps: [
        .append([0, 1]), .flush, .append([2]), .backup(keep: nil), .append([3]), .erase(1), .append([4]),
        .backup(keep: nil), .eraseFiles, .append([5]), .flush, .merge, .backup(keep: 2), .append([6]), .restore, .query,
      ],
      isFocus: { $0.path.hasPrefix("/backups") || $0.path.hasPrefix("/restored") }),
    StoreScenario(
      "backup-copies", shardCount: 2, logSegmentBytes: 1500, isLinking: false,
      steps: [
        .backup(keep: nil), .append([0, 1]), .append([2]), .append([3]), .backup(keep: 1), .flush, .append([4]),
        .close, .backup(keep: 1), .restore, .open, .append([5]),
      ],
      isFocus: { $0.path.hasPrefix("/backups") || $0.path.hasPrefix("/restored") }),
    StoreScenario(
      "backup-tiers", isTalking: true,
      steps: [
        .append([0, 1]), .flush, .clock(1200), .move, .append([2]), .flush, .backup(keep: nil), .append([3]),
        .clock(6000),
        .move, .append([4]), .flush, .backup(keep: 1), .append([5]), .restore, .query,
      ],
      isFocus: { $0.path.hasPrefix("/backups") || $0.path.hasPrefix("/restored") }),
    StoreScenario(
      "tiers",
      steps: [
        .append([0, 1]), .flush, .append([2]), .flush, .query, .clock(1200), .move, .query, .append([3]), .flush,
        .move, .merge, .query, .close, .open, .append([4]), .clock(6000), .move, .query, .append([5]),
      ]),
    StoreScenario(
      "tiers-erase", shardCount: 2,
      steps: [
        .append([0, 1]), .flush, .clock(1200), .move, .append([2]), .erase(1), .query, .eraseFiles, .query,
        .append([3]), .flush, .clock(6000), .move, .look, .erase(0), .eraseFiles, .query, .close, .open, .append([4]),
        .flush, .move, .merge, .query, .append([5]),
      ]),
    StoreScenario(
      "tiers-expire", isTalking: true,
      steps: [
        .append([0, 1]), .flush, .append([2]), .retain(5020), .clock(1200), .move, .query, .clock(5040), .query,
        .expire,
        .append([3]), .flush, .move, .query, .close, .open, .query, .append([4]), .clock(90_000), .move, .query,
        .expire, .append([5]),
      ]),
    lifetime,
    lifetimeOfTwoShards,
  ]

  /// A bit of everything: the scenario of the walks for errors, full disks, damage and crashes during the recovery.
  package static let lifetime = StoreScenario("lifetime", steps: wholeLife)
  package static let lifetimeOfTwoShards = StoreScenario(
    "lifetime-2", path: "/srv/lintel/data", shardCount: 2, steps: wholeLife)

  private static let wholeLife: [Step] = [
    .append([0]), .append([1]), .append([2, 3]), .flush, .query, .append([4]), .append([5, 6]), .flush, .append([7]),
    .merge, .query, .append([8]), .close,
  ]

  /// Steps drawn by a seed.
  package static func random(seed: UInt64) -> StoreScenario {
    var dice = Dice(seed)
    var steps: [Step] = []
    var next = 0
    for _ in 0..<(6 + dice.below(12)) {
      switch dice.below(13) {
      case 0...4:
        let count = 1 + dice.below(3)
        steps.append(.append(Array(next..<next + count)))
        next += count
      case 5: steps.append(.query)
      case 6, 7: steps.append(.flush)
      case 8: steps.append(.merge)
      case 9: steps.append(.look)
      case 10: steps += [.tick, .scrub, .scrub]
      case 11: steps.append(.backup(keep: dice.chance(50) ? 1 + dice.below(2) : nil))
      default: steps += [.close, .open]
      }
    }
    return StoreScenario(
      "random", shardCount: 1 + dice.below(2), flushBytes: dice.chance(30) ? 1500 : 1 << 30,
      logSegmentBytes: dice.chance(30) ? 1500 : 1 << 26, recoveryMemory: dice.chance(30) ? 3000 : nil,
      isTalking: dice.chance(50), isLinking: dice.chance(50), steps: steps)
  }
}
