extension BinaryFuseFilter {
  /// Tries, each with a seed of its own and a little more room than the one before.
  static let maximumTries = 12

  /// A filter of these keys, which may repeat; `nil` when no try succeeds, which no set of hashes has been seen to do.
  init?(_ keys: [UInt64], bits: Int = 8) {
    var keys = keys
    for attempt in 0..<BinaryFuseFilter.maximumTries {
      let geometry = Geometry(keyCount: keys.count, attempt: attempt)
      if let filter = keys.withUnsafeBufferPointer({ BinaryFuseFilter.peel($0, geometry) }) {
        self = filter.narrowed(to: bits)
        return
      }
      // A key that occurs twice can't be told from its double and fails every try; looking for them first would cost
      // all those who bring none.
      if attempt == 0 { keys = BinaryFuseFilter.distinct(keys) }
    }
    return nil
  }

  private static func distinct(_ keys: [UInt64]) -> [UInt64] {
    let sorted = keys.sorted()
    var result: [UInt64] = []
    result.reserveCapacity(sorted.count)
    for key in sorted where key != result.last { result.append(key) }
    return result
  }

  /// What meets at one place: how many keys, and their mixed forms combined by exclusive or.
  private struct Place: BitwiseCopyable {
    var mixed: UInt64
    var count: UInt64
  }

  /// A key that was alone at a place when all that came before it had been taken out.
  private struct Peeled: BitwiseCopyable {
    var mixed: UInt64
    var place: Int
  }

  /// Takes out key after key that is alone at one of its places, then sets fingerprints in the opposite order: the place
  /// where a key was alone is not looked at by any key whose fingerprints are set before it. `nil` when keys are left
  /// that are nowhere alone.
  private static func peel(_ keys: UnsafeBufferPointer<UInt64>, _ geometry: Geometry) -> BinaryFuseFilter? {
    let placeCount = geometry.placeCount
    let fingerprints: [UInt8]? = withScratch(of: Place.self, count: placeCount) { places in
      places.initialize(repeating: Place(mixed: 0, count: 0))
      for key in keys {
        let mixed = geometry.mixed(key)
        let (first, second, third) = geometry.places(mixed)
        toggle(places, first, mixed, 1)
        toggle(places, second, mixed, 1)
        toggle(places, third, mixed, 1)
      }
      return withScratch(of: Peeled.self, count: keys.count) { order in
        guard takeOut(places, geometry, order) else { return nil }
        return [UInt8](unsafeUninitializedCapacity: placeCount) { out, count in
          out.initialize(repeating: 0)
          for index in stride(from: order.count &- 1, through: 0, by: -1) {
            let mixed = order[index].mixed
            let (first, second, third) = geometry.places(mixed)
            // The key's own place is still 0 and doesn't count.
            out[order[index].place] = Geometry.fingerprint(mixed) ^ out[first] ^ out[second] ^ out[third]
          }
          count = placeCount
        }
      }
    }
    return fingerprints.map { BinaryFuseFilter(geometry: geometry, fingerprints: $0) }
  }

  /// Fills `order`; false when fewer keys than it has room for can be taken out.
  private static func takeOut(
    _ places: UnsafeMutableBufferPointer<Place>, _ geometry: Geometry, _ order: UnsafeMutableBufferPointer<Peeled>
  ) -> Bool {
    var taken = 0
    // The stack of places with one key is short where it is worked off at once; it holds each place once at most, for
    // counts only fall and reach 1 once.
    return withScratch(of: Int.self, count: places.count) { alone in
      for start in 0..<places.count where places[start].count == 1 {
        alone[0] = start
        var depth = 1
        while depth > 0 {
          depth &-= 1
          let place = alone[depth]
          // Taken out meanwhile from another of its places.
          guard places[place].count == 1 else { continue }
          let mixed = places[place].mixed
          guard taken < order.count else { return false }
          order[taken] = Peeled(mixed: mixed, place: place)
          taken &+= 1
          let (first, second, third) = geometry.places(mixed)
          for place in [first, second, third] where toggle(places, place, mixed, -1) == 1 {
            alone[depth] = place
            depth &+= 1
          }
        }
      }
      return taken == order.count
    }
  }

  @inline(__always)
  @discardableResult
  private static func toggle(
    _ places: UnsafeMutableBufferPointer<Place>, _ index: Int, _ mixed: UInt64, _ change: Int
  ) -> UInt64 {
    places[index].mixed ^= mixed
    places[index].count &+= UInt64(bitPattern: Int64(change))
    return places[index].count
  }
}

extension BinaryFuseFilter.Geometry {
  /// Fitted by simulation: with this room two tries in three succeed at the least, most often nine in ten.
  private static let sizes: [(below: Int, segmentShift: Int, roomPerMille: Int)] = [
    (600, 5, 1500), (1800, 6, 1375), (5000, 7, 1290), (8000, 8, 1245), (20_000, 8, 1235), (65_000, 9, 1195),
    (220_000, 10, 1170), (700_000, 11, 1150), (.max, 12, 1130),
  ]

  init(keyCount: Int, attempt: Int) {
    let size = Self.sizes.first { keyCount < $0.below } ?? (.max, 12, 1130)
    let room = keyCount &* (size.roomPerMille &+ 20 &* attempt) / 1000
    let length = 1 &<< size.segmentShift
    self.init(
      seed: ByteHash.fold(UInt64(truncatingIfNeeded: attempt &+ 1), 0xD6E8_FEB8_6659_FD93) &* 0x9E37_79B9_7F4A_7C15,
      segmentShift: UInt64(size.segmentShift), segmentCount: max(1, (room &+ length &- 1) / length &- 2))
  }
}
