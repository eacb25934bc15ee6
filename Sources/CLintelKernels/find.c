#include "CLintelKernels.h"

#include <string.h>

int lintel_holds(const void *bytes, size_t count, const void *needle, size_t needle_count) {
  return memmem(bytes, count, needle, needle_count) != NULL;
}
