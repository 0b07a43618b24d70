#include "host/device_options.hpp"

#include <doctest/doctest.h>

using namespace host;
using core::PlugCategory, core::PlugKind, core::PlugProperty;

namespace {
constexpr PlugProperty lamp_properties[] = {
    {"watts", "uint8", "power", "40"}, {"name", "str"}, {"lit", "bool", "on/off", "true"}};
constexpr PlugProperty common[] = {
    {"addr", "int32", "place", "-1"}, {"size", "size", "", "0"}, {"when", "OnOffAuto", "", "\"auto\""}};
constexpr PlugKind lamp{.name = "lamp-pci",
                        .alias = "lamp",
                        .description = "a lamp",
                        .bus = "PCI",
                        .category = PlugCategory::display,
                        .properties = lamp_properties,
                        .bus_properties = common};
constexpr PlugKind disk{.name = "disk-pci", .bus = "PCI", .category = PlugCategory::storage, .bus_properties = common};
constexpr PlugKind bell{.name = "bell", .bus = "SCSI", .category = PlugCategory::display};
constexpr const PlugKind* kinds[] = {&lamp, &disk, &bell};

std::string error_of(std::string_view text) {
  const auto d = read_device(text, kinds);
  return d ? "none" : d.error().text;
}
std::string help_of(std::string_view text) {
  const auto h = device_help(text, kinds);
  return !h ? h.error().text : *h ? **h : "none";
}
}  // namespace

TEST_CASE("-device: name or alias, id, bus, and properties brought to their type") {
  const auto d = read_device("lamp,id=l0,bus=pci.0,watts=0x28,name=a,,b,nolit,size=4k,when=auto,addr=1f.7", kinds);
  REQUIRE(d);
  CHECK(d->kind == &lamp);
  CHECK(d->id == "l0");
  CHECK(d->bus == "pci.0");
  CHECK(d->properties ==
        std::map<std::string, std::string>{
            {"watts", "40"}, {"name", "a,b"}, {"lit", "off"}, {"size", "4096"}, {"when", "auto"}, {"addr", "1f.7"}});
  CHECK(read_device("driver=bell", kinds)->kind == &bell);
}

TEST_CASE("-device: one sentence for each mistake, with a way out") {
  CHECK(error_of("lamb") == "there is no device 'lamb' (did you mean 'lamp'?); '-device help' lists them");
  CHECK(error_of("zzzzzzzz") == "there is no device 'zzzzzzzz'; '-device help' lists them");
  CHECK(error_of("lamp,wats=3") ==
        "lamp-pci has no property 'wats' (did you mean 'watts'?); '-device lamp-pci,help' lists them");
  CHECK(error_of("lamp,watts=256") == "lamp-pci: watts='256' must be a number up to 255");
  CHECK(error_of("lamp,lit=maybe") == "lamp-pci: lit='maybe' must be on or off");
  CHECK(error_of("lamp,size=big") == "lamp-pci: size='big' must be a size");
  CHECK(error_of("id=x") == "which device? '-device help' lists them");
  CHECK(read_device("lamp", {}).error().text == "this board has no bus that takes devices");
}

TEST_CASE("-device help: kinds by category and name, as QEMU lists them") {
  CHECK(help_of("help") ==
        "Storage devices:\n"
        "name \"disk-pci\", bus PCI\n"
        "\n"
        "Display devices:\n"
        "name \"bell\", bus SCSI\n"
        "name \"lamp-pci\", bus PCI, alias \"lamp\", desc \"a lamp\"\n");
  CHECK(help_of("lamp") == "none");
}

TEST_CASE("-device NAME,help: properties by name with type, meaning and default, as QEMU lists them") {
  CHECK(help_of("lamp,help") ==
        "lamp-pci options:\n"
        "  addr=<int32>           - place (default: -1)\n"
        "  lit=<bool>             - on/off (default: true)\n"
        "  name=<str>\n"
        "  size=<size>            -  (default: 0)\n"
        "  watts=<uint8>          - power (default: 40)\n"
        "  when=<OnOffAuto>       -  (default: \"auto\")\n");
  CHECK(help_of("lamb,help") == error_of("lamb"));
}
