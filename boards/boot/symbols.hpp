#pragma once
// Names of code, for people: from an ELF file's symbol table, or from lines `80100000 T name`, as nm, System.map and
// /proc/kallsyms have them.
//
// Thread: any while nobody adds.

#include "core/base.hpp"
#include "core/result.hpp"

#include <span>
#include <string>
#include <vector>

namespace boards {
class Symbols {
 public:
  // Errors: io, usage (no symbols in it).
  core::Status add_file(const std::string& path);
  // Those of an ELF file already read; none when it has none.  Errors: corrupt.
  core::Status add_elf(std::span<const core::u8> file);
  core::Status add_text(std::span<const core::u8> file);
  // `name` or `name+0x14`; empty when the address is in nothing known.
  std::string name(core::u64 address) const;
  std::size_t size() const { return all_.size(); }

 private:
  struct Symbol {
    core::u64 at, size;  // size 0: up to the next
    std::string name;
  };
  void sort();
  std::vector<Symbol> all_;  // by address
};

// Names of this program's own functions, by address in memory; empty for those of libraries or without symbols.
class OwnSymbols {
 public:
  OwnSymbols();
  std::string name(core::u64 address) const;

 private:
  Symbols symbols_;
  core::u64 moved_by_;
};
}  // namespace boards
