#ifndef LINTEL_KERNELS_H
#define LINTEL_KERNELS_H

// The few loops whose instruction set Swift cannot choose. Each has a plain twin in LintelColumns that tests compare it to.

#include <stddef.h>
#include <stdint.h>

/// Whether this machine has CRC32C instructions; `lintel_crc32c` may only be called where it has.
int lintel_has_crc32c(void);
/// Extends the CRC32C `seed` (0 to start) by `count` bytes.
uint32_t lintel_crc32c(uint32_t seed, const void *bytes, size_t count);

/// Adds the digests of `count` values to the row accumulators; `validity` (bit i of word i / 64) may be NULL.
void lintel_digest_u64(
  uint64_t *low, uint64_t *high, const uint64_t *values, const uint64_t *validity, size_t count, uint64_t seed);

/// Smallest and largest of `count` (at least 1) values.
void lintel_bounds_i64(const int64_t *values, size_t count, int64_t *minimum, int64_t *maximum);

/// What choosing an encoding needs to know of a run of values. Deltas are those between neighbours, modulo 2^64.
typedef struct {
  int64_t minimum;
  int64_t maximum;
  int64_t minimum_delta;
  int64_t maximum_delta;
  /// How many values differ from the one before.
  size_t changes;
} lintel_profile;

/// Profiles `count` (at least 1) values.
void lintel_profile_i64(const int64_t *values, size_t count, lintel_profile *profile);
/// Adds to `histogram[w]` how many of the values need `w` bits (0 to 64) above `base`.
void lintel_count_widths(const int64_t *values, size_t count, int64_t base, uint32_t *histogram);

// Packing of 1,024 values less `base`, `width` bits each, low bits first. Up to 32 bits: 32 lanes of 32-bit words, value i
// in lane i % 32; beyond: 16 lanes of 64-bit words, value i in lane i % 16. Word j of lane l is word j * lanes + l.

/// Writes 128 * width bytes; bits above the width are dropped. Width 0 to 64.
void lintel_pack_i64(const int64_t *values, unsigned width, int64_t base, void *packed);
/// Reads 128 * width bytes. Width 0 to 64.
void lintel_unpack_i64(const void *packed, unsigned width, int64_t base, int64_t *values);
/// Reads 128 * width bytes. Width 0 to 32.
void lintel_unpack_u32(const void *packed, unsigned width, uint32_t base, uint32_t *values);
/// Largest of `count` values, 0 of none.
uint32_t lintel_max_u32(const uint32_t *values, size_t count);

#endif
