#include "CLintelKernels.h"
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#define LINTEL_CRC_TARGET __attribute__((target("sse4.2")))
#define LINTEL_CRC_8(crc, word) ((uint32_t)_mm_crc32_u64((crc), (word)))
#define LINTEL_CRC_1(crc, byte) _mm_crc32_u8((crc), (byte))

int lintel_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }

#elif defined(__aarch64__)
#define LINTEL_CRC_TARGET __attribute__((target("crc")))
#define LINTEL_CRC_8(crc, word) __builtin_arm_crc32cd((crc), (word))
#define LINTEL_CRC_1(crc, byte) __builtin_arm_crc32cb((crc), (byte))

#if defined(__linux__)
#include <sys/auxv.h>
int lintel_has_crc32c(void) { return (getauxval(AT_HWCAP) & (1 << 7)) != 0; }
#else
int lintel_has_crc32c(void) { return 1; }
#endif

#else
int lintel_has_crc32c(void) { return 0; }
uint32_t lintel_crc32c(uint32_t seed, const void *bytes, size_t count) {
  (void)bytes;
  (void)count;
  return seed;
}
#endif

#ifdef LINTEL_CRC_TARGET
LINTEL_CRC_TARGET
uint32_t lintel_crc32c(uint32_t seed, const void *bytes, size_t count) {
  const uint8_t *at = bytes;
  uint32_t crc = ~seed;
  while (count >= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    crc = LINTEL_CRC_8(crc, word);
    at += 8;
    count -= 8;
  }
  while (count > 0) {
    crc = LINTEL_CRC_1(crc, *at);
    at += 1;
    count -= 1;
  }
  return ~crc;
}
#endif
