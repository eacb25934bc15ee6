#include "CLintelKernels.h"
#include "dispatch.h"

// Two rounds of multiply and shift a half; the second half starts from the first, so that the pair tells values apart
// even where sums of one half meet.
static inline uint64_t first_half(uint64_t value, uint64_t seed) {
  uint64_t x = (value ^ seed) * 0x9E6C63D0876A3F6BULL;
  x ^= x >> 32;
  x *= 0xD1B54A32D192ED03ULL;
  return x ^ (x >> 29);
}

static inline uint64_t second_half(uint64_t first, uint64_t seed) {
  uint64_t y = (first + seed) * 0xAEF17502108EF2D9ULL;
  y ^= y >> 31;
  y *= 0xF1357AEA2E62A9C5ULL;
  return y ^ (y >> 32);
}

LINTEL_CLONES
void lintel_digest_u64(
  uint64_t *restrict low, uint64_t *restrict high, const uint64_t *restrict values, const uint64_t *restrict validity,
  size_t count, uint64_t seed) {
  if (validity == NULL) {
    for (size_t i = 0; i < count; i++) {
      uint64_t x = first_half(values[i], seed);
      low[i] += x;
      high[i] += second_half(x, seed);
    }
    return;
  }
  for (size_t start = 0; start < count; start += 64) {
    uint64_t word = validity[start / 64];
    size_t lanes = count - start < 64 ? count - start : 64;
    if (word == 0) continue;
    for (size_t i = 0; i < lanes; i++) {
      uint64_t mask = 0 - (word >> i & 1);
      uint64_t x = first_half(values[start + i], seed);
      low[start + i] += x & mask;
      high[start + i] += second_half(x, seed) & mask;
    }
  }
}

LINTEL_CLONES
void lintel_digest_codes(
  uint64_t *restrict low, uint64_t *restrict high, const uint32_t *restrict codes, const uint64_t *restrict validity,
  const uint64_t *restrict table, size_t entries, size_t count) {
  if (entries == 0) return;
  for (size_t start = 0; start < count; start += 64) {
    uint64_t word = validity == NULL ? ~0ULL : validity[start / 64];
    size_t lanes = count - start < 64 ? count - start : 64;
    if (word == 0) continue;
    for (size_t i = 0; i < lanes; i++) {
      size_t code = codes[start + i];
      // What isn't counted looks at the first entry.
      uint64_t mask = 0 - ((word >> i & 1) & (uint64_t)(code < entries));
      code &= mask;
      low[start + i] += table[2 * code] & mask;
      high[start + i] += table[2 * code + 1] & mask;
    }
  }
}
