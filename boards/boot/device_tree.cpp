// Changes to a flattened device tree, by libfdt.

#include "boards/boot/arm_linux.hpp"

#include <fmt/format.h>
#include <libfdt.h>

namespace boards {
using core::Error, core::Kind, core::Status, core::u32, core::u64, core::u8;

namespace {
Error broken(const std::string& path, int error) {
  return {Kind::corrupt, fmt::format("-dtb: '{}' is a broken device tree: {}", path, fdt_strerror(error))};
}

// Big-endian cells, as many as the root says.
Status add_cells(Bytes& out, u64 value, u32 cells, std::string_view what) {
  if (cells == 0 || cells > 4)
    return Error{Kind::corrupt, fmt::format("a device tree with {} cells for {}", cells, what)};
  if (cells == 1 && value >> 32)
    return Error{Kind::usage, fmt::format("0x{:x} does not fit in the device tree's one cell for {}", value, what)};
  for (u32 i = cells; i-- > 0;)
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(i > 1 ? 0 : u8(value >> (i * 32 + u32(shift))));
  return {};
}

u32 cells_of(const void* tree, const char* name, u32 otherwise) {
  int size = 0;
  const void* p = fdt_getprop(tree, 0, name, &size);
  return p && size == 4 ? fdt32_ld(static_cast<const fdt32_t*>(p)) : otherwise;
}

// The memory node, made when there is none; negative is libfdt's error.
int memory_node(void* tree, u64 at) {
  int node = fdt_node_offset_by_prop_value(tree, -1, "device_type", "memory", 7);
  if (node >= 0) return node;
  node = fdt_subnode_offset(tree, 0, "memory");
  if (node >= 0) return node;
  node = fdt_add_subnode(tree, 0, fmt::format("memory@{:x}", at).c_str());
  if (node < 0) return node;
  const int e = fdt_setprop_string(tree, node, "device_type", "memory");
  return e < 0 ? e : node;
}

int chosen_node(void* tree) {
  const int node = fdt_path_offset(tree, "/chosen");
  return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(tree, 0, "chosen") : node;
}

int set_address(void* tree, const char* name, u64 value) {
  const int node = chosen_node(tree);
  if (node < 0) return node;
  return value >> 32 ? fdt_setprop_u64(tree, node, name, value) : fdt_setprop_u32(tree, node, name, u32(value));
}

int set_chosen(void* tree, const LinuxFacts& facts) {
  int node = chosen_node(tree), e = node < 0 ? node : 0;
  if (e == 0 && !facts.append.empty()) e = fdt_setprop_string(tree, node, "bootargs", facts.append.c_str());
  if (e == 0 && facts.initrd_size) e = set_address(tree, "linux,initrd-start", facts.initrd_at);
  if (e == 0 && facts.initrd_size) e = set_address(tree, "linux,initrd-end", facts.initrd_at + facts.initrd_size);
  return e;
}
}  // namespace

Status check_device_tree(std::span<const u8> blob, const std::string& path) {
  if (blob.size() < sizeof(fdt_header))
    return Error{Kind::corrupt, fmt::format("-dtb: '{}' is too short for a device tree", path)};
  if (const int e = fdt_check_header(blob.data()); e != 0) {
    if (e == -FDT_ERR_BADMAGIC)
      return Error{Kind::usage, fmt::format("-dtb: '{}' is not a device tree; dtc makes one from source", path)};
    return broken(path, e);
  }
  const u64 said = fdt_totalsize(blob.data());
  if (said > blob.size())
    return Error{Kind::corrupt, fmt::format("-dtb: '{}' is cut short: it has {} bytes of {}", path, blob.size(), said)};
  if (const int e = fdt_check_full(blob.data(), blob.size()); e != 0) return broken(path, e);
  return {};
}

core::Result<Bytes> patch_device_tree(std::span<const u8> blob, const LinuxFacts& facts, const std::string& path) {
  TRY(check_device_tree(blob, path));
  Bytes tree(fdt_totalsize(blob.data()) + facts.append.size() + 4096);
  if (const int e = fdt_open_into(blob.data(), tree.data(), int(tree.size())); e != 0) return broken(path, e);
  Bytes reg;
  TRY(add_cells(reg, facts.ram_at, cells_of(tree.data(), "#address-cells", 2), "addresses").context("-dtb"));
  TRY(add_cells(reg, facts.ram_size, cells_of(tree.data(), "#size-cells", 1), "sizes").context("-dtb"));
  const int memory = memory_node(tree.data(), facts.ram_at);
  int e = memory < 0 ? memory : fdt_setprop(tree.data(), memory, "reg", reg.data(), int(reg.size()));
  if (e == 0) e = set_chosen(tree.data(), facts);
  if (e != 0) return broken(path, e);
  fdt_pack(tree.data());
  tree.resize(fdt_totalsize(tree.data()));
  return tree;
}
}  // namespace boards
