#include "boards/boot/arm_linux.hpp"

#include "files.hpp"

#include <doctest/doctest.h>
#include <libfdt.h>

using namespace boards;
using namespace boards::test;
using core::GuestPhys, core::MiB;

namespace {
const ArmLinuxBoard board{0, 64 * MiB, 0x183, false};
Bytes tree() {
  Bytes b(4096);
  fdt_create(b.data(), 4096);
  fdt_finish_reservemap(b.data());
  fdt_begin_node(b.data(), "");
  fdt_property_u32(b.data(), "#address-cells", 1);
  fdt_property_u32(b.data(), "#size-cells", 1);
  fdt_begin_node(b.data(), "memory");
  fdt_property_string(b.data(), "device_type", "memory");
  fdt_end_node(b.data());
  fdt_end_node(b.data());
  fdt_finish(b.data());
  b.resize(fdt_totalsize(b.data()));
  return b;
}
u32 word(const core::MachineBase& m, u64 at) { return core::load_le<u32>(m.ram[0].host + at); }
std::string refusal(const ArmLinuxFiles& files, const ArmLinuxBoard& b = board) {
  auto l = ArmLinux::create(files, b);
  return l ? "ready" : l.error().text;
}
}  // namespace

TEST_CASE("arm boot: zImage with a tag list (Documentation/arm/booting)") {
  Folder f;
  core::MachineBase m;
  REQUIRE(m.add_ram("ram", GuestPhys{0}, board.ram_size, false));
  auto l = ArmLinux::create({f.put("z", zimage(4096)), f.put("initrd", Bytes(5000, 3)), "abc", ""}, board);
  REQUIRE(l);
  auto boot = l->place(m);
  REQUIRE(boot);
  CHECK(boot->pc == 0x10000);
  CHECK(boot->r0 == 0);
  CHECK(boot->r1 == 0x183);
  CHECK(boot->r2 == 0x100);
  CHECK_FALSE(boot->thumb);
  const u32 want[] = {5, 0x54410001, 1,        0x1000, 0, 4,          0x54410002, 64 * MiB, 0,
                      4, 0x54420005, 32 * MiB, 5000,   3, 0x54410009, 0x00636261, 0,        0};
  for (u32 i = 0; i < std::size(want); ++i) CHECK(word(m, 0x100 + 4 * i) == want[i]);
  CHECK(m.ram[0].host[32 * MiB] == 3);
}

TEST_CASE("arm boot: a device tree is grown and filled in, and written again at reset") {
  Folder f;
  core::MachineBase m;
  REQUIRE(m.add_ram("ram", GuestPhys{0}, board.ram_size, false));
  const std::string line(3000, 'x');
  auto l =
      ArmLinux::create({f.put("z", zimage(4096)), f.put("initrd", Bytes(5000, 3)), line, f.put("dtb", tree())}, board);
  REQUIRE(l);
  for (int reset = 0; reset < 2; ++reset) {
    auto boot = l->place(m);
    REQUIRE(boot);
    CHECK(boot->r2 == 32 * MiB + 8192);
    u8* blob = m.ram[0].host + boot->r2;
    REQUIRE(fdt_check_full(blob, fdt_totalsize(blob)) == 0);
    int size = 0;
    const int chosen = fdt_path_offset(blob, "/chosen");
    CHECK(std::string(static_cast<const char*>(fdt_getprop(blob, chosen, "bootargs", &size))) == line);
    CHECK(fdt32_ld(static_cast<const fdt32_t*>(fdt_getprop(blob, chosen, "linux,initrd-start", &size))) == 32 * MiB);
    CHECK(fdt32_ld(static_cast<const fdt32_t*>(fdt_getprop(blob, chosen, "linux,initrd-end", &size))) ==
          32 * MiB + 5000);
    const auto* reg = static_cast<const fdt32_t*>(fdt_getprop(blob, fdt_path_offset(blob, "/memory"), "reg", &size));
    REQUIRE(size == 8);
    CHECK(fdt32_ld(reg) == 0);
    CHECK(fdt32_ld(reg + 1) == 64 * MiB);
    std::fill_n(blob, 256, u8(0));  // what a guest does to it
  }
}

TEST_CASE("arm boot: an ELF program starts bare, in Thumb state when its entry is odd") {
  Folder f;
  core::MachineBase m;
  REQUIRE(m.add_ram("ram", GuestPhys{0}, board.ram_size, false));
  auto l = ArmLinux::create({f.put("a.elf", elf32(0, {1, 2, 3, 4}, 0x1000, 3)), "", "arguments", ""}, board);
  REQUIRE(l);
  auto boot = l->place(m);
  REQUIRE(boot);
  CHECK(boot->pc == 2);
  CHECK(boot->thumb);
  CHECK(boot->r1 == 0);
  CHECK(word(m, 0) == 0x04030201);
  CHECK(word(m, 0x104) == 0);
}

TEST_CASE("arm boot: refusals are one sentence") {
  Folder f;
  const std::string z = f.put("z", zimage(4096)), d = f.put("dtb", tree());
  CHECK(refusal({"", z, "", ""}) == "-initrd goes with -kernel, which is missing");
  CHECK(refusal({f.path + "/x", "", "", ""}) == "-kernel: cannot open '" + f.path + "/x': there is no such file");
  CHECK(refusal({z, f.path + "/x", "", ""}) == "-initrd: cannot open '" + f.path + "/x': there is no such file");
  const auto big = f.put("big", Bytes(3 * MiB));
  CHECK(refusal({z, big, "", ""}, {0, 4 * MiB, 0x183, false}) ==
        "-initrd '" + big + "': 3145728 bytes at 0x200000 do not fit in 4 MiB of RAM; give more with -m");
  CHECK(refusal({z, "", "", z}) == "-dtb: '" + z + "' is not a device tree; dtc makes one from source");
  Bytes b = tree();
  const auto cut = f.put("cut", Bytes(b.begin(), b.begin() + 60));
  CHECK(refusal({z, "", "", cut}) ==
        "-dtb: '" + cut + "' is cut short: it has 60 bytes of " + std::to_string(b.size()));
  const auto tiny = f.put("tiny", "hi");
  CHECK(refusal({z, "", "", tiny}) == "-dtb: '" + tiny + "' is too short for a device tree");
  b[fdt_off_dt_struct(b.data()) + 3] = 0x77;
  const auto broken = f.put("broken", b);
  CHECK(refusal({z, "", "", broken}) == "-dtb: '" + broken + "' is a broken device tree: FDT_ERR_BADSTRUCTURE");
  const auto far = f.put("far.elf", elf32(0x20000000, {1}, 0, 0));
  CHECK(refusal({far, "", "", ""}) ==
        "-kernel '" + far + "': 1 bytes at 0x20000000 do not fit in 64 MiB of RAM; give more with -m");
  CHECK(refusal({z, "", std::string(70'000, 'a'), ""}) ==
        "-append: 70000 characters do not fit below the kernel at 0x10000");
}

TEST_CASE("arm boot: damaged device trees never crash") {
  const Bytes whole = tree();
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (u8 flip : {0x01, 0x80, 0xff}) {
      Bytes b = whole;
      b[i] ^= flip;
      (void)patch_device_tree(b, {0, 64 * MiB, 32 * MiB, 100, "x"}, "t");
    }
}
