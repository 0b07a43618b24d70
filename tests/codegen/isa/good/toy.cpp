using namespace good::toy;

static std::string name(core::u32 w) {
  return decode(w, [](const auto& i) { return std::string(op_info[static_cast<int>(i.op)].name); });
}

int main() {
  bool ok = true;
  auto is = [&](core::u32 w, const char* expected) { ok = ok && name(w) == expected; };
  is(0x0000, "and_");
  is(0x009f, "and_");
  is(0x0110, "move");
  is(0x0190, "move_far");     // unless d=1---
  is(0x0100, "move");
  is(0x0500, "set_flags");    // unless d=0000 s=1
  is(0x0510, "move");
  is(0x0200, "undefined");
  is(0x0800, "zero");
  is(0x0801, "undefined");
  is(0x0802, "any");
  is(0xd802, "any");
  is(0xe802, "call");         // except 111-
  is(0xf802, "undefined");
  const auto d = decode(0x00a1, [](const auto& i) {
    if constexpr (requires { i.d; }) return i.d;
    return core::u32{0};
  });
  ok = ok && d == (0xau << 1 | 1) && claims(0x0123) && op_info[1].ones == 0xc;
  static_assert(static_cast<int>(Op::count) == std::size(op_info));
  return !ok;
}
