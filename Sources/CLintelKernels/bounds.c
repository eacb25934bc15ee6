#include "CLintelKernels.h"
#include "dispatch.h"

LINTEL_CLONES
void lintel_bounds_i64(const int64_t *values, size_t count, int64_t *minimum, int64_t *maximum) {
  int64_t low = values[0];
  int64_t high = values[0];
  for (size_t i = 1; i < count; i++) {
    low = values[i] < low ? values[i] : low;
    high = values[i] > high ? values[i] : high;
  }
  *minimum = low;
  *maximum = high;
}

LINTEL_CLONES
uint32_t lintel_max_u32(const uint32_t *values, size_t count) {
  uint32_t high = 0;
  for (size_t i = 0; i < count; i++) high = values[i] > high ? values[i] : high;
  return high;
}
