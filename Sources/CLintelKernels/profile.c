#include "CLintelKernels.h"
#include "dispatch.h"

LINTEL_CLONES
void lintel_profile_i64(const int64_t *values, size_t count, lintel_profile *profile) {
  int64_t low = values[0];
  int64_t high = values[0];
  int64_t low_delta = INT64_MAX;
  int64_t high_delta = INT64_MIN;
  uint64_t changes = 0;
  for (size_t i = 1; i < count; i++) {
    int64_t value = values[i];
    int64_t delta = (int64_t)((uint64_t)value - (uint64_t)values[i - 1]);
    low = value < low ? value : low;
    high = value > high ? value : high;
    low_delta = delta < low_delta ? delta : low_delta;
    high_delta = delta > high_delta ? delta : high_delta;
    changes += delta != 0;
  }
  profile->minimum = low;
  profile->maximum = high;
  profile->minimum_delta = count > 1 ? low_delta : 0;
  profile->maximum_delta = count > 1 ? high_delta : 0;
  profile->changes = changes;
}

static inline unsigned bit_width(uint64_t value) { return value == 0 ? 0 : 64 - (unsigned)__builtin_clzll(value); }

// Four tables, so that equal widths in a row don't wait for each other's increments.
void lintel_count_widths(const int64_t *values, size_t count, int64_t base, uint32_t *histogram) {
  uint32_t tables[4][65] = {{0}};
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (unsigned lane = 0; lane < 4; lane++) {
      tables[lane][bit_width((uint64_t)values[i + lane] - (uint64_t)base)] += 1;
    }
  }
  for (; i < count; i++) tables[0][bit_width((uint64_t)values[i] - (uint64_t)base)] += 1;
  for (unsigned width = 0; width <= 64; width++) {
    histogram[width] += tables[0][width] + tables[1][width] + tables[2][width] + tables[3][width];
  }
}
