#include "peripherals/storage/floppy_geometry.hpp"

namespace peripherals::floppy {
namespace {
struct Format {
  u64 kilobytes;
  Geometry geometry;
};
// Rates by code of CCR: 0 is 500 kbps, 1 300 (double density in a high density drive), 2 250, 3 1000.
constexpr Format formats[] = {
    {160, {40, 1, 8, 6}},   {180, {40, 1, 9, 6}},   {320, {40, 2, 8, 6}},   {360, {40, 2, 9, 6}},
    {720, {80, 2, 9, 6}},   {800, {80, 2, 10, 6}},  {820, {82, 2, 10, 6}},  {1200, {80, 2, 15, 1}},
    {1440, {80, 2, 18, 1}}, {1520, {80, 2, 19, 1}}, {1600, {80, 2, 20, 1}}, {1680, {80, 2, 21, 1}},
    {1722, {82, 2, 21, 1}}, {2880, {80, 2, 36, 8}}, {3200, {80, 2, 40, 8}}, {3520, {80, 2, 44, 8}},
};
}  // namespace

// An image of no format's size has the first format it fits in whole among the common ones.
Geometry geometry_of(u64 size) {
  if (size == 0) return {};
  for (const Format& f : formats)
    if (f.kilobytes * KiB == size) return f.geometry;
  return size <= 1440 * KiB ? Geometry{80, 2, 18, 1} : Geometry{80, 2, 36, 8};
}
}  // namespace peripherals::floppy
