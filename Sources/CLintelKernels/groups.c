#include "CLintelKernels.h"
#include "dispatch.h"

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(LINTEL_NO_CLONES)
#define LINTEL_AVX512 1
#include <immintrin.h>
#endif

// Loops of the query executor over groups: rows with the number of their group, and runs of rows of one group.

// Rows of one group come in runs, and adding to one cell again and again waits for the store before: several tables take
// turns. Of few groups runs are longer, and more tables are still little to clear and to fold.

size_t lintel_group_turns(size_t group_count) { return group_count <= 64 ? 8 : 4; }

static inline __attribute__((always_inline)) void sum_in_turns(
  const size_t turns, const int64_t *restrict values, const uint8_t *restrict valid, const uint32_t *restrict groups,
  size_t count, size_t group_count, int64_t *restrict sums, uint32_t *restrict counts) {
  size_t i = 0;
  for (; i + turns <= count; i += turns) {
    for (size_t turn = 0; turn < turns; turn++) {
      size_t cell = turn * group_count + groups[i + turn];
      uint8_t one = valid ? valid[i + turn] : 1;
      sums[cell] += values[i + turn] & -(int64_t)one;
      counts[cell] += one;
    }
  }
  for (; i < count; i++) {
    uint8_t one = valid ? valid[i] : 1;
    sums[groups[i]] += values[i] & -(int64_t)one;
    counts[groups[i]] += one;
  }
}

void lintel_group_sum_i64(
  const int64_t *values, const uint8_t *valid, const uint32_t *groups, size_t count, size_t group_count, int64_t *sums,
  uint32_t *counts) {
  int many = lintel_group_turns(group_count) == 8;
  if (valid && many) {
    sum_in_turns(8, values, valid, groups, count, group_count, sums, counts);
  } else if (valid) {
    sum_in_turns(4, values, valid, groups, count, group_count, sums, counts);
  } else if (many) {
    sum_in_turns(8, values, NULL, groups, count, group_count, sums, counts);
  } else {
    sum_in_turns(4, values, NULL, groups, count, group_count, sums, counts);
  }
}

// The values as they are added, a piece at a time: that part of the work has room for many values in an instruction.
#define PIECE 512

LINTEL_CLONES
static void packed_addends(
  const int64_t *values, const uint8_t *valid, size_t count, uint64_t one, uint64_t *restrict addends) {
  if (valid) {
    for (size_t i = 0; i < count; i++) addends[i] = ((uint64_t)values[i] + one) & -(uint64_t)valid[i];
  } else {
    for (size_t i = 0; i < count; i++) addends[i] = (uint64_t)values[i] + one;
  }
}

static inline __attribute__((always_inline)) void add_in_turns(
  const size_t turns, const uint64_t *restrict addends, const uint32_t *restrict groups, size_t count,
  size_t group_count, uint64_t *restrict cells) {
  size_t i = 0;
  for (; i + turns <= count; i += turns) {
    for (size_t turn = 0; turn < turns; turn++) cells[turn * group_count + groups[i + turn]] += addends[i + turn];
  }
  for (; i < count; i++) cells[groups[i]] += addends[i];
}

// One addition for both: a cell's sum in its low bits, `shift` of them, and above them how many values it took.
void lintel_group_sum_packed_i64(
  const int64_t *values, const uint8_t *valid, const uint32_t *groups, size_t count, size_t group_count, unsigned shift,
  uint64_t *cells) {
  uint64_t addends[PIECE];
  int many = lintel_group_turns(group_count) == 8;
  for (size_t start = 0; start < count; start += PIECE) {
    size_t rest = count - start < PIECE ? count - start : PIECE;
    packed_addends(values + start, valid ? valid + start : NULL, rest, (uint64_t)1 << shift, addends);
    if (many) {
      add_in_turns(8, addends, groups + start, rest, group_count, cells);
    } else {
      add_in_turns(4, addends, groups + start, rest, group_count, cells);
    }
  }
}

static inline __attribute__((always_inline)) void count_in_turns(
  const size_t turns, const uint8_t *restrict valid, const uint32_t *restrict groups, size_t count, size_t group_count,
  uint32_t *restrict counts) {
  size_t i = 0;
  for (; i + turns <= count; i += turns) {
    for (size_t turn = 0; turn < turns; turn++) {
      counts[turn * group_count + groups[i + turn]] += valid ? valid[i + turn] : 1;
    }
  }
  for (; i < count; i++) counts[groups[i]] += valid ? valid[i] : 1;
}

void lintel_group_count(
  const uint8_t *valid, const uint32_t *groups, size_t count, size_t group_count, uint32_t *counts) {
  int many = lintel_group_turns(group_count) == 8;
  if (valid && many) {
    count_in_turns(8, valid, groups, count, group_count, counts);
  } else if (valid) {
    count_in_turns(4, valid, groups, count, group_count, counts);
  } else if (many) {
    count_in_turns(8, NULL, groups, count, group_count, counts);
  } else {
    count_in_turns(4, NULL, groups, count, group_count, counts);
  }
}

typedef struct {
  const int64_t *values;
  const uint8_t *valid;
  const uint32_t *starts;
  size_t runs;
  size_t count;
} runs_t;

static inline size_t run_end(const runs_t *all, size_t run) {
  return run + 1 < all->runs ? all->starts[run + 1] : all->count;
}

static void sums_plain(const runs_t *all, int64_t *sums, uint32_t *counts) {
  for (size_t run = 0; run < all->runs; run++) {
    uint64_t sum = 0;
    uint32_t valid = 0;
    for (size_t i = all->starts[run], end = run_end(all, run); i < end; i++) {
      uint64_t one = all->valid ? all->valid[i] : 1;
      sum += (uint64_t)all->values[i] & -one;
      valid += (uint32_t)one;
    }
    sums[run] = (int64_t)sum;
    counts[run] = valid;
  }
}

static void counts_plain(const runs_t *all, uint32_t *counts) {
  for (size_t run = 0; run < all->runs; run++) {
    uint32_t valid = 0;
    for (size_t i = all->starts[run], end = run_end(all, run); i < end; i++) valid += all->valid[i];
    counts[run] = valid;
  }
}

static void least_plain(const runs_t *all, uint64_t flip, uint64_t *least) {
  for (size_t run = 0; run < all->runs; run++) {
    uint64_t best = UINT64_MAX;
    for (size_t i = all->starts[run], end = run_end(all, run); i < end; i++) {
      uint64_t bits = ((uint64_t)all->values[i] ^ flip) | (all->valid ? (uint64_t)all->valid[i] - 1 : 0);
      best = bits < best ? bits : best;
    }
    least[run] = best;
  }
}

#ifdef LINTEL_AVX512
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))

// Lanes i to i + 7 that lie before `end` and are valid. Runs are short: masks spare a loop for what is left over.
AVX512 static inline __mmask8 lanes_at(const runs_t *all, size_t i, size_t end) {
  __mmask8 lanes = end - i >= 8 ? 0xFF : (__mmask8)((1u << (end - i)) - 1);
  if (!all->valid) return lanes;
  __m128i valid = _mm_maskz_loadu_epi8(lanes, all->valid + i);
  return (__mmask8)_mm_test_epi8_mask(valid, valid);
}

AVX512 static void sums_avx512(const runs_t *all, int64_t *sums, uint32_t *counts) {
  for (size_t run = 0; run < all->runs; run++) {
    __m512i sum = _mm512_setzero_si512();
    uint32_t valid = 0;
    for (size_t i = all->starts[run], end = run_end(all, run); i < end; i += 8) {
      __mmask8 lanes = lanes_at(all, i, end);
      sum = _mm512_add_epi64(sum, _mm512_maskz_loadu_epi64(lanes, all->values + i));
      valid += (uint32_t)__builtin_popcount(lanes);
    }
    sums[run] = valid ? _mm512_reduce_add_epi64(sum) : 0;
    counts[run] = valid;
  }
}

AVX512 static void counts_avx512(const runs_t *all, uint32_t *counts) {
  for (size_t run = 0; run < all->runs; run++) {
    uint32_t valid = 0;
    for (size_t i = all->starts[run], end = run_end(all, run); i < end; i += 64) {
      __mmask64 lanes = end - i >= 64 ? UINT64_MAX : ((uint64_t)1 << (end - i)) - 1;
      __m512i flags = _mm512_maskz_loadu_epi8(lanes, all->valid + i);
      valid += (uint32_t)__builtin_popcountll(_mm512_test_epi8_mask(flags, flags));
    }
    counts[run] = valid;
  }
}

AVX512 static void least_avx512(const runs_t *all, uint64_t flip, uint64_t *least) {
  const __m512i flips = _mm512_set1_epi64((long long)flip);
  for (size_t run = 0; run < all->runs; run++) {
    __m512i best = _mm512_set1_epi64(-1);
    for (size_t i = all->starts[run], end = run_end(all, run); i < end; i += 8) {
      __mmask8 lanes = lanes_at(all, i, end);
      __m512i bits = _mm512_xor_si512(_mm512_maskz_loadu_epi64(lanes, all->values + i), flips);
      best = _mm512_mask_min_epu64(best, lanes, best, bits);
    }
    least[run] = _mm512_reduce_min_epu64(best);
  }
}
#endif

void lintel_run_sums_i64(
  const int64_t *values, const uint8_t *valid, const uint32_t *starts, size_t runs, size_t count, int64_t *sums,
  uint32_t *counts) {
  runs_t all = {values, valid, starts, runs, count};
#ifdef LINTEL_AVX512
  if (lintel_has_avx512()) return sums_avx512(&all, sums, counts);
#endif
  sums_plain(&all, sums, counts);
}

void lintel_run_counts(const uint8_t *valid, const uint32_t *starts, size_t runs, size_t count, uint32_t *counts) {
  runs_t all = {NULL, valid, starts, runs, count};
#ifdef LINTEL_AVX512
  if (lintel_has_avx512()) return counts_avx512(&all, counts);
#endif
  counts_plain(&all, counts);
}

void lintel_run_least_u64(
  const int64_t *values, const uint8_t *valid, const uint32_t *starts, size_t runs, size_t count, uint64_t flip,
  uint64_t *least) {
  runs_t all = {values, valid, starts, runs, count};
#ifdef LINTEL_AVX512
  if (lintel_has_avx512()) return least_avx512(&all, flip, least);
#endif
  least_plain(&all, flip, least);
}
