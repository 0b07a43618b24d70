#include "accel/tcg/x86_64/backend.hpp"

#include "accel/tcg/x86_64/emitter.hpp"
#include "accel/tcg/x86_64/thunks.hpp"

#include "core/log.hpp"

namespace tcg {
namespace {
using namespace x86_64;

class X64Backend final : public HostBackend {
 public:
  X64Backend(CodeBuffer& buffer, const GuestLayout& layout, const accel::Port& port, const DispatchCalls& calls, accel::Layers layers)
      : buffer_(buffer), layout_(layout_with(layout, layers)), port_(port), thunks_(make_thunks(buffer, layout_, port_, calls)), keep_(buffer.used()),
        emitter_(layout_, thunks_, layers) {}

  const u8* compile(const CompileRequest& request, BlockStore& blocks) override {
    if (request.region) buffer_.align(32);
    const u8* base = buffer_.next();
    const auto code = emitter_.emit(request, base);
    if (code.size() + 16 > buffer_.room()) {
      emitter_.forget_routines();
      return nullptr;
    }
    buffer_.append(code.data(), code.size());
    for (const auto& s : emitter_.slots())
      buffer_.patch32(base + s.number_at, blocks.add_slot(base + s.displacement, s.unlinked, s.pc));
    for (const u32 n : emitter_.guesses()) blocks.begin_guess(n);
    if (request.listing) *request.listing = emitter_.listing(code, base);
    return base;
  }
  void enter(VcpuHeader& c, const void* code) override {
    reinterpret_cast<void (*)(VcpuHeader*, const void*)>(reinterpret_cast<std::uintptr_t>(thunks_.enter))(&c, code);
  }
  const void* exit_code() const override { return thunks_.exit; }
  void flush() override {
    buffer_.rewind(keep_);
    emitter_.forget_routines();
  }

 private:
  static GuestLayout layout_with(GuestLayout layout, accel::Layers layers) {
    if (!layers.has(accel::Layer::pins)) layout.pin_order = {};
    return layout;
  }

  CodeBuffer& buffer_;
  const GuestLayout layout_;
  const accel::Port port_;  // thunks know where it is
  Thunks thunks_;
  std::size_t keep_;
  Emitter emitter_;
};
}  // namespace

std::unique_ptr<HostBackend> make_x86_64_backend(CodeBuffer& buffer, const GuestLayout& layout, const accel::Port& port,
                                                 const DispatchCalls& calls, accel::Layers layers) {
  return std::make_unique<X64Backend>(buffer, layout, port, calls, layers);
}
}  // namespace tcg
