#include "CLintelKernels.h"
#include "dispatch.h"

#include <string.h>

// Loops of the query executor: selection, sums and bounds of groups of lanes.

LINTEL_CLONES
void lintel_sum_i64(const int64_t *values, const uint8_t *valid, size_t count, int64_t *high, uint64_t *low) {
  int64_t upper = 0;
  uint64_t lower = 0;
  if (valid) {
    for (size_t i = 0; i < count; i++) {
      int64_t value = values[i] & -(int64_t)valid[i];
      upper += value >> 32;
      lower += (uint32_t)value;
    }
  } else {
    for (size_t i = 0; i < count; i++) {
      upper += values[i] >> 32;
      lower += (uint32_t)values[i];
    }
  }
  *high = upper;
  *low = lower;
}

LINTEL_CLONES
uint64_t lintel_count_flags(const uint8_t *flags, size_t count) {
  uint64_t total = 0;
  for (size_t i = 0; i < count; i++) total += flags[i];
  return total;
}

LINTEL_CLONES
uint64_t lintel_min_flipped_u64(const int64_t *values, const uint8_t *valid, size_t count, uint64_t flip) {
  uint64_t least = UINT64_MAX;
  if (valid) {
    for (size_t i = 0; i < count; i++) {
      uint64_t bits = ((uint64_t)values[i] ^ flip) | ((uint64_t)valid[i] - 1);
      least = bits < least ? bits : least;
    }
  } else {
    for (size_t i = 0; i < count; i++) {
      uint64_t bits = (uint64_t)values[i] ^ flip;
      least = bits < least ? bits : least;
    }
  }
  return least;
}

LINTEL_CLONES
void lintel_compare_i64(const int64_t *values, size_t count, int64_t constant, int relation, uint8_t *flags) {
  switch (relation) {
  case 0: for (size_t i = 0; i < count; i++) flags[i] = values[i] == constant; break;
  case 1: for (size_t i = 0; i < count; i++) flags[i] = values[i] != constant; break;
  case 2: for (size_t i = 0; i < count; i++) flags[i] = values[i] < constant; break;
  case 3: for (size_t i = 0; i < count; i++) flags[i] = values[i] <= constant; break;
  case 4: for (size_t i = 0; i < count; i++) flags[i] = values[i] > constant; break;
  default: for (size_t i = 0; i < count; i++) flags[i] = values[i] >= constant; break;
  }
}

LINTEL_CLONES
void lintel_equal_u32(const uint32_t *values, size_t count, uint32_t constant, uint8_t *flags) {
  for (size_t i = 0; i < count; i++) flags[i] = values[i] == constant;
}

LINTEL_CLONES
void lintel_between_u32(const uint32_t *values, size_t count, uint32_t low, uint32_t span, uint8_t *flags) {
  for (size_t i = 0; i < count; i++) flags[i] = values[i] - low <= span;
}

LINTEL_CLONES
void lintel_between_i64(const int64_t *values, size_t count, int64_t low, uint64_t span, uint8_t *flags) {
  for (size_t i = 0; i < count; i++) flags[i] = (uint64_t)values[i] - (uint64_t)low <= span;
}

void lintel_entry_u32(const uint32_t *codes, size_t count, const uint8_t *entries, uint32_t last, uint8_t *flags) {
  for (size_t i = 0; i < count; i++) flags[i] = codes[i] <= last ? entries[codes[i]] : 0;
}

LINTEL_CLONES
void lintel_member_u32(
  const uint32_t *codes, const uint8_t *valid, size_t count, uint64_t members, uint32_t last, uint8_t *flags) {
  if (valid) {
    for (size_t i = 0; i < count; i++) {
      uint64_t code = valid[i] && codes[i] < last ? codes[i] : last;
      flags[i] = members >> code & 1;
    }
  } else {
    for (size_t i = 0; i < count; i++) {
      uint64_t code = codes[i] < last ? codes[i] : last;
      flags[i] = members >> code & 1;
    }
  }
}

LINTEL_CLONES
uint64_t lintel_members_u32(const uint32_t *codes, size_t count) {
  uint64_t members = 0;
  for (size_t i = 0; i < count; i++) members |= 1ull << (codes[i] & 63);
  return members;
}

LINTEL_CLONES
void lintel_mark_changes(const void *lanes, size_t count, size_t stride, uint8_t *restrict flags) {
  if (stride == 1) {
    const uint8_t *bytes = lanes;
    for (size_t i = 1; i < count; i++) flags[i] |= bytes[i] != bytes[i - 1];
  } else if (stride == 4) {
    const uint32_t *words = lanes;
    for (size_t i = 1; i < count; i++) flags[i] |= words[i] != words[i - 1];
  } else if (stride == 8) {
    const uint64_t *words = lanes;
    for (size_t i = 1; i < count; i++) flags[i] |= words[i] != words[i - 1];
  } else if (stride == 16) {
    const uint64_t *halves = lanes;
    for (size_t i = 1; i < count; i++) {
      flags[i] |= ((halves[2 * i] ^ halves[2 * i - 2]) | (halves[2 * i + 1] ^ halves[2 * i - 1])) != 0;
    }
  }
}

LINTEL_CLONES
void lintel_clamp_u32(const uint32_t *codes, const uint8_t *valid, size_t count, uint32_t last, uint32_t *out) {
  for (size_t i = 0; i < count; i++) out[i] = valid[i] && codes[i] < last ? codes[i] : last;
}

LINTEL_CLONES
uint64_t lintel_magnitude_i64(const int64_t *values, size_t count) {
  uint64_t bits = 0;
  for (size_t i = 0; i < count; i++) bits |= (uint64_t)(values[i] ^ (values[i] >> 63));
  return bits;
}

LINTEL_CLONES
void lintel_time_bucket(
  const int64_t *times, size_t count, int64_t base, int64_t limit, int64_t width, double inverse, int64_t *out) {
  for (size_t i = 0; i < count; i++) {
    int64_t time = times[i] < limit ? times[i] : limit;
    int64_t offset = (time > base ? time : base) - base;
    int64_t quotient = (int64_t)((double)offset * inverse);
    int64_t rest = offset - quotient * width;
    quotient += (rest >= width) - (rest < 0);
    out[i] = base + quotient * width;
  }
}

// Chosen rows often are neighbours, as where a filter takes whole traces: sixteen of them are copied at once.
#define GATHER(name, type)                                                                           \
  LINTEL_CLONES                                                                                      \
  void name(const type *values, const uint32_t *rows, size_t count, type *out) {                     \
    size_t i = 0;                                                                                    \
    for (; i + 16 <= count; i += 16) {                                                               \
      uint32_t apart = 0;                                                                            \
      for (uint32_t lane = 0; lane < 16; lane++) apart |= rows[i + lane] - rows[i] - lane;           \
      if (apart == 0) {                                                                              \
        memcpy(out + i, values + rows[i], 16 * sizeof(type));                                        \
      } else {                                                                                       \
        for (size_t lane = 0; lane < 16; lane++) out[i + lane] = values[rows[i + lane]];             \
      }                                                                                              \
    }                                                                                                \
    for (; i < count; i++) out[i] = values[rows[i]];                                                 \
  }

GATHER(lintel_gather_u8, uint8_t)
GATHER(lintel_gather_u32, uint32_t)
GATHER(lintel_gather_u64, uint64_t)

// Positions of set flags. AVX-512 compresses sixteen positions at a time; there is no portable form of that.

static size_t select_plain(const uint8_t *flags, const uint8_t *valid, size_t count, uint32_t *rows) {
  size_t length = 0;
  if (valid) {
    for (size_t i = 0; i < count; i++) {
      rows[length] = (uint32_t)i;
      length += flags[i] & valid[i];
    }
  } else {
    for (size_t i = 0; i < count; i++) {
      rows[length] = (uint32_t)i;
      length += flags[i];
    }
  }
  return length;
}

static inline size_t select_words_plain(
  const uint8_t *flags, const uint64_t *valid, size_t from, size_t count, uint32_t first, uint32_t *rows) {
  size_t length = 0;
  for (size_t i = from; i < count; i++) {
    rows[length] = first + (uint32_t)i;
    length += flags[i] & (valid ? valid[i / 64] >> i % 64 & 1 : 1);
  }
  return length;
}

#if defined(__x86_64__)
#include <immintrin.h>

// Writes `first` and the place of each set bit; compressed in the register, since storing under a mask is slow on some
// processors. There is room for sixteen rows more than there are.
__attribute__((target("avx512f"), always_inline))
static inline size_t put_positions(uint64_t mask, uint32_t first, uint32_t *rows) {
  size_t length = 0;
  if (__builtin_popcountll(mask) <= 4) {
    for (; mask != 0; mask &= mask - 1) rows[length++] = first + (uint32_t)__builtin_ctzll(mask);
    return length;
  }
  const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  for (unsigned part = 0; mask != 0; part += 16, mask >>= 16) {
    __mmask16 own = (__mmask16)mask;
    __m512i positions = _mm512_add_epi32(lanes, _mm512_set1_epi32((int)(first + part)));
    _mm512_storeu_si512(rows + length, _mm512_maskz_compress_epi32(own, positions));
    length += (size_t)__builtin_popcount(own);
  }
  return length;
}

__attribute__((target("avx512f,avx512bw")))
static size_t select_avx512(const uint8_t *flags, const uint8_t *valid, size_t count, uint32_t *rows) {
  size_t length = 0;
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    __m512i bytes = _mm512_loadu_si512(flags + i);
    if (valid) bytes = _mm512_and_si512(bytes, _mm512_loadu_si512(valid + i));
    length += put_positions(_mm512_test_epi8_mask(bytes, bytes), (uint32_t)i, rows + length);
  }
  for (; i < count; i++) {
    rows[length] = (uint32_t)i;
    length += flags[i] & (valid ? valid[i] : 1);
  }
  return length;
}

__attribute__((target("avx512f,avx512bw")))
static size_t select_words_avx512(
  const uint8_t *flags, const uint64_t *valid, size_t count, uint32_t first, uint32_t *rows) {
  size_t length = 0;
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    __m512i bytes = _mm512_loadu_si512(flags + i);
    uint64_t mask = _mm512_test_epi8_mask(bytes, bytes);
    if (valid) mask &= valid[i / 64];
    length += put_positions(mask, first + (uint32_t)i, rows + length);
  }
  return length + select_words_plain(flags, valid, i, count, first, rows + length);
}

size_t lintel_select(const uint8_t *flags, const uint8_t *valid, size_t count, uint32_t *rows) {
  return lintel_has_avx512() ? select_avx512(flags, valid, count, rows) : select_plain(flags, valid, count, rows);
}

size_t lintel_select_words(
  const uint8_t *flags, const uint64_t *valid, size_t count, uint32_t first, uint32_t *rows) {
  return lintel_has_avx512() ? select_words_avx512(flags, valid, count, first, rows)
                      : select_words_plain(flags, valid, 0, count, first, rows);
}
#else
size_t lintel_select(const uint8_t *flags, const uint8_t *valid, size_t count, uint32_t *rows) {
  return select_plain(flags, valid, count, rows);
}

size_t lintel_select_words(
  const uint8_t *flags, const uint64_t *valid, size_t count, uint32_t first, uint32_t *rows) {
  return select_words_plain(flags, valid, 0, count, first, rows);
}
#endif
