// Random ARM, Thumb and VFP code in the interpreter, the translator and Unicorn: all must agree.
//     arm_fuzz [--count N] [--seed S] [--isa a32|t16|vfp|all] [--against unicorn|interp] [--only ENCODING]
//              [--minimise] [--show N] [--regressions FOLDER] [--coverage FILE]...
// N counts instructions.  Exit status 0: no unexplained difference, no encoding of the FILEs left out.

#include "tests/isa/arm_fuzz.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace fuzz {
Outcome run(Cpu& cpu, const Case& c, const Memory& image) {
  cpu.load(image, c.in);
  Outcome o;
  o.ended = cpu.run();
  o.r = registers_of(cpu.state());
  o.accesses = cpu.machine.accesses;
  return o;
}

namespace {
struct Options {
  u64 count = 200'000, seed = 1;
  Wanted wanted;
  bool minimise = false;
  accel::EngineOptions translator;
  unsigned show = 10;
  std::vector<std::string> coverage;
  std::string regressions;
};

struct Tally {
  u64 cases = 0, instructions = 0, mmu = 0, exceptions = 0, in_unicorn = 0, unicorn_instructions = 0;
  u64 translator_differences = 0, unicorn_differences = 0;
};

class Fuzzer {
 public:
  explicit Fuzzer(const Options& o)
      : options_(o), stepper_(interpreted()), interp_(interpreted()), jit_(o.translator), generator_(stepper_, o.wanted), coverage_(tables().all) {
    stop_at_vectors_and_end(interp_.engine());
    stop_at_vectors_and_end(jit_.engine());
    if (o.wanted.unicorn) unicorn_ = std::make_unique<Unicorn>();
  }

  bool fuzz() {
    const auto begin = std::chrono::steady_clock::now();
    u64 done = 0;
    for (u64 seed = options_.seed; done < options_.count; ++seed) {
      const Case c = generator_.make(seed, image_, coverage_);
      one(c);
      done += std::max<std::size_t>(1, c.code.size());
      if (seed % 16384 == 0)
        for (Cpu* cpu : {&stepper_, &interp_, &jit_}) cpu->engine().flush_code();
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report(seconds);
  }
  bool regressions();

 private:
  static accel::EngineOptions interpreted() {
    accel::EngineOptions o;
    o.interpret = true;
    return o;
  }
  enum class Verdict { same, translator, unicorn, skipped };
  Verdict compare(const Case& c, const Memory& image, std::string* text);
  void one(const Case& c);
  void print(const Case& c, const std::string& text);
  Case minimised(const Case& c, Verdict as);
  bool report(double seconds);

  const Options& options_;
  Cpu stepper_, interp_, jit_;
  std::unique_ptr<Unicorn> unicorn_;
  Generator generator_;
  std::vector<Encoding> coverage_;
  Memory image_;
  Tally tally_[isa_count];
  std::map<std::string, u64> explained_, skipped_, differing_;
  unsigned shown_ = 0;
};

const std::vector<unsigned>& all_places() {
  static const auto made = [] {
    std::vector<unsigned> v;
    for (unsigned i = 0; i < at::count; ++i) v.push_back(i);
    return v;
  }();
  return made;
}

// The state in front of the exception, from the state behind it: what Unicorn stops with.
Registers before_exception(const Registers& r, u32& vector) {
  vector = r[at::pc] & 0x1c;
  Registers o = r;
  const unsigned taken = arm::bank_of(r[at::cpsr]);
  const u32 cpsr = r[at::spsr + taken];
  o[at::cpsr] = cpsr;
  const unsigned bank = arm::bank_of(cpsr);
  o[at::pc] = 0;
  // The banks of the mode it came from are current again; of the mode it went to, LR and SPSR are lost.
  o[13] = o[at::r13 + bank];
  o[14] = o[at::r14 + bank];
  const bool fiq = bank == CpuState::bank_fiq;
  for (unsigned i = 0; i < 5; ++i) o[8 + i] = o[(fiq ? at::fiq8 : at::usr8) + i];
  return o;
}

Fuzzer::Verdict Fuzzer::compare(const Case& c, const Memory& image, std::string* text) {
  const Outcome a = run(interp_, c, image), b = run(jit_, c, image);
  if (a.r != b.r || a.ended != b.ended || a.accesses != b.accesses || std::memcmp(interp_.memory(), jit_.memory(), ram_size) != 0 || !a.ended) {
    if (text) {
      *text = "interpreter and translator differ\n" + differences(c.in, a.r, b.r, "interp", "jit", all_places(), register_name) +
              memory_differences(image, interp_.memory(), jit_.memory(), "interp", "jit");
      if (!a.ended) *text += "    the interpreter did not end\n";
      if (!b.ended) *text += "    the translator did not end\n";
      if (a.accesses != b.accesses) *text += "    accesses of devices differ\n";
    }
    return Verdict::translator;
  }
  if (!unicorn_ || c.explained) return Verdict::same;
  static Memory theirs;
  Registers u{}, mine = a.r;
  u32 exception = 0;
  std::string why;
  if (!unicorn_->run(c, image, u, theirs, exception, why)) {
    if (text) *text = why;
    return Verdict::skipped;
  }
  const bool vector = (mine[at::pc] & ~0x1cu) == 0 || (mine[at::pc] & ~0x1cu) == 0xffff'0000;
  u32 which = 0;
  std::vector<unsigned> places;
  if (vector) {
    const unsigned taken = arm::bank_of(mine[at::cpsr]);
    mine = before_exception(mine, which);
    u[at::pc] = 0;
    const unsigned bank = arm::bank_of(mine[at::cpsr]);
    for (unsigned p = 0; p <= at::spsr + 5; ++p)
      if (p != at::r14 + taken && p != at::spsr + taken) places.push_back(p);
    if (bank == taken) std::erase(places, 14u);  // lost
    if (which == 0) which = 0x20;
  } else {
    for (unsigned p = 0; p <= at::spsr + 5; ++p) places.push_back(p);
  }
  std::erase(places, unsigned(at::spsr));
  for (unsigned p = at::s0; p < at::count; ++p) places.push_back(p);
  bool same = which == exception && std::memcmp(interp_.memory(), theirs.data(), ram_size) == 0;
  for (const unsigned p : places) same &= mine[p] == u[p];
  if (same) return Verdict::same;
  if (text) {
    *text = "Unicorn differs\n" + differences(c.in, mine, u, "ours", "unicorn", places, register_name) +
            memory_differences(image, interp_.memory(), theirs.data(), "ours", "unicorn");
    if (which != exception) *text += "    exception vector " + std::to_string(which) + ", unicorn " + std::to_string(exception) + "\n";
  }
  return Verdict::unicorn;
}

void Fuzzer::one(const Case& c) {
  Isa isa = c.in[at::cpsr] & arm::cpsr_t ? Isa::t16 : Isa::a32;
  for (const Placed& p : c.code)
    if (p.encoding >= 0 && tables().all[std::size_t(p.encoding)].isa == Isa::vfp) isa = Isa::vfp;
  Tally& t = tally_[unsigned(isa)];
  const u64 instructions = c.code.size();
  ++t.cases;
  t.instructions += instructions;
  t.mmu += c.mmu;
  std::string text;
  Verdict v = compare(c, image_, &text);
  if (c.wrong_rotation && v == Verdict::same) {
    v = Verdict::translator;
    text = "an unaligned load is not the aligned word rotated (DDI 0100I §A4.1.23)\n";
  }
  const u32 pc = interp_.state().pc;
  t.exceptions += (pc & ~0x1cu) == 0 || (pc & ~0x1cu) == 0xffff'0000;
  if (v == Verdict::translator) {
    ++t.translator_differences;
  } else {
    for (const Placed& p : c.code)
      if (p.encoding >= 0 && p.passed) ++coverage_[std::size_t(p.encoding)].ran;
    for (const Explanation& e : explanations())
      if (c.explained & e.bit) ++explained_[e.name];
    if (v == Verdict::skipped) ++skipped_[text];
    else if (unicorn_ && !c.explained) {
      ++t.in_unicorn;
      t.unicorn_instructions += instructions;
      t.unicorn_differences += v == Verdict::unicorn;
    }
  }
  if (v == Verdict::same || v == Verdict::skipped) return;
  std::set<std::string> names;
  const Case small = options_.minimise ? minimised(c, v) : c;
  std::string key = v == Verdict::translator ? "jit:" : "unicorn:";
  for (const Placed& p : small.code)
    if (p.encoding >= 0) names.insert(tables().all[std::size_t(p.encoding)].name);
  for (const auto& n : names) key += " " + n;
  ++differing_[key];
  if (shown_++ >= options_.show) return;
  Memory image;
  make_image(small, image);
  compare(small, image, &text);
  print(small, text);
}

// Replaces instructions by ones that do nothing while the difference stays, then registers by zero.
Case Fuzzer::minimised(const Case& c, Verdict as) {
  Case best = c;
  static Memory image;
  const u32 end = interp_.state().pc;
  unsigned endless = 0;
  const auto still = [&](const Case& k) {
    if (endless > 2) return false;
    make_image(k, image);
    const auto begin = std::chrono::steady_clock::now();
    const bool same = compare(k, image, nullptr) == as && interp_.state().pc == end;
    endless += std::chrono::steady_clock::now() - begin > std::chrono::seconds(1);
    return same;
  };
  for (bool again = true; std::exchange(again, false);)
    for (std::size_t i = 0; i < best.code.size(); ++i) {
      Case k = best;
      Placed& p = k.code[i];
      // What leads elsewhere, or must be followed by what follows it, stays.
      const bool falls_through = i + 1 < k.code.size() && k.code[i + 1].at == p.at + p.bytes;
      if (p.encoding < 0 || !falls_through) continue;
      p.encoding = -1;
      p.word = p.thumb ? 0x46c0 : 0xe1a0'0000;
      if (!still(k)) continue;
      best = k;
      again = true;
    }
  for (unsigned p = 0; p < at::count; ++p) {
    if (!best.in[p] || p == at::pc || p == at::cpsr || (p >= at::spsr && p < at::s0)) continue;
    Case k = best;
    k.in[p] = 0;
    if (p >= 8 && p < 13 && (k.in[at::cpsr] & 31) != arm::fiq) k.in[at::usr8 + p - 8] = 0;
    if (still(k)) best = k;
  }
  return best;
}

void Fuzzer::print(const Case& c, const std::string& text) {
  std::printf("case --seed %llu%s\n", static_cast<unsigned long long>(c.seed), c.mmu ? " (MMU on)" : "");
  for (const Placed& p : c.code)
    std::printf("    %04x: %0*x  %-40s %s%s\n", p.at, p.bytes * 2, p.word, disassemble(p.thumb, p.word, p.at).c_str(),
                p.encoding < 0 ? "" : tables().all[std::size_t(p.encoding)].name.c_str(), p.passed ? "" : " (condition fails)");
  for (unsigned p = 0; p < at::count; ++p)
    if (c.in[p]) std::printf("%s%s=%08x", p % 8 ? " " : "\n    ", register_name(p).c_str(), c.in[p]);
  std::printf("\n%s\n", text.c_str());
}

bool Fuzzer::report(double seconds) {
  bool good = true;
  u64 total = 0, unicorn_total = 0;
  std::printf("%-5s %9s %12s %9s %9s | %12s %9s | jit/interp %s\n", "class", "cases", "instructions", "MMU on", "exception", "in Unicorn", "cases", "Unicorn");
  for (unsigned i = 0; i < isa_count; ++i) {
    const Tally& t = tally_[i];
    const auto n = [](u64 v) { return static_cast<unsigned long long>(v); };
    std::printf("%-5s %9llu %12llu %9llu %9llu | %12llu %9llu | %10llu %llu\n", i == 0 ? "a32" : i == 1 ? "t16" : "vfp", n(t.cases),
                n(t.instructions), n(t.mmu), n(t.exceptions), n(t.unicorn_instructions), n(t.in_unicorn), n(t.translator_differences), n(t.unicorn_differences));
    good &= !t.translator_differences && !t.unicorn_differences;
    total += t.instructions;
    unicorn_total += t.unicorn_instructions;
  }
  std::printf("%llu instructions, %llu of them in Unicorn, %.1f s (%.0f per second)\n", static_cast<unsigned long long>(total),
              static_cast<unsigned long long>(unicorn_total), seconds, double(total) / seconds);
  if (unicorn_)
    for (const Explanation& e : explanations())
      if (explained_[e.name]) std::printf("not compared with Unicorn: %llu cases, %s: %s\n", static_cast<unsigned long long>(explained_[e.name]), e.name, e.reason);
  for (const auto& [why, n] : skipped_) std::printf("Unicorn cannot run: %llu cases, %s\n", static_cast<unsigned long long>(n), why.c_str());
  for (const auto& [what, n] : differing_) std::printf("DIFFERENT %llu: %s\n", static_cast<unsigned long long>(n), what.c_str());

  std::map<std::string, u64> ran;
  for (const Encoding& e : coverage_) ran[std::string(e.isa == Isa::a32 ? "a32." : e.isa == Isa::t16 ? "t16." : "vfp.") + e.name] = e.ran;
  return report_coverage(options_.coverage, ran) && good;
}

// A file has lines `name: register=value …; word word …; register=value …`: what is before, code at its pc, and some of
// what must be there after, in interpreter and translator.
bool Fuzzer::regressions() {
  bool good = true;
  unsigned count = 0;
  std::vector<std::filesystem::path> files;
  for (const auto& f : std::filesystem::directory_iterator(options_.regressions))
    if (f.path().extension() == ".txt") files.push_back(f.path());
  for (const auto& path : files) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      const auto colon = line.find(':'), semicolon = line.find(';');
      if (colon == line.npos || semicolon == line.npos) {
        std::printf("%s: cannot read '%s'\n", path.c_str(), line.c_str());
        good = false;
        continue;
      }
      Case c;
      c.name = line.substr(0, colon);
      c.in[at::cpsr] = arm::usr;
      c.in[at::control] = 0x0005'0078;
      c.in[at::pc] = code_at;
      c.in[at::ttbr] = l1_at;
      c.in[at::dacr] = 0b10'11'00'01;
      c.in[at::fpexc] = 1u << 30;
      std::istringstream registers(line.substr(colon + 1, semicolon - colon - 1)), words(line.substr(semicolon + 1));
      const auto last = line.find(';', semicolon + 1);
      std::istringstream results(last == line.npos ? "" : line.substr(last + 1));
      if (last != line.npos) words.str(line.substr(semicolon + 1, last - semicolon - 1));
      const auto each = [](std::istringstream& from, auto f) {
        for (std::string item; from >> item;) {
          const auto equals = item.find('=');
          for (unsigned p = 0; p < at::count; ++p)
            if (register_name(p) == item.substr(0, equals)) f(p, u32(std::strtoul(item.c_str() + equals + 1, nullptr, 16)));
        }
      };
      each(registers, [&](unsigned p, u32 value) { c.in[p] = value; });
      c.mmu = c.in[at::control] & arm::ctl_m;
      c.explained = explained_unpredictable;  // not for Unicorn
      for (unsigned i = 0; i < 5; ++i)
        if (!c.in[at::usr8 + i]) c.in[at::usr8 + i] = c.in[8 + i];
      const unsigned bank = arm::bank_of(c.in[at::cpsr]);
      c.in[at::r13 + bank] = c.in[13];
      c.in[at::r14 + bank] = c.in[14];
      bool thumb = c.in[at::cpsr] & arm::cpsr_t;
      u32 at = c.in[at::pc];
      for (std::string w; words >> w;) {
        if (w == "arm" || w == "thumb") {
          thumb = w == "thumb";
          continue;
        }
        if (w[0] == '@') {
          at = u32(std::strtoul(w.c_str() + 1, nullptr, 16));
          continue;
        }
        const u32 word = u32(std::strtoul(w.c_str(), nullptr, 16));
        const u8 bytes = thumb ? 2 : 4;
        c.code.push_back({at, word, bytes, thumb, tables().find(thumb, word), true});
        at += bytes;
      }
      c.code.push_back({at, thumb ? 0xe000 | ((end_at - at - 4) / 2 & 0x7ff) : 0xea00'0000 | ((end_at - at - 8) / 4 & 0xff'ffff),
                        u8(thumb ? 2 : 4), thumb, -1, true});
      make_image(c, image_);
      std::string text;
      ++count;
      bool same = compare(c, image_, &text) == Verdict::same;
      const Registers after = registers_of(interp_.state());
      each(results, [&](unsigned p, u32 value) {
        if (after[p] != value) same = false, text += "    " + register_name(p) + " is not what the file says\n";
      });
      if (same) continue;
      std::printf("regression %s\n", c.name.c_str());
      print(c, text);
      good = false;
    }
  }
  std::printf("%u regressions %s\n", count, good ? "pass" : "FAIL");
  return good;
}

int usage(const char* what) {
  std::fprintf(stderr, "arm_fuzz: %s\n", what);
  return 2;
}
}  // namespace
}  // namespace fuzz

int main(int argc, char** argv) {
  using namespace fuzz;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string_view a = argv[i];
    if (a == "--minimise") {
      o.minimise = true;
      continue;
    }
    if (i + 1 >= argc) return usage("an option lacks its value");
    const std::string v = argv[++i];
    if (a == "--count") o.count = std::strtoull(v.c_str(), nullptr, 0);
    else if (a == "--seed") o.seed = std::strtoull(v.c_str(), nullptr, 0);
    else if (a == "--show") o.show = unsigned(std::strtoul(v.c_str(), nullptr, 0));
    else if (a == "--coverage") o.coverage.push_back(v);
    else if (a == "--regressions") o.regressions = v;
    else if (a == "--against") o.wanted.unicorn = v == "unicorn";
    else if (a == "--without") {
      if (!leave_out(o.translator.layers, v)) return usage("no such layer");
    } else if (a == "--isa") {
      if (v != "all") o.wanted.classes[0] = v == "a32", o.wanted.classes[1] = v == "t16", o.wanted.classes[2] = v == "vfp";
    } else if (a == "--only") {
      for (std::size_t k = 0; k < tables().all.size(); ++k) {
        const Encoding& e = tables().all[k];
        if (e.name == v || std::string(e.isa == Isa::a32 ? "a32." : e.isa == Isa::t16 ? "t16." : "vfp.") + e.name == v) o.wanted.only = s32(k);
      }
      if (o.wanted.only < 0) return usage("no such encoding");
    } else return usage("unknown option");
  }
  Fuzzer f(o);
  if (!o.regressions.empty()) return f.regressions() ? 0 : 1;
  return f.fuzz() ? 0 : 1;
}
