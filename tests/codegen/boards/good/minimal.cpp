int main() {
  static boards::minimal::Machine m;
  std::string error;
  return !m.create_memory(1, error) && error == "the memory of this board is soldered on, leave out -m" && m.create_memory(0, error) ? 0 : 1;
}
