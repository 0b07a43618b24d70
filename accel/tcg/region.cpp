#include "accel/tcg/region.hpp"

#include "core/log.hpp"

#include <algorithm>
#include <bitset>
#include <cstdio>
#include <deque>
#include <map>

namespace tcg {
namespace {
constexpr std::size_t max_pieces = 32, max_operations = 3000;
constexpr unsigned max_depth = 4;

struct Piece {
  Block code;
  u32 used = 0;              // bytes of guest code
  unsigned instructions = 0;
  std::vector<u32> exits;    // pcs in the page that it jumps to
  bool reached = false, leads_back = false;
  unsigned depth = 1;
  unsigned label = 0;
};

class RegionMaker {
 public:
  RegionMaker(const FrontEnd& front, const RegionRequest& request) : front_(front), request_(request), mode_bits_(front.layout().mode_bits) {
    if (request.breakpoints) stops_ = *request.breakpoints;
  }

  bool make(Region& out) {
    find_pieces();
    // Once more, since a piece must end where one found later begins.
    for (auto& [pc, piece] : pieces_) translate(pc, piece);
    keep_loop();
    if (pieces_.empty()) return false;
    find_depths();
    join(out);
    hoist_guards(out);
    return true;
  }

 private:
  void translate(u32 pc, Piece& p) {
    const u32 offset = pc & ~mode_bits_ & 0xfff;
    p.code.clear();
    p.exits.clear();
    Request r{.pc = pc, .mode = request_.mode, .code = request_.page + offset, .bytes = 0x1000 - offset, .limit = 64, .breakpoints = &stops_, .out = &p.code};
    front_.translate(r);
    p.used = r.used;
    p.instructions = r.instructions;
    for (const Insn& i : p.code.code)
      if (i.op == Op::exit_jump && !((i.imm ^ request_.pc) >> accel::page_bits)) p.exits.push_back(i.imm);
  }

  void find_pieces() {
    // The nearest first: what is too far away when the limit is reached stays outside.
    std::deque<u32> todo{request_.pc};
    std::size_t operations = 0;
    while (!todo.empty() && pieces_.size() < max_pieces && operations < max_operations) {
      const u32 pc = todo.front();
      todo.pop_front();
      Piece& p = pieces_[pc];
      stops_.insert(pc & ~mode_bits_);
      translate(pc, p);
      operations += p.code.code.size();
      for (const u32 target : p.exits)
        if (!pieces_.contains(target) && std::ranges::find(todo, target) == todo.end() && request_.has_run(target)) todo.push_back(target);
    }
  }

  // Keeps what can be reached from the entry and leads back to it.
  void keep_loop() {
    std::vector<u32> todo{request_.pc};
    while (!todo.empty()) {
      const auto p = pieces_.find(todo.back());
      todo.pop_back();
      if (p == pieces_.end() || std::exchange(p->second.reached, true)) continue;
      todo.insert(todo.end(), p->second.exits.begin(), p->second.exits.end());
    }
    for (bool changed = true; std::exchange(changed, false);)
      for (auto& [pc, piece] : pieces_)
        if (!piece.leads_back && std::ranges::any_of(piece.exits, [&](u32 t) { return t == request_.pc || (pieces_.contains(t) && pieces_[t].leads_back); }))
          piece.leads_back = changed = true;
    std::erase_if(pieces_, [](const auto& p) { return !p.second.reached || !p.second.leads_back; });
    for (auto& [pc, piece] : pieces_) cut_tail(piece);
  }

  // What follows the last jump into the loop is not part of it.
  void cut_tail(Piece& p) {
    auto& code = p.code.code;
    std::size_t last = 0;
    for (std::size_t n = 0; n < code.size(); ++n)
      if (code[n].op == Op::exit_jump && pieces_.contains(code[n].imm)) last = n;
    std::set<unsigned> open;  // labels that were jumped to and are not placed yet
    unsigned instructions = 0;
    for (std::size_t n = 0; n < code.size(); ++n) {
      const Insn& i = code[n];
      if (i.op == Op::insn) {
        if (n > last && open.empty()) {
          const u32 next = i.imm;
          p.used = (next & ~mode_bits_) - start_of(p);
          p.instructions = instructions;
          code.resize(n);
          p.code.exit_jump(next, false);
          return;
        }
        ++instructions;
      }
      if (i.op == Op::label) open.erase(i.c.bits);
      else if (i.op > Op::label && i.op <= Op::br_cmp) open.insert(i.c.bits);
    }
  }
  u32 start_of(const Piece& p) const {
    const auto first = std::ranges::find(p.code.code, Op::insn, &Insn::op);
    return first->imm & ~mode_bits_;
  }

  // A jump back encloses what lies between its target and itself.
  void find_depths() {
    for (const auto& [from, source] : pieces_)
      for (const u32 to : source.exits) {
        if (to > from || !pieces_.contains(to)) continue;
        for (auto p = pieces_.lower_bound(to); p != pieces_.end() && p->first <= from; ++p) p->second.depth = std::min(max_depth, p->second.depth + 1);
      }
  }

  void join(Region& out) {
    out.code.clear();
    out.first = ~0u;
    out.last = 0;
    out.blocks = out.instructions = 0;
    for (auto& [pc, piece] : pieces_) piece.label = out.code.label();
    out.entry = pieces_.at(request_.pc).label;
    for (auto& [pc, piece] : pieces_) {
      const u16 temp_base = u16(out.code.temps), label_base = u16(out.code.labels);
      out.code.temps += piece.code.temps;
      out.code.labels += piece.code.labels;
      out.code.place(piece.label);
      out.code.code.back().imm = piece.depth;
      for (Insn i : piece.code.code) {
        for (Ref* r : {&i.d, &i.a, &i.b}) if (r->is_temp()) *r = Ref::temp(temp_base + r->index());
        if (i.op >= Op::label && i.op <= Op::br_cmp) i.c.bits = u16(i.c.bits + label_base);
        else if (i.op != Op::insn && i.c.is_temp()) i.c = Ref::temp(temp_base + i.c.index());
        if (i.op == Op::exit_jump && pieces_.contains(i.imm)) i = {Op::br, 0, i.imm <= pc ? poll_aux : u8(0), 0, {}, {}, {}, Ref{u16(pieces_[i.imm].label)}, i.imm};
        out.code.code.push_back(i);
      }
      const u32 address = pc & ~mode_bits_;
      out.first = std::min(out.first, address);
      out.last = std::max(out.last, address + std::max(piece.used, 1u) - 1);
      out.instructions += piece.instructions;
      ++out.blocks;
    }
  }

  // What blocks ask about the CPU's modes ("is floating point enabled?") cannot change in a region without calls that come
  // back, so it is asked at the entry only.  A question is a branch over operations that end with an exit.
  static void hoist_guards(Region& out) {
    auto& code = out.code.code;
    out.guards.clear();
    std::bitset<max_slots> written;
    for (std::size_t n = 0; n < code.size(); ++n) {
      for (const Ref r : {code[n].d, code[n].op == Op::insn ? Ref::none() : code[n].c})
        if (r.is_guest()) written[r.index()] = true;
      if (code[n].op == Op::call && n + 1 < code.size() && code[n + 1].op != Op::exit_state) return;
    }
    std::vector<unsigned> references(out.code.labels);
    for (const Insn& i : code)
      if (i.op > Op::label && i.op <= Op::br_cmp) ++references[i.c.bits];
    std::vector<Insn> kept;
    for (std::size_t n = 0; n < code.size(); ++n) {
      const Insn& i = code[n];
      Guard guard{};
      std::size_t branch = n;
      if (i.op == Op::and_ && !i.flags && i.a.is_guest() && i.b.is_imm() && n + 1 < code.size() && code[n + 1].op == Op::br_nonzero && code[n + 1].a == i.d) {
        guard = {u16(i.a.index()), false, i.imm};
        branch = n + 1;
      } else if (i.op == Op::br_cmp && Cond(i.aux) == Cond::eq && i.a.is_guest() && i.b.is_imm()) {
        guard = {u16(i.a.index()), true, i.imm};
      } else {
        kept.push_back(i);
        continue;
      }
      std::size_t end = branch + 1;
      while (end < code.size() && code[end].op == Op::call) ++end;
      const bool is_guard = end > branch + 1 && end + 1 < code.size() && code[end].op == Op::exit_state && code[end + 1].op == Op::label &&
                            code[end + 1].c == code[branch].c && references[code[branch].c.bits] == 1 && !written[guard.slot];
      if (!is_guard) {
        kept.push_back(i);
        continue;
      }
      if (std::ranges::find(out.guards, guard) == out.guards.end()) out.guards.push_back(guard);
      n = end + 1;
    }
    code = std::move(kept);
  }

  const FrontEnd& front_;
  const RegionRequest& request_;
  const u32 mode_bits_;
  std::set<u32> stops_;
  std::map<u32, Piece> pieces_;  // by pc
};
}  // namespace

std::string Region::title(u32 pc) const {
  char text[96];
  std::snprintf(text, sizeof text, "----------------\nREGION: 0x%08x, %u blocks in 0x%08x..0x%08x\n", pc, blocks, first, last);
  return text;
}

bool make_region(const FrontEnd& front, const RegionRequest& request, Region& out) { return RegionMaker(front, request).make(out); }
}  // namespace tcg
