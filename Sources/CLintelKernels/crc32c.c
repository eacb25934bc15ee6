#include "CLintelKernels.h"
#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>
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
static uint32_t one_stream(uint32_t crc, const uint8_t *at, size_t count) {
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
  return crc;
}

#if defined(__x86_64__)
enum { STREAM = 512 };

// The CRC after as many zero bytes as `power` stands for: x^(8 n - 33) modulo the polynomial, bits reflected.
__attribute__((target("sse4.2,pclmul"))) static inline uint32_t shifted(uint32_t crc, uint32_t power) {
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)crc), _mm_cvtsi32_si128((int)power), 0);
  return (uint32_t)_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

// An instruction takes three cycles but one can start each cycle: three streams side by side, put together every
// 3 * STREAM bytes.
__attribute__((target("sse4.2,pclmul"))) static uint32_t three_streams(uint32_t crc, const uint8_t **at, size_t *count) {
  while (*count >= 3 * STREAM) {
    uint64_t first = crc, second = 0, third = 0;
    for (size_t i = 0; i < STREAM; i += 8) {
      uint64_t words[3];
      memcpy(&words[0], *at + i, 8);
      memcpy(&words[1], *at + i + STREAM, 8);
      memcpy(&words[2], *at + i + 2 * STREAM, 8);
      first = _mm_crc32_u64(first, words[0]);
      second = _mm_crc32_u64(second, words[1]);
      third = _mm_crc32_u64(third, words[2]);
    }
    crc = shifted((uint32_t)first, 0x170076fa) ^ shifted((uint32_t)second, 0xdd7e3b0c) ^ (uint32_t)third;
    *at += 3 * STREAM;
    *count -= 3 * STREAM;
  }
  return crc;
}
#endif

uint32_t lintel_crc32c(uint32_t seed, const void *bytes, size_t count) {
  const uint8_t *at = bytes;
  uint32_t crc = ~seed;
#if defined(__x86_64__)
  if (count >= 3 * STREAM && __builtin_cpu_supports("pclmul")) crc = three_streams(crc, &at, &count);
#endif
  return ~one_stream(crc, at, count);
}
#endif
