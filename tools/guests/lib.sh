# What the guests' recipes share; sourced as  . lib.sh OUT WORK.
# Lines that begin with `stage:` say what comes next.  Foreign packages are unpacked, never installed.
set -euo pipefail
export LC_ALL=C TZ=UTC
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1" "$2"
out=$(cd "$1" && pwd) work=$(cd "$2" && pwd)
# The same bytes every time.
export SOURCE_DATE_EPOCH=1640995200
stage() { echo "stage: $*"; }

# apt ARCHITECTURE WORDS... -> apt-get with lists of that architecture kept in $work, so that the system's own stay as they
# are; with `-` the system's.
apt() {
  local arch=$1 options=(); shift
  if [ "$arch" != - ]; then
    local lists="$work/apt-$arch"
    mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
    : >"$lists/status"
    options=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State::Lists=$lists/lists"
             -o "Dir::Cache=$lists/cache" -o "Dir::State::status=$lists/status")
    [ -e "$lists/.done" ] || apt-get "${options[@]}" -qq update
    touch "$lists/.done"
  fi
  # The download user may not write here; as root it is done by root.
  "${apt_program:-apt-get}" "${options[@]}" -o APT::Sandbox::User=root -qq "$@"
}

# deb PACKAGE [ARCHITECTURE] -> unpacks it to $work/deb/PACKAGE, or PACKAGE-ARCHITECTURE.
deb() {
  local package=$1 to="$work/deb/$1${2:+-$2}" from="$work/download/$1${2:+-$2}"
  [ -e "$to/.done" ] && return
  rm -rf "$to" "$from"
  mkdir -p "$to" "$from"
  (cd "$from" && apt "${2:--}" download "$package")
  dpkg -x "$from"/*.deb "$to"
  rm -rf "$from"
  touch "$to/.done"
}

# initramfs NAME BUSYBOX BENCH [TREE] -> $out/NAME
initramfs() {
  local root="$work/root-$1"
  rm -rf "$root"
  mkdir -p "$root/bin" "$root/dev" "$root/etc"
  install -m755 "$2" "$root/bin/busybox"
  install -m755 "$here/init" "$root/init"
  install -m755 "$here/udhcpc.sh" "$root/etc/udhcpc.sh"
  install -m755 "$3" "$root/bin/bench"
  if [ $# -gt 3 ]; then cp -a "$4/." "$root/"; fi
  /usr/bin/python3 "$here/initramfs.py" "$out/$1" "$root" dev:/dev/console:c:5:1 dev:/dev/null:c:1:3
}
