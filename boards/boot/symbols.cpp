#include "boards/boot/symbols.hpp"

#include "boards/boot/loader.hpp"
#include "boards/boot/view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cxxabi.h>
#include <link.h>

namespace boards {
using core::Error, core::Kind, core::u32, core::u64, core::u8;

namespace {
constexpr u64 most_bytes = 2 * core::GiB;
constexpr u64 reach = core::MiB;  // of a symbol without size that nothing follows

// Where the fields of the two classes of ELF are (ELF-64 1.5, figures 2, 3 and 6).
struct Layout {
  unsigned word, shoff, shentsize, sh_offset, sh_size, sh_link, symbol, st_value, st_size, st_info, st_shndx;
};
constexpr Layout elf32{4, 32, 46, 16, 20, 24, 16, 4, 8, 12, 14};
constexpr Layout elf64{8, 40, 58, 24, 32, 40, 24, 8, 16, 4, 6};
constexpr u64 sht_symtab = 2, sht_dynsym = 11, stt_notype = 0, stt_func = 2, machine_arm = 40, machine_mips = 8;

// $a, $t, $d mark what follows for debuggers; .L names are the compiler's own.
bool is_name(const std::string& n) { return !n.empty() && n[0] != '$' && !n.starts_with(".L"); }
}  // namespace

core::Status Symbols::add_file(const std::string& path) {
  const Bytes file = TRY(read_file(path, most_bytes).context("symbols"));
  const std::size_t before = all_.size();
  TRY((is_elf(file) ? add_elf(file) : add_text(file)).context(fmt::format("symbols: '{}'", path)));
  if (all_.size() == before)
    return Error{Kind::usage, fmt::format("symbols: '{}' names no code; give an ELF file that was not stripped, or a System.map", path)};
  return {};
}

core::Status Symbols::add_elf(std::span<const u8> file) {
  if (file.size() < 20 || (file[4] != 1 && file[4] != 2) || (file[5] != 1 && file[5] != 2)) return Error{Kind::corrupt, "the ELF header is broken"};
  const Layout& l = file[4] == 1 ? elf32 : elf64;
  const View view(file, file[5] == 2);
  const u64 table = view.number(l.shoff, l.word), stride = view.number(l.shentsize, 2), count = view.number(l.shentsize + 2, 2);
  const u64 machine = view.number(18, 2), odd_is_mode = machine == machine_arm || machine == machine_mips;
  if (count && (!table || !view.holds(table, stride * count))) return Error{Kind::corrupt, "the file ends inside its table of sections"};
  for (u64 i = 0; i < count; ++i) {
    const u64 section = table + i * stride;
    if (const u64 type = view.number(section + 4, 4); type != sht_symtab && type != sht_dynsym) continue;
    const u64 at = view.number(section + l.sh_offset, l.word), size = view.number(section + l.sh_size, l.word), link = view.number(section + l.sh_link, 4);
    if (!view.holds(at, size) || link >= count) return Error{Kind::corrupt, "the symbol table is broken"};
    const u64 names = view.number(table + link * stride + l.sh_offset, l.word);
    for (u64 s = at; s + l.symbol <= at + size; s += l.symbol) {
      const u64 type = view.number(s + l.st_info, 1) & 15, value = view.number(s + l.st_value, l.word);
      if ((type != stt_func && type != stt_notype) || !view.number(s + l.st_shndx, 2)) continue;
      std::string name = view.text(names + view.number(s, 4));
      if (is_name(name)) all_.push_back({value & ~odd_is_mode, view.number(s + l.st_size, l.word), std::move(name)});
    }
  }
  sort();
  return {};
}

core::Status Symbols::add_text(std::span<const u8> file) {
  std::string_view rest(reinterpret_cast<const char*>(file.data()), file.size());
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const auto end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    if (line.empty()) continue;
    u64 at = 0;
    const auto [after, error] = std::from_chars(line.data(), line.data() + line.size(), at, 16);
    const std::size_t digits = std::size_t(after - line.data());
    if (error != std::errc{} || line.size() < digits + 4 || line[digits] != ' ' || line[digits + 2] != ' ')
      return Error{Kind::usage, fmt::format("line {} is not `address type name`, and the file is no ELF file", number)};
    std::string name(line.substr(digits + 3));
    name.resize(std::min(name.size(), name.find_first_of("\t\r")));
    if (std::string_view("tTwW").find(line[digits + 1]) != std::string_view::npos && is_name(name)) all_.push_back({at, 0, std::move(name)});
  }
  sort();
  return {};
}

void Symbols::sort() {
  std::ranges::stable_sort(all_, {}, &Symbol::at);
}

std::string Symbols::name(u64 address) const {
  auto s = std::ranges::upper_bound(all_, address, {}, &Symbol::at);
  if (s == all_.begin()) return {};
  --s;
  // Of names for the same place, one with a size says the most.
  auto best = s;
  while (s != all_.begin() && (s - 1)->at == best->at)
    if ((--s)->size) best = s;
  const u64 offset = address - best->at;
  if (offset >= (best->size ? best->size : reach)) return {};
  return offset ? fmt::format("{}+{:#x}", best->name, offset) : best->name;
}

OwnSymbols::OwnSymbols() : moved_by_(0) {
  dl_iterate_phdr([](dl_phdr_info* info, std::size_t, void* to) { return *static_cast<u64*>(to) = info->dlpi_addr, 1; }, &moved_by_);
  if (const auto self = read_file("/proc/self/exe", most_bytes)) (void)symbols_.add_elf(*self);
}

std::string OwnSymbols::name(u64 address) const {
  std::string name = symbols_.name(address - moved_by_);
  name.resize(std::min(name.size(), name.find('+')));
  int status = 0;
  char* plain = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  if (status == 0 && plain) name = plain;
  std::free(plain);
  return name;
}
}  // namespace boards
