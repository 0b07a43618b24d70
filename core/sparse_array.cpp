#include "core/sparse_array.hpp"

#include <algorithm>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace core {
void* map_zeros(std::size_t bytes) {
  void* p = mmap(nullptr, std::max<std::size_t>(1, bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return p;
}

void unmap_zeros(void* at, std::size_t bytes) { munmap(at, std::max<std::size_t>(1, bytes)); }

u64 resident_bytes(const void* at, std::size_t bytes) {
  const std::size_t page = std::size_t(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> touched((bytes + page - 1) / page);
  if (mincore(const_cast<void*>(at), bytes, touched.data()) != 0) return 0;
  return page * u64(std::ranges::count_if(touched, [](unsigned char t) { return t & 1; }));
}
}  // namespace core
