#!/bin/bash
# Linux for the MIPS Malta, little endian: Debian's own kernel with its modules, and a busybox initramfs with benchmarks.
#     malta-linux.sh OUT WORK      results in OUT, scratch (about 400 MB) in WORK; run again, it goes on where it was
. "$(dirname "$0")/lib.sh"
cross=mipsel-linux-gnu-
modules="crc32c_generic ata_piix sd_mod sr_mod ext4 isofs pcnet32 virtio_pci virtio_blk virtio_net"

stage "busybox for MIPS"
deb busybox-static mipsel

stage "Debian's kernel"
package=$(apt_program=apt-cache apt mipsel depends linux-image-4kc-malta | awk '$1 == "Depends:" && $2 ~ /4kc-malta$/ {print $2}')
deb "$package" mipsel
kernel="$work/deb/$package-mipsel"
version=$(ls "$kernel/lib/modules")
depmod=$(PATH="$PATH:/sbin:/usr/sbin" command -v depmod) modprobe=$(PATH="$PATH:/sbin:/usr/sbin" command -v modprobe)
[ -e "$kernel/lib/modules/$version/modules.dep" ] || "$depmod" -b "$kernel" "$version"

stage "its modules"
tree="$work/modules-malta"
rm -rf "$tree"
mkdir -p "$tree/etc" "$tree/lib/modules/$version"
printf '%s\n' $modules >"$tree/etc/modules"
for module in $modules; do  # with what each of them needs; what is built in shows as such
  "$modprobe" -d "$kernel" -S "$version" --show-depends "$module"
done | awk '$1 == "insmod" {print $2}' | sort -u | while read -r file; do
  install -D -m644 "$file" "$tree/lib/modules/$version/${file#*/lib/modules/$version/}"
done
cp "$kernel/lib/modules/$version/"modules.{builtin,builtin.modinfo,order} "$tree/lib/modules/$version/"
"$depmod" -b "$tree" "$version"

stage "benchmarks"
flags=(-O2 -ffp-contract=off -fno-pie -static -Wall -DFPMUL=5)
"${cross}gcc" "${flags[@]}" "$here/bench/bench.c" "$here/bench/fp.c" -s -o "$work/bench-mipsel"

stage "initramfs"
initramfs initramfs-debian-le.cpio.gz "$work/deb/busybox-static-mipsel/bin/busybox" "$work/bench-mipsel" "$tree"

cp "$kernel/boot/vmlinuz-$version" "$out/vmlinuz-debian-4kc-malta"  # last: its presence says that the rest is there
stage "done"
