#pragma once
#include "core/base.hpp"

namespace peripherals::floppy {
using namespace core;

// How a floppy of some size is laid out; 512-byte sectors.
struct Geometry {
  unsigned tracks = 0, heads = 0, sectors = 0;
  u8 rates = 0;  // data rates it is written at: bit n for code n of CCR
  bool exists() const { return sectors != 0; }
};
Geometry geometry_of(u64 bytes);
}  // namespace peripherals::floppy
