// Random MIPS32 code in the interpreter, the translator and Unicorn: all must agree.
//     mips_fuzz --endian little|big [--count N] [--seed S] [--isa mips32|fpu|all|dsp] [--against unicorn|interp]
//               [--only ENCODING] [--show N] [--regressions FOLDER] [--coverage FILE]...
// N counts instructions.  dsp runs on a 74Kf, with instructions of mips32 between; all are those of a 24Kf.  Exit
// status 0: no unexplained difference, no encoding of the FILEs left out.

#include "tests/isa/mips_fuzz.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mips_fuzz {
namespace {
struct Options {
  u64 count = 200'000, seed = 1;
  bool big_endian = false, unicorn = true;
  Wanted wanted;
  unsigned show = 10;
  std::vector<std::string> coverage;
  std::string regressions;
  accel::EngineOptions translator;
  const char* model() const { return wanted.dsp() ? "74Kf" : "24Kf"; }
};

struct Tally {
  u64 cases = 0, instructions = 0, exceptions = 0, in_unicorn = 0, unicorn_instructions = 0, translator_differences = 0,
      unicorn_differences = 0;
};

accel::EngineOptions interpreted() {
  accel::EngineOptions o;
  o.interpret = true;
  return o;
}

class Fuzzer {
 public:
  explicit Fuzzer(const Options& o)
      : options_(o),
        stepper_(interpreted(), o.big_endian, o.model()),
        interp_(interpreted(), o.big_endian, o.model()),
        jit_(o.translator, o.big_endian, o.model()),
        coverage_(tables().all) {
    if (o.unicorn && o.regressions.empty()) open_unicorn();
  }
  bool fuzz();
  bool regressions();

 private:
  enum class Verdict { same, translator, unicorn, explained, skipped };
  Verdict compare(const Case& c, std::string& text);
  Verdict with_unicorn(const Case& c, const Registers& mine, std::string& text);
  const char* explain(const Case& c);
  void one(const Case& c);
  void print(const Case& c, const std::string& text) const;
  bool report(double seconds);
  void open_unicorn() { unicorn_ = std::make_unique<Unicorn>(options_.big_endian, options_.wanted.dsp()); }

  const Options& options_;
  Cpu stepper_, interp_, jit_;
  std::unique_ptr<Unicorn> unicorn_;
  std::vector<Encoding> coverage_;
  Memory image_;
  Tally tally_[isa_count];
  std::map<std::string, u64> explained_, skipped_, differing_;
  unsigned shown_ = 0;
};

// QEMU's number of an exception that Cause.ExcCode has.
u32 number_of(u32 code) {
  switch (mips::ExcCode(code)) {
    case mips::ExcCode::Mod: return 25;
    case mips::ExcCode::TLBL: return 26;
    case mips::ExcCode::TLBS: return 27;
    case mips::ExcCode::AdEL: return 12;
    case mips::ExcCode::AdES: return 13;
    case mips::ExcCode::IBE: return 15;
    case mips::ExcCode::DBE: return 28;
    case mips::ExcCode::Sys: return 17;
    case mips::ExcCode::Bp: return 18;
    case mips::ExcCode::RI: return 20;
    case mips::ExcCode::CpU: return 19;
    case mips::ExcCode::Ov: return 21;
    case mips::ExcCode::Tr: return 22;
    case mips::ExcCode::FPE: return 23;
    case mips::ExcCode::DSPDis: return 33;
    default: return 100 + code;
  }
}

Fuzzer::Verdict Fuzzer::compare(const Case& c, std::string& text) {
  make_image(c, options_.big_endian, image_);
  interp_.load(image_, c.in);
  jit_.load(image_, c.in);
  const bool ended = interp_.run(), jit_ended = jit_.run();
  if (!ended && !jit_ended && c.contains("jalx")) {
    text = "JALX to data that is an endless loop";
    return Verdict::skipped;
  }
  const Registers a = interp_.registers(), b = jit_.registers();
  if (a != b || !ended || !jit_ended || interp_.bus().accesses != jit_.bus().accesses ||
      std::memcmp(interp_.memory(), jit_.memory(), ram_size) != 0) {
    static const auto all = [] {
      std::vector<unsigned> v;
      for (unsigned i = 0; i < at::count; ++i) v.push_back(i);
      return v;
    }();
    text = "interpreter and translator differ\n" + differences(c.in, a, b, "interp", "jit", all, register_name) +
           memory_differences(image_, interp_.memory(), jit_.memory(), "interp", "jit");
    if (!ended) text += "    the interpreter did not end\n";
    if (!jit_ended) text += "    the translator did not end\n";
    return Verdict::translator;
  }
  if (!unicorn_) return Verdict::same;
  return with_unicorn(c, a, text);
}

Fuzzer::Verdict Fuzzer::with_unicorn(const Case& c, const Registers& a, std::string& text) {
  if (!interp_.bus().accesses.empty()) {
    text = "the access leaves memory";
    return Verdict::skipped;
  }
  if (std::memcmp(interp_.memory() + code_at, image_.data() + code_at, window_at - code_at) != 0) {
    text = "a store changed the code, of which Unicorn runs an old translation";
    return Verdict::skipped;
  }
  if (c.contains("jalx")) {
    text = "JALX, after which Unicorn stays in MIPS16e code";
    return Verdict::skipped;
  }
  static Memory theirs;
  Registers u{}, mine = a;
  u32 exception = Unicorn::none, fault_pc = 0;
  if (!unicorn_->run(c, image_, u, theirs, exception, fault_pc, text)) return Verdict::skipped;
  const bool raised = is_vector(mine[at::pc]);
  const u32 ours = raised ? number_of(mine[at::cause] >> 2 & 31) : u32(Unicorn::none);
  // TLB refill has a number of its own there, and SDBBP is an exception of the debugger.
  if (exception == 14) exception = ours == 27 ? 27 : 26;
  if (exception == 16) exception = 18;
  std::vector<unsigned> places;
  const bool translation = ours >= 25 && ours <= 27, address = ours == 12 || ours == 13;
  // What translation exceptions put in Context and EntryHi, and BadVAddr, cannot be cleared there between cases.
  if (!translation) {
    for (Registers* r : {&mine, &u}) (*r)[at::context] &= 0xff80'0000, (*r)[at::entry_hi] &= 0xff;
    if (!address) mine[at::bad_vaddr] = u[at::bad_vaddr] = 0;
  }
  for (unsigned p = 0; p < at::count; ++p) {
    if (p == at::pc || p == at::wired || p == at::compare) continue;  // Unicorn does not keep Compare
    // Unicorn stops in front of the exception.
    if (raised && (p == at::cause || p == at::epc)) continue;
    places.push_back(p);
  }
  if (raised) {
    const u32 mine_at = mine[at::epc] + (mine[at::cause] & mips::cause_bd ? 4 : 0);
    for (Registers* r : {&mine, &u}) (*r)[at::status] &= ~u32(mips::status_exl);
    mine[at::pc] = mine_at;
    u[at::pc] = c.in[at::status] & mips::status_exl ? mine_at : fault_pc;  // with EXL set EPC stays
    if (mine_at & 3) mine[at::pc] = u[at::pc] = 0;                         // nothing was executed there
    places.push_back(at::pc);
  }
  bool same = ours == exception && std::memcmp(interp_.memory(), theirs.data(), ram_size) == 0;
  for (const unsigned p : places) same &= mine[p] == u[p];
  if (same) return Verdict::same;
  if (const char* why = explain(c)) {
    text = why;
    return Verdict::explained;
  }
  text = "Unicorn differs\n" + differences(c.in, mine, u, "ours", "unicorn", places, register_name) +
         memory_differences(image_, interp_.memory(), theirs.data(), "ours", "unicorn");
  if (ours != exception)
    text += "    exception " + std::to_string(s32(ours)) + ", unicorn " + std::to_string(s32(exception)) + "\n";
  return Verdict::unicorn;
}

// Goes through the case again until an instruction is met that explains a difference.
const char* Fuzzer::explain(const Case& c) {
  stepper_.load(image_, c.in);
  CpuState& s = stepper_.state();
  for (unsigned n = 0; n < 200 && !is_vector(s.pc) && (s.pc & 0x1fff'ffff) != end_at && !s.halted; ++n) {
    const u32 at = s.pc & 0x1fff'ffff;
    // A branch and its slot are one step.
    for (u32 n = 0; n < 2 && at + 4 * n < ram_size; ++n) {
      const u32 w = stepper_.word(at + 4 * n);
      const s32 encoding = tables().find(w);
      for (const Explanation& e : explanations())
        if (e.holds(s, w, encoding)) return e.name;
      if (encoding < 0 || !named(branches_and_jumps, tables().all[std::size_t(encoding)].name)) break;
    }
    stepper_.engine().step();
  }
  return nullptr;
}

void Fuzzer::one(const Case& c) {
  Tally& t = tally_[unsigned(c.isa)];
  const u64 instructions = c.code.size() - 2;
  ++t.cases;
  t.instructions += instructions;
  std::string text;
  const Verdict v = compare(c, text);
  t.exceptions += is_vector(interp_.state().pc);
  t.translator_differences += v == Verdict::translator;
  t.unicorn_differences += v == Verdict::unicorn;
  if (v == Verdict::skipped) ++skipped_[text];
  if (v == Verdict::explained) ++explained_[text];
  if (unicorn_ && (v == Verdict::same || v == Verdict::unicorn)) ++t.in_unicorn, t.unicorn_instructions += instructions;
  if (v != Verdict::translator)
    for (const Placed& p : c.code)
      if (p.encoding >= 0) ++coverage_[std::size_t(p.encoding)].ran;
  if (v != Verdict::translator && v != Verdict::unicorn) return;
  std::string key = v == Verdict::translator ? "jit:" : "unicorn:";
  std::map<std::string, bool> names;
  for (const Placed& p : c.code)
    if (p.encoding >= 0) names[tables().all[std::size_t(p.encoding)].name] = true;
  for (const auto& [n, _] : names) key += " " + n;
  ++differing_[key];
  if (shown_++ < options_.show) print(c, text);
}

void Fuzzer::print(const Case& c, const std::string& text) const {
  std::printf("case --seed %llu\n", static_cast<unsigned long long>(c.seed));
  for (const Placed& p : c.code)
    std::printf("    %08x: %08x  %-40s %s\n", p.at, p.word, disassemble(p.word, p.at).c_str(),
                p.encoding < 0 ? "" : tables().all[std::size_t(p.encoding)].name.c_str());
  for (unsigned p = 0; p < at::count; ++p)
    if (c.in[p]) std::printf("%s%s=%08x", p % 8 ? " " : "\n    ", register_name(p).c_str(), c.in[p]);
  std::printf("\n%s\n", text.c_str());
}

bool Fuzzer::fuzz() {
  const auto begin = std::chrono::steady_clock::now();
  u64 done = 0;
  for (u64 seed = options_.seed; done < options_.count; ++seed) {
    const Case c = make_case(seed, options_.wanted);
    one(c);
    done += c.code.size() - 2;
    if (seed % 16384) continue;
    for (Cpu* cpu : {&stepper_, &interp_, &jit_}) cpu->engine().flush_code();
    // Unicorn 2.0.1 crashes when its code buffer fills up, so it gets a new one now and then.
    if (unicorn_) open_unicorn();
  }
  return report(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

bool Fuzzer::report(double seconds) {
  bool good = true;
  u64 total = 0;
  const auto n = [](u64 v) { return static_cast<unsigned long long>(v); };
  std::printf("%-7s %9s %12s %9s | %12s %9s | jit/interp %s\n", "class", "cases", "instructions", "exception",
              "in Unicorn", "cases", "Unicorn");
  for (unsigned i = 0; i < isa_count; ++i) {
    const Tally& t = tally_[i];
    std::printf("%-7s %9llu %12llu %9llu | %12llu %9llu | %10llu %llu\n", isa_names[i], n(t.cases), n(t.instructions),
                n(t.exceptions), n(t.unicorn_instructions), n(t.in_unicorn), n(t.translator_differences),
                n(t.unicorn_differences));
    good &= !t.translator_differences && !t.unicorn_differences;
    total += t.instructions;
  }
  std::printf("%s endian: %llu instructions, %.1f s (%.0f per second)\n", options_.big_endian ? "big" : "little",
              n(total), seconds, double(total) / seconds);
  for (const Explanation& e : explanations())
    if (explained_[e.name]) std::printf("explained: %llu cases, %s: %s\n", n(explained_[e.name]), e.name, e.reason);
  for (const auto& [why, count] : skipped_) std::printf("Unicorn cannot run: %llu cases, %s\n", n(count), why.c_str());
  for (const auto& [what, count] : differing_) std::printf("DIFFERENT %llu: %s\n", n(count), what.c_str());
  std::map<std::string, u64> ran;
  for (const Encoding& e : coverage_) ran[std::string(isa_names[unsigned(e.isa)]) + "." + e.name] = e.ran;
  return report_coverage(options_.coverage, ran) && good;
}

// A file has lines `name: register=value …; word word …; register=value …`: what is before, code at 80001000, and some
// of what must be there after, in interpreter and translator.
bool Fuzzer::regressions() {
  bool good = true;
  unsigned count = 0;
  for (const auto& file : std::filesystem::directory_iterator(options_.regressions)) {
    if (file.path().filename().string().rfind("mips", 0) != 0) continue;
    std::ifstream in(file.path());
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      std::istringstream parts(line.substr(line.find(':') + 1));
      std::string before, words, after;
      std::getline(parts, before, ';');
      std::getline(parts, words, ';');
      std::getline(parts, after, ';');
      Case c;
      c.in[at::status] = mips::status_bev | mips::status_erl | mips::status_cu1 | mips::status_fr;
      c.in[at::pc] = 0x8000'0000 + code_at;
      const auto each = [](const std::string& text, auto f) {
        std::istringstream from(text);
        for (std::string item; from >> item;)
          for (unsigned p = 0; p < at::count; ++p)
            if (const auto equals = item.find('='); register_name(p) == item.substr(0, equals))
              f(p, u32(std::strtoul(item.c_str() + equals + 1, nullptr, 16)));
      };
      each(before, [&](unsigned p, u32 v) { c.in[p] = v; });
      u32 at = c.in[at::pc];
      std::istringstream code(words);
      for (std::string w; code >> w; at += 4) {
        const u32 word = u32(std::strtoul(w.c_str(), nullptr, 16));
        c.code.push_back({at, word, tables().find(word)});
      }
      c.code.push_back({at, 0x0800'0000 | end_at >> 2, -1});
      c.code.push_back({at + 4, 0, -1});
      std::string text;
      ++count;
      bool same = compare(c, text) == Verdict::same;
      const Registers r = interp_.registers();
      each(after, [&](unsigned p, u32 v) {
        if (r[p] != v) same = false, text += "    " + register_name(p) + " is not what the file says\n";
      });
      if (same) continue;
      std::printf("regression %s\n", line.substr(0, line.find(':')).c_str());
      print(c, text);
      good = false;
    }
  }
  std::printf("%u regressions %s\n", count, good ? "pass" : "FAIL");
  return good;
}

int usage(const char* what) {
  std::fprintf(stderr, "mips_fuzz: %s\n", what);
  return 2;
}
}  // namespace
}  // namespace mips_fuzz

int main(int argc, char** argv) {
  using namespace mips_fuzz;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Options o;
  std::string only;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view a = argv[i];
    if (i + 1 >= argc) return usage("an option lacks its value");
    const std::string v = argv[i + 1];
    if (a == "--count") o.count = std::strtoull(v.c_str(), nullptr, 0);
    else if (a == "--seed") o.seed = std::strtoull(v.c_str(), nullptr, 0);
    else if (a == "--show") o.show = unsigned(std::strtoul(v.c_str(), nullptr, 0));
    else if (a == "--endian") o.big_endian = v == "big";
    else if (a == "--coverage") o.coverage.push_back(v);
    else if (a == "--regressions") o.regressions = v;
    else if (a == "--against") o.unicorn = v == "unicorn";
    else if (a == "--without") {
      if (!leave_out(o.translator.layers, v)) return usage("no such layer");
    } else if (a == "--isa") {
      if (v != "all")
        for (unsigned k = 0; k < isa_count; ++k) o.wanted.classes[k] = v == isa_names[k];
    } else if (a == "--only") {
      only = v;
    } else return usage("unknown option");
  }
  for (std::size_t k = 0; k < tables().all.size(); ++k)
    if (tables().all[k].name == only && o.wanted.classes[unsigned(tables().all[k].isa)]) o.wanted.only = s32(k);
  if (!only.empty() && o.wanted.only < 0) return usage("no such encoding");
  Fuzzer f(o);
  if (!o.regressions.empty()) return f.regressions() ? 0 : 1;
  return f.fuzz() ? 0 : 1;
}
