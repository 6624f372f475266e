#!/usr/bin/env bash
# Builds what a node without Java installs: a Debian package and a tarball, each with a Java runtime of its own.
#
#   packaging/package.sh [--jdk HOME] [--version VERSION] [--out DIR] [--no-build] [--quick]
#
#   --jdk HOME         where the Java runtime is taken from (default: a JDK 25 or newer of this machine, else
#                      Debian's); what it needs of the libc becomes the package's dependency
#   --version VERSION  (default: the project's; between releases ~git, date and revision are added)
#   --out DIR          where the two files go (default target/packages)
#   --no-build         package target/loomshim as it is
#   --quick            compress little, for tests: 4 s in place of 50
#
# Two runs on the same commit with the same JDK write the same bytes. The last two lines name the files.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../integration/lib.sh"
cd "$REPO"

# what our own calls need: posix_spawn_file_actions_addclosefrom_np
readonly LIBC_MIN=2.34
# beyond what the classes use: jcmd, and what it has recorded
readonly DIAGNOSTIC_MODULES=jdk.jcmd,jdk.jfr
# They are 56, 20 and 14 MB with JDK 25. Debug symbols of a JDK that slipped in made 279 MB of a tarball once.
readonly TREE_MB_MAX=80 TARBALL_MB_MAX=32 PACKAGE_MB_MAX=22
# documents of docs/ that are for those who change the program
readonly DEVELOPERS=' ARCHITECTURE BENCHMARKS DECISIONS LOOM PROTOCOL RELEASE '

jdk='' version='' out=target/packages build=true quick=false
while (($#)); do
  case $1 in
    --jdk | --version | --out)
      [[ -n ${2-} ]] || refuse "$1 needs a value"
      declare "${1#--}=$2"
      shift
      ;;
    --no-build) build=false ;;
    --quick) quick=true ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) refuse "unknown argument $1" ;;
  esac
  shift
done

# ------------------------------------------------------------------------- what is missing
need_command dpkg-deb dpkg
[[ -n $jdk ]] || jdk=$(need_jdk 25)
[[ -x $jdk/bin/jlink && -x $jdk/bin/jdeps ]] || die "$jdk has no jlink"
if $build; then
  need_packages ca-certificates
  JAVA_HOME=$jdk ./mvnw -q -B -ntp -DskipTests package </dev/null
fi
dist=target/loomshim
[[ -f $dist/lib/loomshim.jar ]] || die "$dist is missing: leave --no-build out"
machine=$(uname -m)
architecture=$(dpkg --print-architecture)

# ------------------------------------------------------------------------------ the version
if [[ -z $version ]]; then
  version=$(sed -n 's/^version=//p' "$dist/lib/version")
  if [[ $(git describe --exact-match --tags HEAD 2>/dev/null) != "v$version" ]]; then
    version+="~git$(git log -1 --format=%cd --date=format:%Y%m%d.%H%M 2>/dev/null || true)"
    version+=.$(sed -n 's/^revision=//p' "$dist/lib/version")
  fi
fi
[[ $version =~ ^[0-9][A-Za-z0-9.+~]*$ ]] || die "$version is no version for a package"
# outside a clone there is no commit; the jars have this date then too
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null ||
  date -d "$(sed -n 's/.*outputTimestamp>\(.*\)<.*/\1/p' pom.xml)" +%s)}
export SOURCE_DATE_EPOCH

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d "$out/.work-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
umask 022

# put_documents DIR [DOCS]: the documents for administrators below DIR, those of docs/ in DIR/DOCS, with links that lead
# somewhere there.
put_documents() {
  local page places='' target at file dead=''
  for page in "${documents[@]}"; do
    target=${page##*/}
    [[ $page != docs/* || -z ${2-} ]] || target=$2/$target
    places+=" $page=$target"
  done
  for page in $places; do
    target=${page#*=} at=''
    [[ $target != */* ]] || at=${target%/*}
    mkdir -p "$1/$at"
    awk -v from="${page%%=*}" -v at="$at" -v places="$places" -f packaging/documents.awk "${page%%=*}" >"$1/$target"
  done
  for page in $places; do
    target=${page#*=} at=''
    [[ $target != */* ]] || at=${target%/*}
    while read -r file; do
      [[ $file =~ ^[a-z]+: || -e $1/${at:+$at/}$file ]] || dead+=" $target: $file"
    done < <(grep -oE '\]\([^()#]+' "$1/$target" | cut -c 3- || true)
  done
  [[ -z $dead ]] || die "links that lead nowhere in the package:$dead"
}

# with_symbols FILE: whether it has sections for a debugger; the name of one alone stands in libjvm.so too, which reads them.
with_symbols() { LC_ALL=C readelf -SW "$1" 2>/dev/null | grep -q ' \.debug_info '; }

# small WHAT FILE MAX: fails when FILE, or all below it, is larger than MAX MB.
small() {
  local kib
  kib=$(du -sk --apparent-size "$2" | cut -f 1)
  ((kib <= $3 * 1024)) || die "the $1 has $((kib / 1024)) MB, more than the $3 MB that it may have: $(
    find "$2" -type f -printf '%s %P\n' | sort -rn | awk 'NR <= 3 { printf "%s (%d MB) ", $2, $1 / 1048576 }')"
}

# ------------------------------------------------------------------------- the tree of both
name=loomshim-$version-$architecture
tree=$work/$name
mkdir -p "$tree"
cp -R "$dist/bin" "$dist/lib" "$tree/"
find "$tree/lib/jni" -mindepth 1 -maxdepth 1 ! -name "$machine-Linux" -exec rm -r {} +
ln -s "jni/$machine-Linux" "$tree/lib/native"
sed -i "s/^version=.*/version=$version/" "$tree/lib/version"

modules=$("$jdk/bin/jdeps" --multi-release "$(jdk_version "$jdk")" --ignore-missing-deps --print-module-deps \
  "$tree"/lib/*.jar)
say "a Java runtime of $modules,$DIAGNOSTIC_MODULES"
# not compressed: the package is, and better so; nothing has to be unpacked when a class is loaded
"$jdk/bin/jlink" --add-modules "$modules,$DIAGNOSTIC_MODULES" --compress zip-0 --strip-java-debug-attributes \
  --vm=server --no-header-files --no-man-pages --dedup-legal-notices=error-if-not-same-content --output "$tree/lib/jre"
need_command strip binutils
strip --strip-unneeded "$tree/lib/jni/$machine-Linux"/*.so
# Some JDKs have all that a debugger wants in files of their own, and Debian's has it in its modules
find "$tree/lib/jre" -type f \( -name '*.debuginfo' -o -name '*.diz' -o -name '*.debug' \) -delete
find "$tree/lib" -type f \( -name '*.so' -o -path '*/bin/*' -o -name jexec -o -name jspawnhelper \) -print0 |
  while IFS= read -r -d '' file; do
    strip --strip-unneeded "$file"
    ! with_symbols "$file" || die "$file has debug symbols that cannot be stripped"
  done
rm -rf "$tree/lib/jre/bin/keytool" "$tree/lib/jre/lib/server/"*.jsa

# for a tree that is used as it was unpacked; install.sh writes another one
{
  # shellcheck disable=SC2016 # for the launcher
  printf 'installed_java=$home/jre/bin/java\nconfig=$home/loomshim.conf\nrestore_signals=unknown\n'
  printf 'java_version=%s\n' "$(jdk_version "$jdk")"
  printf 'build=%s\n' "$(cd "$tree" && find bin lib -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum | cut -c 1-12)"
  cat "$tree/lib/version"
} >"$tree/lib/launcher.conf"

cp packaging/install.sh "$tree/"
cp LICENSE "$tree/"
cp -R packaging/kubernetes packaging/systemd packaging/completion packaging/man "$tree/"
documents=(README.md CHANGELOG.md SECURITY.md)
for page in docs/*.md; do
  page=${page##*/}
  [[ $DEVELOPERS == *" ${page%.md} "* ]] || documents+=("docs/$page")
done
put_documents "$tree" docs
chmod -R u=rwX,go=rX "$tree"

# settled TREE: every file as old as the commit.
settled() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }

settled "$tree"
tar -C "$work" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu -cf - "$name" |
  gzip -n "$($quick && echo -1 || echo -6)" >"$work/tarball"
small tree "$tree" $TREE_MB_MAX
$quick || small tarball "$work/tarball" $TARBALL_MB_MAX
mv "$work/tarball" "$out/$name.tar.gz"

# ------------------------------------------------------------------------------ the package
# needed NAME: whether a program or library of ours is linked with lib NAME.
needed() { find "$tree/lib" -type f \( -name '*.so' -o -path '*/bin/*' \) -exec grep -lqaF "$1" {} +; }

libc=$({
  printf 'GLIBC_%s\n' "$LIBC_MIN"
  find "$tree/lib" -type f \( -name '*.so' -o -path '*/bin/*' \) -exec grep -haoE 'GLIBC_[0-9]+\.[0-9]+' {} +
} | cut -d _ -f 2 | sort -uV | tail -n 1)
libraries=
! needed libz.so.1 || libraries+=', zlib1g'
! needed libstdc++.so.6 || libraries+=', libstdc++6'
! needed libgcc_s.so.1 || libraries+=', libgcc-s1'

root=$work/root
share=$root/usr/share
mkdir -p "$root/DEBIAN" "$root/usr/bin" "$root/usr/lib/loomshim" "$root/usr/lib/systemd/system" "$root/etc" \
  "$share"/{doc/loomshim,loomshim,man/man8,lintian/overrides,bash-completion/completions}
mv "$tree" "$root/usr/lib/loomshim/dist"
dist_root=$root/usr/lib/loomshim/dist
mv "$dist_root/kubernetes" "$share/loomshim/"
rm -r "$dist_root"/{docs,README.md,CHANGELOG.md,SECURITY.md,LICENSE}
documents=("${documents[@]:0:1}" "${documents[@]:2}")  # its changelog is in Debian's form
put_documents "$share/doc/loomshim"
cp packaging/debian/copyright "$share/doc/loomshim/"
gzip -n9 <"$dist_root/man/containerd-shim-loom-v1.8" >"$share/man/man8/containerd-shim-loom-v1.8.gz"
mv "$dist_root/completion/containerd-shim-loom-v1" "$share/bash-completion/completions/"
sed 's|@base@|/usr/lib/loomshim|' "$dist_root/systemd/loomshim-warm@.service" \
  >"$root/usr/lib/systemd/system/loomshim-warm@.service"
mv "$dist_root/systemd/loomshim-warm" "$root/usr/lib/loomshim/"
rm -r "$dist_root"/{man,completion,systemd}
cp packaging/debian/lintian-overrides "$share/lintian/overrides/loomshim"
awk -v version="$version" -v revision="$(sed -n 's/^revision=//p' "$dist/lib/version")" \
  -v who="$(sed -n 's/^Maintainer: //p' packaging/debian/control)" \
  -v date="$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" -f packaging/changelog.awk CHANGELOG.md |
  gzip -n9 >"$share/doc/loomshim/changelog.gz"
# the build that runs is another directory, which the installation makes: docs/decisions/0031-a-directory-for-each-build.md
ln -s ../lib/loomshim/current/containerd-shim-loom-v1 "$root/usr/bin/containerd-shim-loom-v1"
cp "$dist/lib/loomshim.conf" "$root/etc/loomshim.conf"
printf '/etc/loomshim.conf\n' >"$root/DEBIAN/conffiles"
size=$(du -sk --apparent-size "$root" | cut -f 1)
sed -e "s/@version@/$version/; s/@architecture@/$architecture/; s/@size@/$size/" \
  -e "s/@libc@/$libc/; s/@libraries@/$libraries/" packaging/debian/control >"$root/DEBIAN/control"
install -m 755 packaging/debian/{postinst,prerm,postrm} "$root/DEBIAN/"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
chmod -R u=rwX,go=rX "$root"
settled "$root"
# one thread: more of them cut the data differently
method=(-Zxz)
! $quick || method=(-Zgzip -z1)
dpkg-deb --root-owner-group --threads-max=1 "${method[@]}" --build "$root" "$work/package.deb" >/dev/null
$quick || small package "$work/package.deb" $PACKAGE_MB_MAX
package=$out/loomshim_${version}_$architecture.deb
mv "$work/package.deb" "$package"

say "needs libc6 $libc${libraries}; $((size / 1024)) MB unpacked"
! dpkg --compare-versions "$libc" gt "$(dpkg-query -W -f '${Version}' libc6 2>/dev/null || echo "$libc")" ||
  say "note: this machine has an older libc6, so the package cannot be installed here: with --jdk it takes the runtime of" \
    "a JDK for older ones, such as Temurin; packaging/install.sh installs here without a package"
for file in "$out/$name.tar.gz" "$package"; do
  say "$(du -k --apparent-size "$file" | awk '{ printf "%.1f MB", $1 / 1024 }')"
  printf '%s\n' "$file"
done
