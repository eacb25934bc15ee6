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
/// Largest of `count` values, 0 of none.
uint32_t lintel_max_u32(const uint32_t *values, size_t count);

#endif
