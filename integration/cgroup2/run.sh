#!/usr/bin/env bash
# Boots a machine with cgroup v2 in QEMU and runs there the tests that need one. Gets what is missing
# first (Debian, root); the machine's disk is kept below LOOMSHIM_CACHE for the next run.
#
#   integration/cgroup2/run.sh [--suite SUITE] [--patience N] [CLASS...]
#
# Without arguments it runs the classes below. A class is named with its package or without. Where there can
# be no such machine, one skipped test stands for all, and a line says why. The suite of Debian that the machine has is
# bookworm, with Linux 6.1; trixie has 6.12. --patience makes all limits of time N times as long, for a machine that does
# other work.
# The last line is `N passed, N failed, N skipped`. Logs and JUnit reports are in target/cgroup2-SUITE/.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$REPO"
SUITE=bookworm PATIENCE=1
while [[ ${1-} == -* ]]; do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --suite)
      [[ ${2-} =~ ^[a-z]+$ ]] || refuse '--suite needs the name of a suite of Debian'
      SUITE=$2
      ;;
    --patience)
      [[ ${2-} =~ ^[1-9]$ ]] || refuse '--patience needs a number from 1 to 9'
      PATIENCE=$2
      ;;
    *) refuse "unknown argument $1" ;;
  esac
  shift 2
done
readonly SUITE PATIENCE

# What differs with the version of cgroups: statistics, kills for want of memory, signals to all,
# lists of processes, freezing, limits; and the life of a container from beginning to end. What differs with the version
# of the kernel: who tells how a process has ended whose daemon was killed.
classes=(
  CgroupTest
  MetricsV2Test
  OomWatchTest
  SubCgroupTest
  GracePeriodTest
  RunIT
  StatsIT
  OomIT
  PauseIT
  FrozenIT
  SignalsIT
  TaskApiIT
  KillTreeIT
  ShortcutsIT
  UserNamespaceIT
  ProcessConnectorTest
  ExitsMeanwhileIT
)
((!$#)) || classes=("$@")

# How much longer things may take than on a machine that is not emulated: the tests' limits grow by it.
readonly SLOW=$((6 * PATIENCE))
# From switching on to switching off. Inside, the tests end earlier, so that their reports get out.
readonly WALL_SECONDS_MAX=$((1320 * PATIENCE)) TESTS_SECONDS_MAX=$((1260 * PATIENCE))
# The longest test takes 50 s.
readonly TEST_SECONDS_MAX=$((150 * PATIENCE))

# A disk that nobody has used for so long is removed.
readonly UNUSED_DAYS_MAX=14

PACKAGES=containerd,runc,busybox-static,procps,util-linux,iproute2,ca-certificates
PACKAGES+=,initramfs-tools,linux-image-cloud-amd64
readonly PACKAGES
# More than the tree, the rest is room for the tests; the file is sparse.
readonly DISK_SIZE=3G PAYLOAD_SIZE=256M RESULTS_SIZE=64M MEMORY_MIB=3072

# skip REASON: there will be no machine.
skip() {
  printf 'skipped: no machine with cgroup v2: %s\n0 passed, 0 failed, 1 skipped\n' "$1"
  exit 0
}

need_emulator
JAVA_HOME=$(find_jdk 21 || need_jdk 21)
export JAVA_HOME

out=$REPO/target/cgroup2-$SUITE
rm -rf "$out" "$out-first"
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

# jdk_tree HOME: what has to be copied for the JDK there. One of our own stands in a tree together
# with the libc that it runs on.
jdk_tree() {
  local rest=${1#"$CACHE"/jdk-}
  if [[ $rest == "$1" ]]; then printf '%s\n' "$1"; else printf '%s\n' "$CACHE/jdk-${rest%%/*}"; fi
}

# put_jdk TREE HOME: copies a JDK to the same place in a tree; fails when it does not run there.
put_jdk() {
  local from
  from=$(jdk_tree "$2")
  mkdir -p "$1${from%/*}"
  cp -a "$from" "$1${from%/*}/"
  unshare --mount --pid --fork --mount-proc="$1/proc" chroot "$1" "$2/bin/java" -version >>"$out/disk.log" 2>&1 ||
    {
      rm -rf "${1:?}$from"
      return 1
    }
}

# make_disk DIR: kernel, initial RAM disk and root file system in DIR, and the home of the JDK there.
make_disk() {
  local tree=$work/tree jdk
  say "making a disk with Debian $SUITE in $1"
  # its mounts are in a namespace of their own and go with it; all of Debian's suites have the script of sid, and
  # debootstrap refuses one that is younger than itself without it
  unshare --mount debootstrap --variant=minbase --include="$PACKAGES" \
    --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$SUITE" "$tree" "$(debian_mirror)" \
    /usr/share/debootstrap/scripts/sid >"$out/disk.log" 2>&1 </dev/null || die "debootstrap failed: $out/disk.log"
  jdk=$(readlink -f "$JAVA_HOME")
  if ! put_jdk "$tree" "$jdk"; then
    # a JDK for a newer libc than the tree's
    jdk=$(need_jdk_tree 21)
    put_jdk "$tree" "$jdk" || die "no JDK runs in $SUITE: $out/disk.log"
  fi
  rm -rf "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/* "$tree"/usr/share/{doc,man,locale}
  install -m 755 integration/cgroup2/init "$tree/loomshim-init"
  mkdir "$tree/loomshim"
  rm -rf "$1.new"
  mkdir "$1.new"
  cp "$tree"/boot/vmlinuz-* "$1.new/vmlinuz"
  cp "$tree"/boot/initrd.img-* "$1.new/initrd"
  mke2fs -q -t ext4 -d "$tree" "$1.new/disk" "$DISK_SIZE" >>"$out/disk.log" 2>&1
  printf '%s\n' "$jdk" >"$1.new/jdk"
  mv "$1.new" "$1"
  rm -rf --one-file-system "$tree"
}

hash=$({
  printf '%s\n' "$SUITE" "$PACKAGES" "$DISK_SIZE" "$JAVA_HOME"
  cat "$JAVA_HOME/release" integration/cgroup2/init
} | sha256sum | cut -c 1-12)
base=$CACHE/cgroup2-$hash
(
  flock 9
  find "$CACHE" -maxdepth 1 -name 'cgroup2-*' -mtime "+$UNUSED_DAYS_MAX" -exec rm -rf {} +
  [[ -r $base/jdk ]] || make_disk "$base" 9>&-
) 9>"$CACHE/cgroup2.lock"
touch "$base"
jdk=$(<"$base/jdk")

# ------------------------------------------------------------------------------- the payload
mvn() { ./mvnw -q -B -ntp "$@" >>"$out/build.log" 2>&1 </dev/null; }
mvn package -DskipTests || die "the build failed: $out/build.log"
payload=$work/payload
mkdir -p "$payload/target" "$payload/src/main"
mvn dependency:copy-dependencies -DincludeScope=test -DoutputDirectory="$payload/lib" ||
  die "the libraries of the tests could not be had: $out/build.log"
cp -a integration packaging "$payload/"
cp -a src/main/launcher "$payload/src/main/"
cp -a target/loomshim target/classes target/test-classes "$payload/target/"
selected=()
for class in "${classes[@]}"; do
  file=$(find target/test-classes -path "*/${class//./\/}.class" -printf '%P\n')
  [[ $file == *.class && $file != *$'\n'* ]] || die "there is not one class $class: ${file:-none}"
  file=${file%.class}
  selected+=("--select-class=${file//\//.}")
done
cat >"$payload/tests" <<END
export JAVA_HOME=$(printf %q "$jdk")
{
  echo "Linux \$(uname -r)"
  containerd --version | sed 's/.* \([0-9][0-9.]*\).*/containerd \1/'
  runc --version | sed -n 's/^runc version \([0-9.]*\).*/runc \1/p'
} >"\$1/versions"
# too late, the JVM is asked where its threads are
exec timeout --signal QUIT --kill-after 20 $TESTS_SECONDS_MAX "\$JAVA_HOME/bin/java" \\
  -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -ea \\
  -XX:+IgnoreUnrecognizedVMOptions --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \\
  -Dloomshim.jdk="\$JAVA_HOME" -Dloomshim.slow=$SLOW -Dloomshim.hang.seconds=$TEST_SECONDS_MAX \\
  -cp 'target/test-classes:target/classes:lib/*' \\
  org.junit.platform.console.ConsoleLauncher execute --disable-banner --disable-ansi-colors --details=testfeed \\
  --reports-dir="\$1" ${selected[*]}
END
mke2fs -q -t ext4 -d "$payload" "$work/payload.img" "$PAYLOAD_SIZE" >>"$out/build.log" 2>&1
truncate -s "$RESULTS_SIZE" "$work/results.img"

# ---------------------------------------------------------------------------------- the boot
in_time=true
emulate "$WALL_SECONDS_MAX" "$MEMORY_MIB" -kernel "$base/vmlinuz" -initrd "$base/initrd" \
  -append "root=/dev/vda rw init=/loomshim-init console=ttyS0 quiet panic=-1 mitigations=off" \
  -drive "file=$base/disk,if=virtio,format=raw,snapshot=on" \
  -drive "file=$work/payload.img,if=virtio,format=raw,readonly=on" \
  -drive "file=$work/results.img,if=virtio,format=raw" || in_time=false

# -------------------------------------------------------------------------------- the results
mkdir "$out/reports"
tar -xf "$work/results.img" -C "$out/reports" 2>/dev/null || true
read -r passed failed skipped < <(summary "$out/reports")
failures "$out/reports"
status=$(cat "$out/reports/status" 2>/dev/null || printf 'none')
if ! $in_time || ((failed == 0 && (passed == 0 || status != 0))); then
  # no test says why: the machine did not come up or did not end, or the JVM ended early
  tail -n 30 "$out/console.log" "$out/qemu.log" || true
  $in_time || printf 'broken: the machine was still running after %d s\n' "$WALL_SECONDS_MAX"
  printf 'broken: the tests in the machine ended with status %s\n' "$status"
  failed=$((failed + 1))
fi
if [[ -n ${CI-} ]] && $in_time && ((failed > 0 && passed > 0)); then
  # as surefire_tries has it
  mapfile -t again < <(failures "$out/reports" | sed -n 's/^    \([^ ]*\) .*/\1/p' | sort -u)
  mv "$out" "$out-first"
  say "the classes that failed are tried once more; what they left at first is in $out-first"
  if ((${#again[@]})) && CI='' "${BASH_SOURCE[0]}" --suite "$SUITE" --patience "$PATIENCE" "${again[@]}"; then
    passed=$((passed + failed)) failed=0
    failures "$out-first/reports" | sed 's/^    /&flaky: /'
  fi
fi
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
((failed == 0))
