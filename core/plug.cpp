#include "core/plug.hpp"

#include <charconv>

namespace core {
u64 PlugContext::number(const std::string& key, u64 otherwise) const {
  const std::string v = text(key);
  u64 n = otherwise;
  std::from_chars(v.data(), v.data() + v.size(), n);
  return n;
}
}  // namespace core
