#include <stddef.h>
#include <stdint.h>
struct test {
  const char* name;
  uint64_t (*fn)(int scale);
};
/* n iterations at 100 %, never below 1 */
static inline long scaled(long n, int pct) {
  long r = (long)((long long)n * pct / 100);
  return r < 1 ? 1 : r;
}
static inline uint32_t lcg(uint32_t* s) { return *s = *s * 1664525u + 1013904223u; }
uint64_t fnv(const void* p, size_t n, uint64_t h);
uint64_t fnv_be64(uint64_t v, uint64_t h);
#define FNV0 0xcbf29ce484222325ull
