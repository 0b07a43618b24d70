#include "accel/layers.hpp"

namespace accel {
std::span<const LayerText> layer_list() {
  static constexpr LayerText list[] = {
      {"chain", "jumps to a known address go straight to its code"},
      {"probe", "jumps to a computed address look it up in translated code"},
      {"deadflags", "flags that nobody reads are not computed"},
      {"deadcode", "results that nobody reads are not computed"},
      {"hostflags", "a branch takes its condition from the host's flags"},
      {"fp", "floating point on the host's"},
      {"runs", "words moved together (LDM, STM, what a function saves) are checked together"},
      {"tables", "loads and stores of memory look up its page in translated code"},
      {"fixed", "what is not mapped elsewhere stays when the address space changes"},
      {"pins", "ten guest registers live in host registers"},
      {"regions", "loops that run often are translated as a whole; needs all the others"},
  };
  static_assert(std::size(list) == core::u32(Layer::regions) + 1);
  return list;
}
}  // namespace accel
