#!/bin/bash
# Linux for the Versatile PB, from Debian's sources: kernel, device tree, and a busybox initramfs with benchmarks.
#     versatilepb-linux.sh OUT WORK      results in OUT, scratch (about 2 GB) in WORK; run again, it goes on where it was
# Lines that begin with `stage:` say what comes next.  Foreign packages are unpacked, never installed.
set -euo pipefail
export LC_ALL=C TZ=UTC
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" "$2"
out=$(cd "$1" && pwd) work=$(cd "$2" && pwd)
cross=arm-linux-gnueabi-
jobs=${JOBS:-$(nproc)}
# The same bytes every time.
export KBUILD_BUILD_TIMESTAMP='Sat Jan  1 00:00:00 UTC 2022' KBUILD_BUILD_USER=guest KBUILD_BUILD_HOST=guest
export SOURCE_DATE_EPOCH=1640995200
stage() { echo "stage: $*"; }

# deb PACKAGE [ARCHITECTURE] -> unpacks it to $work/deb/PACKAGE.  Lists of a foreign architecture are kept in $work, so that
# the system's own stay as they are.
deb() {
  local package=$1 arch=${2:-} to="$work/deb/$1"
  [ -e "$to/.done" ] && return
  rm -rf "$to" "$work/download/$package"
  mkdir -p "$to" "$work/download/$package"
  local options=()
  if [ -n "$arch" ]; then
    local lists="$work/apt-$arch"
    mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
    : >"$lists/status"
    options=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State::Lists=$lists/lists"
             -o "Dir::Cache=$lists/cache" -o "Dir::State::status=$lists/status")
    apt-get "${options[@]}" -qq update
  fi
  # The download user may not write here; as root it is done by root.
  (cd "$work/download/$package" && apt-get "${options[@]}" -o APT::Sandbox::User=root -qq download "$package")
  dpkg -x "$work/download/$package"/*.deb "$to"
  touch "$to/.done"
}

stage "busybox for Arm"
deb busybox-static armel

stage "kernel source"
deb linux-source-6.1
if [ ! -e "$work/linux/.done" ]; then
  rm -rf "$work/linux"
  mkdir -p "$work/linux"
  tar -C "$work/linux" --strip-components=1 -xf "$work/deb/linux-source-6.1/usr/src/linux-source-6.1.tar.xz"
  touch "$work/linux/.done"
  rm -rf "$work/download/linux-source-6.1"
fi

stage "kernel configuration"
build="$work/kernel"
mkdir -p "$build"
make=(make -s -C "$work/linux" "O=$build" ARCH=arm "CROSS_COMPILE=$cross")
"${make[@]}" "KCONFIG_ALLCONFIG=$here/versatilepb-linux.config" allnoconfig
while read -r line; do  # Kconfig drops silently what it does not like
  grep -qxF "$line" "$build/.config" || echo "not honoured: $line"
done < <(grep -E '^CONFIG_.*=' "$here/versatilepb-linux.config")

stage "kernel"
nice "${make[@]}" -j"$jobs" zImage versatile-pb.dtb

stage "benchmarks"
flags=(-O2 -ffp-contract=off -fno-pie -static -Wall -DFPMUL=1)
"${cross}gcc" "${flags[@]}" -c "$here/bench/fp.c" -o "$work/fp.o"
"${cross}gcc" "${flags[@]}" -mfloat-abi=softfp -mfpu=vfp -DSUFFIX=_vfp -c "$here/bench/fp.c" -o "$work/fp_vfp.o"
"${cross}gcc" "${flags[@]}" -DHAVE_VFP "$here/bench/bench.c" "$work/fp.o" "$work/fp_vfp.o" -s -o "$work/bench"

stage "initramfs"
root="$work/root"
rm -rf "$root"
mkdir -p "$root/bin" "$root/dev"
install -m755 "$work/deb/busybox-static/bin/busybox" "$root/bin/busybox"
install -m755 "$here/init" "$root/init"
install -m755 "$work/bench" "$root/bin/bench"
/usr/bin/python3 "$here/initramfs.py" "$out/initramfs.cpio.gz" "$root" dev:/dev/console:c:5:1 dev:/dev/null:c:1:3

cp "$build/arch/arm/boot/dts/versatile-pb.dtb" "$out/"
cp "$build/.config" "$out/kernel.config"
cp "$build/arch/arm/boot/zImage" "$out/zImage"  # last: its presence says that the rest is there
stage "done"
