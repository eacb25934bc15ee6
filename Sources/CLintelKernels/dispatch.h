#ifndef LINTEL_DISPATCH_H
#define LINTEL_DISPATCH_H

#include <stdlib.h>

// One object per instruction set, chosen when the program is loaded. The thread sanitizer dies in the chooser.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LINTEL_NO_CLONES 1
#endif
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(LINTEL_NO_CLONES)
#define LINTEL_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LINTEL_CLONES
#endif

#if defined(__x86_64__)
// What kernels written with AVX-512 use of it; processors that have the byte and word lanes have the others too.
static inline int lintel_has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq");
}
#endif

#endif
