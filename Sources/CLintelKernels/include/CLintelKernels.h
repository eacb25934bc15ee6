#ifndef LINTEL_KERNELS_H
#define LINTEL_KERNELS_H
#include <stddef.h>
#include <stdint.h>
uint32_t lintel_crc32c(uint32_t seed, const void *bytes, size_t count);
#endif
