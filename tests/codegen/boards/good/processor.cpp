int main() {
  using namespace boards::processor;
  static Machine m;
  using facts = decltype(m.cpu)::facts;
  static_assert(facts::big_endian && facts::clock_hz == 20'000'000 && facts::bus_errors_from == 0x2000'0000 && facts::first_timer == timer_count);
  m.expire(facts::first_timer);
  return m.cpu.expired == 1 && std::string_view(facts::model) == "F-2" && info.firmware.size() == 2 && info.firmware[0].value == 0xffff'ffff &&
                 raw(info.firmware[1].at) == 0x10 && m.big_endian_guest
             ? 0
             : 1;
}
