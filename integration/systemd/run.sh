#!/usr/bin/env bash
# Boots a Debian with systemd, containerd and the package of this repository in QEMU, with loomshim-warm@.service
# enabled, and looks there at what the unit promises. Gets what is missing first (Debian, root, x86_64).
#
#   integration/systemd/run.sh [--no-build | --package FILE]
#
#   --no-build      packages target/loomshim as it is
#   --package FILE  installs this Debian package, and makes none
#
# The last line is `N passed, N failed, N skipped`. The console is target/systemd/console.log.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$REPO"
package=
case ${1-} in
  '' | --no-build) ;;
  --package)
    [[ -f ${2-} ]] || die "--package needs a file"
    package=$(realpath -- "$2")
    ;;
  -h | --help)
    usage
    exit 0
    ;;
  *) refuse "unknown argument $1" ;;
esac

readonly DISK_SIZE=3G MEMORY_MIB=2048
readonly PACKAGES=containerd,runc,systemd,systemd-sysv,procps,initramfs-tools,linux-image-cloud-amd64
# from switching on to switching off; 90 s on two idle processors
readonly WALL_SECONDS_MAX=1200

# skip REASON: there will be no machine.
skip() {
  printf 'skipped: no machine with systemd: %s\n0 passed, 0 failed, 1 skipped\n' "$1"
  exit 0
}

need_emulator

out=$REPO/target/systemd
rm -rf "$out"
mkdir -p "$out" "$CACHE"
work=$(mktemp -d "$CACHE/systemd-work-XXXXXX")
qemu=
cleanup() {
  [[ -z $qemu ]] || kill -KILL "$qemu" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# -------------------------------------------------------------------------------- the tree
# fetch_systemd_tree SUITE: a tree with all but our package; kept.
fetch_systemd_tree() {
  local tree=$CACHE/systemd-$1
  say "making a Debian tree with systemd in $tree"
  rm -rf "$tree"
  unshare --mount debootstrap --variant=minbase --include="$PACKAGES" \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$1" "$tree" "$(debian_mirror)" \
    >"$out/disk.log" 2>&1 </dev/null || die "debootstrap failed: $out/disk.log"
  rm -rf "$tree"/var/cache/apt/* "$tree"/usr/share/locale
  touch "$tree/complete"
}
if [[ -z $package ]]; then
  packaging/package.sh "$@" --quick --out "$work/packages" --version 1.0.0 >"$out/package.log" 2>&1 ||
    die "there is no package: $out/package.log"
  package=$(echo "$work"/packages/*.deb)
fi
# with a JDK of Debian 13 the package needs Debian 13
suite=bookworm
libc=$(dpkg-deb -f "$package" Depends | sed -n 's/.*libc6 (>= \([0-9.]*\)).*/\1/p')
! dpkg --compare-versions "$libc" gt 2.36 || suite=trixie
cached "systemd-$suite" fetch_systemd_tree "$suite"
tree=$work/tree
cp -a "$CACHE/systemd-$suite" "$tree"
cp "$package" "$tree/loomshim.deb"
make_rootfs "$tree/srv/rootfs"
# the start-up archive is made here, where it takes no minutes
unshare --mount --pid --fork --mount-proc="$tree/proc" chroot "$tree" /usr/bin/env -i \
  PATH=/usr/sbin:/usr/bin:/sbin:/bin dpkg --install /loomshim.deb >"$out/install.log" 2>&1 ||
  die "the package cannot be installed: $out/install.log"
# a mistake, which each daemon logs with its first container
printf 'linger_seconds=2\nlog=journal\nstuck_seconds=long\n' >>"$tree/etc/loomshim.conf"
mkdir -p "$tree/etc/systemd/system/loomshim-warm@.service.d"
printf '[Service]\nTimeoutStartSec=600\n' >"$tree/etc/systemd/system/loomshim-warm@.service.d/slow.conf"
install -m 755 integration/systemd/tests "$tree/srv/tests"
install -m 644 integration/systemd/loomshim-tests.service "$tree/etc/systemd/system/"
for unit in loomshim-tests loomshim-warm@default; do
  chroot "$tree" systemctl enable "$unit.service" >>"$out/install.log" 2>&1
done
# nothing of the network is there, and nobody logs in
chroot "$tree" systemctl mask systemd-networkd.service systemd-resolved.service getty.target \
  systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer >>"$out/install.log" 2>&1
mke2fs -q -t ext4 -d "$tree" "$work/disk" "$DISK_SIZE" >>"$out/install.log" 2>&1
cp "$tree"/boot/vmlinuz-* "$work/vmlinuz"
cp "$tree"/boot/initrd.img-* "$work/initrd"
rm -rf --one-file-system "$tree"

# -------------------------------------------------------------------------------- the boot
in_time=true
emulate "$WALL_SECONDS_MAX" "$MEMORY_MIB" -kernel "$work/vmlinuz" -initrd "$work/initrd" \
  -append "root=/dev/vda rw console=ttyS0 quiet panic=-1 mitigations=off systemd.show_status=false" \
  -drive "file=$work/disk,if=virtio,format=raw" || in_time=false
tr -d '\r' <"$out/console.log" | grep -aE '^(ok|FAILED|  \|) ' || true
sum=$(tr -d '\r' <"$out/console.log" | grep -aoE '^[0-9]+ passed, [0-9]+ failed, 0 skipped$' | tail -n 1 || true)
if [[ -z $sum ]] || ! $in_time; then
  tail -n 30 "$out/console.log" "$out/qemu.log" || true
  printf 'broken: the machine did not come to its end\n0 passed, 1 failed, 0 skipped\n'
  exit 1
fi
printf '%s\n' "$sum"
[[ $sum == *' 0 failed,'* ]]
