#include "CLintelKernels.h"
#include "dispatch.h"

// Packed words stand anywhere in a buffer.
typedef uint32_t word32 __attribute__((aligned(1)));
typedef uint64_t word64 __attribute__((aligned(1)));

#define LANES32 32
#define LANES64 16

static inline uint32_t mask32(unsigned width) { return width >= 32 ? ~0u : (1u << width) - 1; }
static inline uint64_t mask64(unsigned width) { return width >= 64 ? ~0ull : (1ull << width) - 1; }

static inline __attribute__((always_inline)) void pack32(
  const int64_t *restrict values, unsigned width, uint64_t base, word32 *restrict out) {
  uint32_t mask = mask32(width);
  for (unsigned step = 0; step < 32; step++) {
    unsigned shift = step * width % 32;
    word32 *low = out + step * width / 32 * LANES32;
    const int64_t *in = values + step * LANES32;
    if (shift == 0) {
      for (unsigned lane = 0; lane < LANES32; lane++) low[lane] = (uint32_t)((uint64_t)in[lane] - base) & mask;
    } else {
      for (unsigned lane = 0; lane < LANES32; lane++) {
        low[lane] |= ((uint32_t)((uint64_t)in[lane] - base) & mask) << shift;
      }
    }
    if (shift + width > 32) {
      word32 *high = low + LANES32;
      for (unsigned lane = 0; lane < LANES32; lane++) {
        high[lane] = ((uint32_t)((uint64_t)in[lane] - base) & mask) >> (32 - shift);
      }
    }
  }
}

static inline __attribute__((always_inline)) void pack64(
  const int64_t *restrict values, unsigned width, uint64_t base, word64 *restrict out) {
  uint64_t mask = mask64(width);
  for (unsigned step = 0; step < 64; step++) {
    unsigned shift = step * width % 64;
    word64 *low = out + step * width / 64 * LANES64;
    const int64_t *in = values + step * LANES64;
    if (shift == 0) {
      for (unsigned lane = 0; lane < LANES64; lane++) low[lane] = ((uint64_t)in[lane] - base) & mask;
    } else {
      for (unsigned lane = 0; lane < LANES64; lane++) low[lane] |= (((uint64_t)in[lane] - base) & mask) << shift;
    }
    if (shift + width > 64) {
      word64 *high = low + LANES64;
      for (unsigned lane = 0; lane < LANES64; lane++) {
        high[lane] = (((uint64_t)in[lane] - base) & mask) >> (64 - shift);
      }
    }
  }
}

LINTEL_CLONES
void lintel_pack_i64(const int64_t *values, unsigned width, int64_t base, void *packed) {
  if (width == 0) return;
  if (width <= 32) {
    pack32(values, width, (uint64_t)base, packed);
  } else {
    pack64(values, width, (uint64_t)base, packed);
  }
}

LINTEL_CLONES
void lintel_unpack_i64(const void *packed, unsigned width, int64_t base, int64_t *restrict values) {
  uint64_t first = (uint64_t)base;
  if (width == 0) {
    for (unsigned i = 0; i < 1024; i++) values[i] = base;
  } else if (width <= 32) {
    uint32_t mask = mask32(width);
    for (unsigned step = 0; step < 32; step++) {
      unsigned shift = step * width % 32;
      const word32 *restrict low = (const word32 *)packed + step * width / 32 * LANES32;
      int64_t *restrict out = values + step * LANES32;
      if (shift + width <= 32) {
        for (unsigned lane = 0; lane < LANES32; lane++) {
          out[lane] = (int64_t)(first + ((low[lane] >> shift) & mask));
        }
      } else {
        const word32 *restrict high = low + LANES32;
        for (unsigned lane = 0; lane < LANES32; lane++) {
          out[lane] = (int64_t)(first + (((low[lane] >> shift) | (high[lane] << (32 - shift))) & mask));
        }
      }
    }
  } else {
    uint64_t mask = mask64(width);
    for (unsigned step = 0; step < 64; step++) {
      unsigned shift = step * width % 64;
      const word64 *restrict low = (const word64 *)packed + step * width / 64 * LANES64;
      int64_t *restrict out = values + step * LANES64;
      if (shift + width <= 64) {
        for (unsigned lane = 0; lane < LANES64; lane++) {
          out[lane] = (int64_t)(first + ((low[lane] >> shift) & mask));
        }
      } else {
        const word64 *restrict high = low + LANES64;
        for (unsigned lane = 0; lane < LANES64; lane++) {
          out[lane] = (int64_t)(first + (((low[lane] >> shift) | (high[lane] << (64 - shift))) & mask));
        }
      }
    }
  }
}

LINTEL_CLONES
void lintel_unpack_u32(const void *packed, unsigned width, uint32_t base, uint32_t *restrict values) {
  if (width == 0) {
    for (unsigned i = 0; i < 1024; i++) values[i] = base;
    return;
  }
  uint32_t mask = mask32(width);
  for (unsigned step = 0; step < 32; step++) {
    unsigned shift = step * width % 32;
    const word32 *restrict low = (const word32 *)packed + step * width / 32 * LANES32;
    uint32_t *restrict out = values + step * LANES32;
    if (shift + width <= 32) {
      for (unsigned lane = 0; lane < LANES32; lane++) out[lane] = base + ((low[lane] >> shift) & mask);
    } else {
      const word32 *restrict high = low + LANES32;
      for (unsigned lane = 0; lane < LANES32; lane++) {
        out[lane] = base + (((low[lane] >> shift) | (high[lane] << (32 - shift))) & mask);
      }
    }
  }
}
