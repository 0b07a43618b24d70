#!/bin/bash
# Linux for the Versatile PB, from Debian's sources: kernel, device tree, and a busybox initramfs with benchmarks.
#     versatilepb-linux.sh OUT WORK      results in OUT, scratch (about 2 GB) in WORK; run again, it goes on where it was
. "$(dirname "$0")/lib.sh"
cross=arm-linux-gnueabi-
jobs=${JOBS:-$(nproc)}
export KBUILD_BUILD_TIMESTAMP='Sat Jan  1 00:00:00 UTC 2022' KBUILD_BUILD_USER=guest KBUILD_BUILD_HOST=guest

stage "busybox for Arm"
deb busybox-static armel

stage "kernel source"
deb linux-source-6.1
if [ ! -e "$work/linux/.done" ]; then
  rm -rf "$work/linux"
  mkdir -p "$work/linux"
  tar -C "$work/linux" --strip-components=1 -xf "$work/deb/linux-source-6.1/usr/src/linux-source-6.1.tar.xz"
  touch "$work/linux/.done"
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
initramfs initramfs.cpio.gz "$work/deb/busybox-static-armel/bin/busybox" "$work/bench"

cp "$build/arch/arm/boot/dts/versatile-pb.dtb" "$out/"
cp "$build/.config" "$out/kernel.config"
cp "$build/arch/arm/boot/zImage" "$out/zImage"  # last: its presence says that the rest is there
stage "done"
