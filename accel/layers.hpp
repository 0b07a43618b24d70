#pragma once
// What the translator does beyond the least that is correct.  Each layer can be left out (-accel jit,opt=LIST), to measure
// what it is worth or to find the one that is wrong; without any of them guests run as they do with all.

#include "core/base.hpp"

#include <span>

namespace accel {
// The number is the layer's bit in Layers and its place in layer_list().
enum class Layer : core::u32 { chain, probe, deadflags, deadcode, hostflags, fp, runs, tables, fixed, pins, regions };

struct Layers {
  core::u32 bits = ~core::u32(0);
  constexpr bool has(Layer l) const { return bits >> core::u32(l) & 1; }
  constexpr bool all() const { return (~bits & ((core::u32(2) << core::u32(Layer::regions)) - 1)) == 0; }
  constexpr Layers without(Layer l) const { return {bits & ~(core::u32(1) << core::u32(l))}; }
};

struct LayerText {
  const char* name;
  const char* help;
};
std::span<const LayerText> layer_list();
}  // namespace accel
