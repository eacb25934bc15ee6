#include "CLintelKernels.h"

#include <string.h>
#include <sys/mman.h>

/// A range of `bytes` at a multiple of `alignment`, `protection` as mmap takes it.
static void *map_aligned(size_t bytes, size_t alignment, int protection) {
  if (bytes > SIZE_MAX - alignment) return NULL;
  char *whole = mmap(NULL, bytes + alignment, protection, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (whole == MAP_FAILED) return NULL;
  size_t before = -(size_t)whole & (alignment - 1);
  if (before > 0) munmap(whole, before);
  if (before < alignment) munmap(whole + before + bytes, alignment - before);
  return whole + before;
}

void *lintel_map_pages(size_t bytes, size_t alignment) {
  return map_aligned(bytes, alignment, PROT_READ | PROT_WRITE);
}

void *lintel_move_pages(void *old, size_t old_bytes, size_t new_bytes, size_t alignment) {
#ifdef __linux__
  // The range is taken first: the kernel would choose one where large pages don't lie whole, and take them apart.
  void *place = map_aligned(new_bytes, alignment, PROT_NONE);
  if (place == NULL) return NULL;
  if (mremap(old, old_bytes, new_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place) return place;
  munmap(place, new_bytes);
  return NULL;
#else
  void *place = lintel_map_pages(new_bytes, alignment);
  if (place == NULL) return NULL;
  memcpy(place, old, old_bytes);
  munmap(old, old_bytes);
  return place;
#endif
}
