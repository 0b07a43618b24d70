#include "boards/boot/loader.hpp"

#include "files.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace boards;
using namespace boards::test;
using core::GuestPhys, core::MiB;

namespace {
const ImageRules rules{.raw_at = 0x10000,
                       .noload_at = 0x200000,
                       .elf_machine = 40,
                       .machine_name = "Arm",
                       .uimage_arch = 2,
                       .most = 4 * MiB};
std::string refusal(const std::string& path) {
  auto i = load_image(path, rules);
  return i ? "loaded" : i.error().text;
}
std::shared_ptr<const File> file(std::span<const u8> bytes) { return std::make_shared<const File>(Bytes(bytes.begin(), bytes.end())); }
Bytes bytes(const Segment& s) {
  Bytes out(s.contents.size());
  REQUIRE(s.contents.copy_to(out.data()));
  return out;
}
std::string parsed(core::Result<Image> i) { return i ? "loaded" : i.error().text; }
}  // namespace

TEST_CASE("loader: files that are not there, empty, folders or too large") {
  Folder f;
  CHECK(refusal(f.path + "/none") == "cannot open '" + f.path + "/none': there is no such file");
  CHECK(refusal(f.path) == "'" + f.path + "' is a folder, not a file");
  const auto empty = f.put("empty", "");
  CHECK(refusal(empty) == "'" + empty + "' is empty");
  const auto large = f.put("large", Bytes(5 * MiB));
  CHECK(refusal(large) == "'" + large + "' is larger than the 4 MiB it must fit in");
  const auto bomb = f.put("bomb.gz", gzip(Bytes(16 * MiB)));
  CHECK(refusal(bomb) == "'" + bomb + " (unpacked)' is larger than the 4 MiB it must fit in");
}

TEST_CASE("loader: ELF by physical address, both byte orders, zeros behind") {
  auto i = parse_elf(file(elf32(0x8000, {1, 2, 3, 4}, 8, 0x8000)), rules);
  REQUIRE(i);
  CHECK(i->entry == 0x8000);
  CHECK(i->segments[0].at == 0x8000);
  CHECK(bytes(i->segments[0]) == Bytes{1, 2, 3, 4});
  CHECK(i->segments[0].zeros == 8);
  ImageRules big = rules;
  big.big_endian = true;
  CHECK(parse_elf(file(elf32(0x8000, {1, 2, 3, 4}, 0, 0x8001, 40, true)), big)->entry == 0x8001);
}

TEST_CASE("loader: ELF files that are wrong get their sentence") {
  CHECK(parsed(parse_elf(file(elf32(0x8000, {1}, 0, 0, 3)), rules)) ==
        "this ELF file is for another processor (machine number 3), not Arm");
  CHECK(parsed(parse_elf(file(elf32(0x8000, {1}, 0, 0, 40, true)), rules)) ==
        "this ELF file is big-endian, this machine is little-endian");
  Bytes b = elf32(0x8000, {1, 2, 3, 4}, 0, 0);
  CHECK(parsed(parse_elf(file(std::span(b).first(86)), rules)) == "the file is cut short: segment 0 needs bytes up to 88");
  CHECK(parsed(parse_elf(file(std::span(b).first(60)), rules)) == "the file ends inside its table of segments");
  CHECK(parsed(parse_elf(file(std::span(b).first(30)), rules)) == "the file ends inside its ELF header");
  CHECK(parsed(parse_elf(file(std::span(b).first(10)), rules)) == "the ELF header is broken");
  number(b, 16, 1, 2);
  CHECK(parsed(parse_elf(file(b), rules)) == "this is an object file; link it to a program first");
  b = elf32(0x8000, {1}, 0, 0);
  number(b, 72, 0, 4);
  CHECK(parsed(parse_elf(file(b), rules)) == "this ELF file has nothing to load");
  CHECK(parsed(parse_elf(file(elf32(0x8000, {1}, 0x10000000, 0)), rules)) ==
        "segment 0 needs 268435457 bytes, more than this machine's RAM");
}

TEST_CASE("loader: damaged ELF and uImage headers never crash") {
  std::mt19937 random(3);
  const Bytes whole[] = {elf32(0x8000, Bytes(64), 16, 0x8000), uimage(Bytes(64), 0x8000, 0x8000)};
  for (int n = 0; n < 50'000; ++n) {
    Bytes b = whole[n % 2];
    for (int k = 0; k < 3; ++k) b[random() % b.size()] = u8(random());
    b.resize(random() % b.size() + 1);
    if (is_elf(b)) (void)parse_elf(file(b), rules);
    if (is_uimage(b)) (void)parse_uimage(file(b), rules);
  }
}

TEST_CASE("loader: uImage, plain and packed, at its address or anywhere") {
  const Bytes data{1, 2, 3, 4, 5};
  auto i = parse_uimage(file(uimage(data, 0x8000, 0x8004)), rules);
  REQUIRE(i);
  CHECK(i->linux_os);
  CHECK(i->entry == 0x8004);
  CHECK(i->segments[0].at == 0x8000);
  CHECK(bytes(i->segments[0]) == data);
  CHECK(bytes(parse_uimage(file(uimage(gzip(data), 0x8000, 0x8000, 1)), rules)->segments[0]) == data);
  auto any = parse_uimage(file(uimage(data, 0, 64, 0, 14)), rules);
  CHECK(any->segments[0].at == 0x200000);
  CHECK(any->entry == 0x200000);
  Bytes b = uimage(data, 0x8000, 0x8000);
  b[40] ^= 1;
  CHECK(parsed(parse_uimage(file(b), rules)) == "the uImage header's checksum is wrong");
  b = uimage(data, 0x8000, 0x8000);
  b[66] ^= 1;
  CHECK(parsed(parse_uimage(file(b), rules)) == "the uImage data's checksum is wrong");
  CHECK(parsed(parse_uimage(file(std::span(b).first(66)), rules)) == "the file is cut short: the uImage has 2 bytes of 5");
  CHECK(parsed(parse_uimage(file(uimage(data, 0, 0, 2)), rules)) ==
        "this uImage is compressed in a way (number 2) that is not built; use gzip or none");
  CHECK(parsed(parse_uimage(file(uimage(data, 0, 0, 0, 2, 5)), rules)) ==
        "this uImage is for another processor (architecture number 5), not Arm");
  CHECK(parsed(parse_uimage(file(uimage(data, 0, 0, 0, 3)), rules)) == "this uImage holds no kernel (type 3)");
}

TEST_CASE("loader: zImage, raw and gzip'd images") {
  Folder f;
  auto z = load_image(f.put("z", zimage(4096)), rules);
  REQUIRE(z);
  CHECK(z->kind == ImageKind::zimage);
  CHECK(z->entry == 0x10000);
  Bytes cut = zimage(4096);
  cut.resize(1000);
  const auto path = f.put("cut", cut);
  CHECK(refusal(path) == "'" + path + "' is cut short: the zImage has 1000 bytes of 4096");
  CHECK(bytes(load_image(f.put("raw.gz", gzip({9, 9, 9})), rules)->segments[0]) == Bytes{9, 9, 9});
  Bytes packed = gzip(Bytes(10'000, 7));
  packed.resize(packed.size() - 12);
  const auto short_path = f.put("short.gz", packed);
  CHECK(refusal(short_path) == "'" + short_path + "' is cut short: its gzip data does not end");
}

TEST_CASE("loader: what a file holds is read again at each reset, and a file cut short is said") {
  core::MachineBase m;
  REQUIRE(m.add_ram("ram", GuestPhys{0}, 1 * MiB, false));
  Folder f;
  Bytes elf = elf32(0x8000, Bytes(5000, 7), 4, 0x8000);
  const auto path = f.put("program", elf);
  const auto initrd_path = f.put("initrd", Bytes(9000, 3));
  const auto image = load_image(path, rules);
  const auto initrd = load_initrd(initrd_path, 1 * MiB);
  REQUIRE((image && initrd));
  CHECK(write_image(m, *image));
  CHECK((m.ram[0].host[0x8000] == 7 && m.ram[0].host[0x8000 + 4999] == 7));
  CHECK(write_memory(m, 0x1'0000, *initrd, 0, "initrd"));
  CHECK((m.ram[0].host[0x1'0000] == 3 && m.ram[0].host[0x1'0000 + 8999] == 3));
  elf[elf.size() - 1] = 8;
  f.put("program", elf);
  CHECK(write_image(m, *image));
  CHECK(m.ram[0].host[0x8000 + 4999] == 8);
  const auto size = std::to_string(elf.size());
  elf.resize(100);
  f.put("program", elf);
  CHECK(write_image(m, *image).error().text == "'" + path + "' was cut short while the machine ran: it had " + size + " bytes; put it back and start again");
  f.put("initrd", "");
  CHECK(write_memory(m, 0x1'0000, *initrd, 0, "initrd").error().text.find("initrd' was cut short while") != std::string::npos);
}

TEST_CASE("loader: Intel HEX and S-records") {
  Folder f;
  auto hex =
      load_image(f.put("a.hex", ":020000040001F9\r\n:0400100001020304E2\r\n:0400140005060708CE\n:00000001FF\n"), rules);
  REQUIRE(hex);
  CHECK(hex->segments.size() == 1);
  CHECK(hex->segments[0].at == 0x10010);
  CHECK(bytes(hex->segments[0]) == Bytes{1, 2, 3, 4, 5, 6, 7, 8});
  const auto bad = f.put("b.hex", ":0400100001020304E3\n:00000001FF\n");
  CHECK(refusal(bad) == "'" + bad + "': line 1 is not an Intel HEX record or its checksum is wrong");
  const auto cut = f.put("c.hex", ":0400100001020304E2\n");
  CHECK(refusal(cut) == "'" + cut + "': the file is cut short: its end record is missing");
  auto srec = load_image(f.put("a.s19",
                               "S107800001020304"
                               "6E\nS9038000"
                               "7C\n"),
                         rules);
  REQUIRE(srec);
  CHECK(srec->segments[0].at == 0x8000);
  CHECK(srec->entry == 0x8000);
}

TEST_CASE("loader: writing to memory, all or nothing") {
  core::MachineBase m;
  REQUIRE(m.add_ram("ram", GuestPhys{0}, 1 * MiB, false));
  REQUIRE(m.add_ram("flash", GuestPhys{0x34000000}, 64 * 1024, true));
  Image i = *parse_elf(file(elf32(0x8000, {1, 2, 3, 4}, 4, 0)), rules);
  i.path = "a.elf";
  m.ram[0].host[0x8004] = 9;
  CHECK(write_image(m, i));
  CHECK(m.ram[0].host[0x8003] == 4);
  CHECK(m.ram[0].host[0x8004] == 0);
  i.segments.push_back({0xffffe, Bytes{1, 2, 3, 4}, 0});
  i.segments[0].contents = Bytes{77};
  CHECK(write_image(m, i).error().text ==
        "'a.elf' needs 4 bytes at 0xffffe, where this machine has no memory; -m may give more");
  CHECK(m.ram[0].host[0x8000] == 1);
  Folder f;
  auto rom = load_firmware(f.put("rom", "boot"), 64 * 1024, "-bios");
  REQUIRE(rom);
  CHECK(write_firmware(m, "flash", *rom));
  CHECK(m.ram[1].host[0] == 'b');
  CHECK(m.ram[1].host[4] == 0xff);
  CHECK(write_firmware(m, "flush", *rom).error().text == "this board has no memory 'flush' for firmware");
  const auto large = f.put("large", Bytes(100));
  CHECK(load_firmware(large, 99, "-pflash").error().text ==
        "-pflash: '" + large + "' is larger than the 99 bytes it must fit in");
}
