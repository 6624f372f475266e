#!/usr/bin/env bash
# Boots a machine with cgroup v2 in QEMU and runs there the tests that need one. Gets what is missing
# first (Debian, root); the machine's disk is kept below LOOMSHIM_CACHE for the next run.
#
#   integration/cgroup2/run.sh
#
# The last line is `N passed, N failed, N skipped`. Logs and JUnit reports are in target/cgroup2/.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$REPO"

# What runs inside. Emulated, everything takes about ten times as long.
readonly CLASSES=(
  io.loomshim.cgroup.MetricsV2Test
  io.loomshim.integration.StatsIT
  io.loomshim.integration.OomIT
  io.loomshim.integration.RunIT
  io.loomshim.integration.PauseIT
)
readonly SLOW=6
readonly WALL_SECONDS_MAX=780

readonly PACKAGES=containerd,runc,busybox-static,procps,util-linux,iproute2,ca-certificates,initramfs-tools,linux-image-cloud-amd64
# read by the hash below: a change makes a new disk
readonly LAYOUT=1

[[ $(uname -m) == x86_64 ]] || {
  say "cgroup2: only for x86_64 machines"
  printf '0 passed, 0 failed, 1 skipped\n'
  exit 0
}
need_root
need_packages qemu-system-x86 debootstrap e2fsprogs
JAVA_HOME=$(find_jdk 21 || need_jdk 21)
export JAVA_HOME
jdk=$(readlink -f "$JAVA_HOME")
# a JDK of our own brings its libc along, in the tree that it stands in
case $jdk in
  "$CACHE"/jdk-*) jdk_tree=$CACHE/$(cut -d / -f 1 <<<"${jdk#"$CACHE"/}") ;;
  *) jdk_tree=$jdk ;;
esac

out=$REPO/target/cgroup2
rm -rf "$out"
mkdir -p "$out" "$CACHE"
work=$(mktemp -d /tmp/loom-cgroup2-XXXXXX)
qemu=
cleanup() {
  [[ -z $qemu ]] || kill -KILL "$qemu" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

# ------------------------------------------------------------------------- the machine's disk
hash=$(printf '%s\n' "$PACKAGES" "$LAYOUT" "$jdk" "$(cat "$jdk/release")" | sha256sum | cut -c 1-12)
base=$CACHE/cgroup2-$hash
make_base() {
  local tree=$work/tree
  say "making a Debian 12 disk in $base"
  debootstrap --variant=minbase --include="$PACKAGES" bookworm "$tree" "$(debian_mirror)" >"$out/debootstrap.log" 2>&1 ||
    die "debootstrap failed: $out/debootstrap.log"
  rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/usr/share/{doc,man,locale}
  mkdir -p "$tree$(dirname "$jdk_tree")"
  cp -a "$jdk_tree" "$tree$(dirname "$jdk_tree")/"
  install -m 0755 integration/cgroup2/init "$tree/loom-init"
  mkdir -p "$tree/payload"
  rm -rf "$base.new"
  mkdir -p "$base.new"
  cp "$tree"/boot/vmlinuz-* "$base.new/vmlinuz"
  cp "$tree"/boot/initrd.img-* "$base.new/initrd"
  mke2fs -q -t ext4 -d "$tree" "$base.new/disk" 3G
  rm -rf "$base" "$tree"
  mv "$base.new" "$base"
}
[[ -r $base/disk ]] || make_base

# ------------------------------------------------------------------------------- the payload
[[ -f target/loomshim/lib/loomshim.jar && -d target/test-classes ]] ||
  ./mvnw -q -B -ntp -DskipTests package >"$out/build.log" 2>&1 </dev/null || die "the build failed: $out/build.log"
payload=$work/payload
mkdir -p "$payload/target" "$payload/lib"
junit=$(sed -n 's|.*<junit.version>\(.*\)</.*|\1|p' pom.xml)
for goal in copy-dependencies "copy -Dartifact=org.junit.platform:junit-platform-console-standalone:$junit"; do
  # shellcheck disable=SC2086 # a goal and its property
  ./mvnw -q -B -ntp dependency:$goal -DoutputDirectory="$payload/lib" >>"$out/build.log" 2>&1 </dev/null ||
    die "the libraries of the tests could not be had: $out/build.log"
done
cp -a integration "$payload/"
cp -a target/loomshim target/classes target/test-classes "$payload/target/"
rm -f "$payload"/lib/junit-jupiter* "$payload"/lib/junit-platform-commons* "$payload"/lib/junit-platform-engine* \
  "$payload"/lib/opentest4j* # the console brings them
{
  printf 'export JAVA_HOME=%q PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8\n' "$jdk"
  # shellcheck disable=SC2016 # for the machine inside
  printf 'classpath=target/test-classes:target/classes:$(echo lib/*.jar | tr " " :)\n'
  # shellcheck disable=SC2016
  printf 'exec "$JAVA_HOME/bin/java" -XX:TieredStopAtLevel=1 -Xshare:auto --enable-native-access=ALL-UNNAMED '
  # shellcheck disable=SC2016
  printf -- '-Dloomshim.jdk="$JAVA_HOME" -Dloomshim.slow=%s -cp "$classpath" ' "$SLOW"
  printf 'org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors --details=tree '
  printf -- '--reports-dir=/tmp/reports'
  for class in "${CLASSES[@]}"; do
    [[ ! -f target/test-classes/${class//./\/}.class ]] || printf ' --select-class=%s' "$class"
  done
  printf '\n'
} >"$payload/tests"
mke2fs -q -t ext4 -d "$payload" "$work/payload.img" 256M
truncate -s 64M "$work/results.img"

# ---------------------------------------------------------------------------------- the boot
say "booting; the console is in $out/console.log"
started=$SECONDS
qemu-system-x86_64 -accel tcg,thread=multi -smp 2 -m 3072 -nodefaults -no-reboot -display none \
  -kernel "$base/vmlinuz" -initrd "$base/initrd" \
  -append "root=/dev/vda rw init=/loom-init console=ttyS0 quiet panic=-1 mitigations=off" \
  -drive "file=$base/disk,if=virtio,format=raw,snapshot=on" \
  -drive "file=$work/payload.img,if=virtio,format=raw,readonly=on" \
  -drive "file=$work/results.img,if=virtio,format=raw" \
  -serial "file:$out/console.log" -monitor none </dev/null >"$out/qemu.log" 2>&1 &
qemu=$!
gone_within "$qemu" "$WALL_SECONDS_MAX" || say "the machine was still running after $WALL_SECONDS_MAX s"
kill -KILL "$qemu" 2>/dev/null || true
wait "$qemu" 2>/dev/null || true
qemu=
say "the machine ran for $((SECONDS - started)) s"

mkdir -p "$out/reports"
tar -xf "$work/results.img" -C "$out/reports" 2>/dev/null || true
read -r passed failed skipped < <(summary "$out/reports")
failures "$out/reports"
if ((passed + failed == 0)); then
  tail -n 30 "$out/console.log"
  failed=1
fi
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0))
