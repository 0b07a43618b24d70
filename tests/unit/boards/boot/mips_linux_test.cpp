#include "boards/boot/mips_linux.hpp"

#include "files.hpp"

#include <doctest/doctest.h>

using namespace boards;
using namespace boards::test;
using core::GuestPhys, core::MiB;

namespace {
constexpr u16 elf_mips = 8;
const MipsLinuxBoard little{64 * MiB, 64 * MiB, false, "malta"}, big{64 * MiB, 96 * MiB, true, "malta-be"};
constexpr u64 kernel_at = 0x8010'0000;

std::string refusal(const MipsLinuxFiles& files, const MipsLinuxBoard& b = little) {
  auto l = MipsLinux::create(files, b);
  return l ? "ready" : l.error().text;
}
struct Booted {
  core::MachineBase m;
  MipsBoot boot;
  Booted(const MipsLinuxFiles& files, const MipsLinuxBoard& board) : big(board.big_endian) {
    REQUIRE(m.add_ram("ram", GuestPhys{0}, board.low_ram, false));
    auto l = MipsLinux::create(files, board);
    REQUIRE(l);
    auto b = l->place(m);
    REQUIRE(b);
    boot = *b;
  }
  u32 word(u64 at) const {
    const u32 v = core::load_le<u32>(m.ram[0].host + at);
    return big ? __builtin_bswap32(v) : v;
  }
  std::string text(u32 va) const { return reinterpret_cast<const char*>(m.ram[0].host + (va & 0x1fff'ffff)); }
  std::string string(unsigned index) const { return text(word(0x2000 + 4 * index)); }
  bool big;
};
}  // namespace

TEST_CASE("mips boot: arguments and environment as YAMON leaves them") {
  Folder f;
  for (const auto& board : {little, big}) {
    const std::string kernel = f.put("vmlinux", elf32(kernel_at, Bytes(100, 7), 50, kernel_at + 8, elf_mips, board.big_endian));
    const Booted b({kernel, f.put("initrd", Bytes(5000, 3)), "console=ttyS0"}, board);
    CHECK(b.boot.pc == kernel_at + 8);
    CHECK(b.boot.sp == 0x8000'1fc0);
    CHECK(b.boot.a == std::array<u32, 4>{2, 0x8000'2000, 0x8000'2008, u32(64 * MiB)});
    CHECK(b.m.ram[0].host[0x10'0000] == 7);
    CHECK(b.string(0) == kernel);
    CHECK(b.string(1) == "rd_start=0x83fd0000 rd_size=5000 console=ttyS0");
    CHECK(b.m.ram[0].host[0x3fd'0000] == 3);
    CHECK((b.string(2) == "memsize" && b.string(3) == std::to_string(64 * MiB)));
    CHECK((b.string(4) == "ememsize" && b.string(5) == std::to_string(board.total_ram)));
    CHECK((b.string(6) == "modetty0" && b.string(7) == "38400n8r"));
    CHECK((b.string(8) == "rngseed" && b.string(9).size() == 64));
    CHECK(b.word(0x2000 + 4 * 10) == 0);
  }
}

TEST_CASE("mips boot: a command line of any length") {
  Folder f;
  const std::string line(3000, 'x');
  const Booted b({f.put("k", elf32(kernel_at, Bytes(8), 0, kernel_at, elf_mips)), "", line}, little);
  CHECK(b.string(1) == line);
  CHECK(b.string(2) == "memsize");
}

TEST_CASE("mips boot: what cannot be started is refused with a way out") {
  Folder f;
  const std::string be = f.put("be", elf32(kernel_at, Bytes(8), 0, kernel_at, elf_mips, true));
  CHECK(refusal({be, "", ""}).ends_with("this ELF file is big-endian, this machine is little-endian; run it with pinstrap-malta-be"));
  const std::string le = f.put("le", elf32(kernel_at, Bytes(8), 0, kernel_at, elf_mips));
  CHECK(refusal({le, "", ""}, big).ends_with("; run it with pinstrap-malta"));
  CHECK(refusal({f.put("arm", elf32(0, Bytes(8), 0, 0)), "", ""}).find("not MIPS") != std::string::npos);
  CHECK(refusal({f.put("raw", Bytes(100, 1)), "", ""}).find("does not say where it goes") != std::string::npos);
  CHECK(refusal({f.put("high", elf32(0x8400'0000, Bytes(8), 0, 0x8400'0000, elf_mips)), "", ""}).find("give more with -m") != std::string::npos);
  const std::string large = f.put("large", elf32(kernel_at, Bytes(8), 62 * MiB, kernel_at, elf_mips));
  CHECK(refusal({large, "", ""}) == "ready");
  CHECK(refusal({large, f.put("initrd", Bytes(2 * MiB)), ""}).starts_with("-initrd"));
}
