# shellcheck shell=bash
# What integration/critest.sh, kubelet.sh and cluster.sh share: Debian's Go, which builds what is no package, the Go shim
# of a containerd, images that are made here, and a containerd with a network of pods. Source it after lib.sh.

# shellcheck disable=SC2034 # read by those who source this
readonly CRI_HANDLERS=(runc path name)
# shellcheck disable=SC2034,SC2089 # the entrypoint of an image for sandboxes, in JSON
readonly PAUSE='["/bin/sh", "-c", "trap \u0027exit 0\u0027 TERM; while :; do tail -f /dev/null & wait; done"]'

# -------------------------------------------------------------------------------------- Go

# built_program NAME GIVEN SOURCE: prints the path of the program NAME: GIVEN, if that is not empty, or one that is kept in
# the cache, which `build_NAME DIRECTORY SOURCE` has left as DIRECTORY/NAME. Fails with the reason on stderr; all that the
# build says is in $CACHE/NAME.log.
built_program() {
  local name=$1 given=$2 source=$3 work
  if [[ -n $given ]]; then
    [[ -x $given ]] || die "LOOMSHIM_${name^^}=$given is no program"
    realpath -- "$given"
    return
  fi
  if [[ ! -x $CACHE/$name/$name ]]; then
    work=$(mktemp -d "$CACHE/$name-work-XXXXXX")
    if "build_$name" "$work" "$source" >"$CACHE/$name.log" 2>&1; then
      mkdir -p "$CACHE/$name"
      mv "$work/$name" "$CACHE/$name/$name"
    else
      grep -v '^{\|^}' "$CACHE/$name.log" | tail -n 3 >&2
    fi
    rm -rf "$work"
  fi
  [[ -x $CACHE/$name/$name ]] && printf '%s\n' "$CACHE/$name/$name"
}

# go_tree: prints the GOROOT of Debian's newest Go, which needs no other package to run.
go_tree() {
  need_packages debian-archive-keyring >&2
  cached go-sid fetch_go >&2 || return
  printf '%s\n' "$CACHE"/go-sid/usr/lib/go-*
}
fetch_go() {
  local tree=$CACHE/go-sid apt=$CACHE/go-sid/apt file
  say "fetching Go of Debian sid into $tree"
  rm -rf "$tree"
  mkdir -p "$apt"
  { suite_apt sid "$apt" update && suite_apt sid "$apt" install --download-only golang-go; } >"$CACHE/go-sid.log" || return 1
  for file in "$apt"/cache/archives/golang-*.deb; do dpkg -x "$file" "$tree"; done
  rm -rf "$apt"
  touch "$tree/complete"
}

# --------------------------------------------------------------------------------- shims

# go_shim SUITE: prints the path of the Go shim of that suite of Debian.
go_shim() {
  cached "shim-$1" fetch_shim "$1" >&2
  printf '%s\n' "$CACHE/shim-$1/containerd-shim-runc-v2"
}
fetch_shim() {
  local suite=$1 directory=$CACHE/shim-$1 loader
  say "fetching the shim of Debian $suite into $directory"
  rm -rf "$directory"
  mkdir -p "$directory/apt"
  (
    cd "$directory/apt"
    suite_apt "$suite" "$directory/apt" update && suite_apt "$suite" "$directory/apt" download containerd
  ) >"$CACHE/shim-$suite.log" || die "could not fetch the shim of $suite: $CACHE/shim-$suite.log"
  dpkg -x "$directory"/apt/containerd_*.deb "$directory/files"
  mv "$directory/files/usr/bin/containerd-shim-runc-v2" "$directory/"
  rm -rf "$directory/apt" "$directory/files"
  loader=$(find "$CACHE/suite-$suite/files" -name 'ld-linux-*.so.*' -type f -print -quit)
  "$directory/containerd-shim-runc-v2" -v >/dev/null 2>&1 ||
    patchelf --set-interpreter "$loader" --force-rpath --set-rpath "${loader%/*}" "$directory/containerd-shim-runc-v2"
  "$directory/containerd-shim-runc-v2" -v >/dev/null || die "the shim of $suite does not run here"
  touch "$directory/complete"
}

# --------------------------------------------------------------------------------- images

# image_tree DIRECTORY: what all images hold.
image_tree() {
  local library
  make_rootfs "$1"
  # as in the image that is meant: what is bound over one command leaves the others
  find "$1/bin" -type l -exec ln -f "$1/bin/busybox" {} \;
  mkdir -p "$1"/{srv/www,usr/sbin,var/run,var/tmp}
  chmod 1777 "$1/tmp" "$1/var/tmp"
  printf 'nobody:x:65534:65534:nobody:/:/bin/sh\nwww-data:x:33:33::/:/bin/sh\ndefault-user:x:1000:1000::/:/bin/sh\n' \
    >>"$1/etc/passwd"
  printf 'nogroup:x:65534:\nwww-data:x:33:\ndefault-user:x:1000:\ngroup-defined-in-image:x:50000:default-user\n' \
    >>"$1/etc/group"
  printf '<html><body>Thank you for using nginx.</body></html>\n' >"$1/srv/www/index.html"
  cat >"$1/usr/sbin/nginx" <<'END'
#!/bin/sh
echo $$ >/var/run/nginx.pid
echo "httpd begins"
httpd -f -p "${PORT:-80}" -h /srv/www &
trap 'exit 0' TERM QUIT
wait
END
  # shows its effective user id: that of its owner where the kernel honours the bit
  cp "$(command -v id)" "$1/usr/sbin/effective"
  rm -f "$1/bin/ipcs"
  cp "$(command -v ipcs)" "$1/bin/ipcs"
  ldd "$1/usr/sbin/effective" "$1/bin/ipcs" | grep -o '[[:space:]]/[^ ]*' | sort -u | while read -r library; do
    mkdir -p "$1$(dirname "$library")"
    cp -L "$library" "$1$library"
  done
  # shellcheck disable=SC2016 # for that sh to expand
  printf '#!/bin/sh\nprintf "Effective uid: %%s\\n" "$(/usr/sbin/effective -u)"\n' >"$1/usr/sbin/nnp"
  # Debian's busybox has none
  printf '#!/bin/sh\nexec pidof "$@"\n' >"$1/bin/pgrep"
  chmod 755 "$1/usr/sbin/nginx" "$1/usr/sbin/nnp" "$1/bin/pgrep"
  chmod 4755 "$1/usr/sbin/effective"
}

# one_image NAME CONFIGURATION: adds it to the archive in the present directory.
one_image() {
  local digest
  printf '{"architecture": "%s", "os": "linux", "config": %s, "rootfs": {"type": "layers", "diff_ids": ["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$2" "$layer" >config
  digest=$(sha256sum config | cut -d ' ' -f 1)
  mv config "$digest.json"
  manifest+="${manifest:+, }{\"Config\": \"$digest.json\", \"RepoTags\": [\"$1\"], \"Layers\": [\"layer.tar\"]}"
}

# image_archive FILE [LAYER]: an archive for `ctr images import`. Each line of stdin is a name, a tab and a configuration.
# What is in the images is in the tar archive LAYER, which is moved away, or is image_tree.
image_archive() {
  local directory layer name configuration manifest=''
  directory=$(mktemp -d "$CACHE/images-XXXXXX")
  mkdir "$directory/archive"
  if [[ -n ${2-} ]]; then
    mv "$2" "$directory/archive/layer.tar"
  else
    image_tree "$directory/tree"
    tar -C "$directory/tree" --owner=0 --group=0 -cf "$directory/archive/layer.tar" .
  fi
  layer=$(sha256sum "$directory/archive/layer.tar" | cut -d ' ' -f 1)
  (
    cd "$directory/archive" || exit
    while IFS=$'\t' read -r name configuration; do one_image "$name" "$configuration"; done
    printf '[%s]' "$manifest" >manifest.json
    tar -cf "$1" .
  )
  rm -rf "$directory"
}

# ------------------------------------------------------------------------ what is needed

# need_distribution: builds the shim, unless it is built, with a JDK that installs it too.
need_distribution() {
  if [[ ! -x target/loomshim/bin/containerd-shim-loom-v1 ]]; then
    JAVA_HOME=$(find_jdk 21 || need_jdk 25) ./mvnw -q -B -ntp -DskipTests package </dev/null
  fi
  find_jdk 21 >/dev/null || need_jdk 25 >/dev/null
}

# need_cni: the plugins of CNI, which network() uses.
need_cni() {
  [[ ! -x $CACHE/cni/usr/lib/cni/bridge ]] || return 0
  mkdir -p "$CACHE/cni"
  (
    cd "$CACHE/cni" || exit
    apt_quiet download containernetworking-plugins >log || { apt_quiet update && apt_quiet download containernetworking-plugins; } >log
    dpkg -x containernetworking-plugins_*.deb .
    rm -f ./*.deb
  ) || die "could not fetch containernetworking-plugins; see $CACHE/cni/log"
}

# --------------------------------------------------------------------- a machine of its own

# apart DIRECTORY: in a mount namespace of its own, makes the directories empty where programs meet. This source, the
# cache and DIRECTORY stay.
apart() {
  local i
  exec 8<"$REPO" 7<"$CACHE" 6<"$1"
  for i in /run /tmp /mnt; do mount -t tmpfs -o mode=755 tmpfs "$i"; done
  chmod 1777 /tmp
  for i in "8 $REPO" "7 $CACHE" "6 $1"; do
    # what lies below one of them
    if [[ ! -e ${i#* } ]]; then
      mkdir -p "${i#* }"
      mount --no-canonicalize --bind "/proc/self/fd/${i%% *}" "${i#* }"
    fi
  done
  exec 8<&- 7<&- 6<&-
  mount --make-rshared /mnt
}

# containerd_of TREE SHIM IMAGES OUT: installs our shim into /mnt/loom, starts the containerd of TREE with its runc, and
# imports the archive IMAGES. Sets `version` and `containerd_pid`. Logs are in OUT; `default_runtime` is a handler.
containerd_of() {
  local tree=$1 shim=$2 images=$3 out=$4 i
  [[ -d /mnt/loom ]] || JAVA_HOME=$(find_jdk 21) sh packaging/install.sh --prefix /mnt/loom >"$out/install.log" 2>&1
  version=$("$tree/containerd/containerd" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)
  mkdir -p /mnt/ct
  configuration /mnt/ct "$version" "$shim" "${default_runtime-runc}" >/mnt/ct/config.toml
  PATH=/mnt/loom/bin:$tree/oci:$PATH TMPDIR=/mnt/ct "$tree/containerd/containerd" --config /mnt/ct/config.toml \
    >>"$out/containerd.log" 2>&1 </dev/null &
  containerd_pid=$!
  for ((i = 0; i < 600; i++)); do
    if "$tree/containerd/ctr" --address /mnt/ct/grpc plugins ls 2>/dev/null |
      awk '$1 == "io.containerd.grpc.v1" && $2 == "cri" && $NF == "ok" { found = 1 } END { exit !found }'; then break; fi
    kill -0 "$containerd_pid" 2>/dev/null || return 1
    sleep 0.1
  done
  [[ ! -e $images ]] || "$tree/containerd/ctr" --address /mnt/ct/grpc -n k8s.io images import "$images" >"$out/import.log" 2>&1
}


# configuration DIRECTORY VERSION SHIM DEFAULT: of containerd, with all handlers and the default one; SHIM is the Go shim
# of this containerd.
configuration() {
  local cri=plugins.\"io.containerd.grpc.v1.cri\" streams number=2
  if [[ $2 == 2.* ]]; then cri="plugins.'io.containerd.cri.v1.runtime'" number=3; fi
  streams="plugins.'io.containerd.grpc.v1.cri'"
  cat <<END
version = $number
root = "$1/root"
state = "$1/state"
[grpc]
  address = "$1/grpc"
[ttrpc]
  address = "$1/ttrpc"
[debug]
  level = "debug"
[plugins.'io.containerd.internal.v1.opt']
  path = "$1/opt"
[$cri.cni]
  bin_dir = "/mnt/cni/bin"
  conf_dir = "/mnt/cni"
[$cri.containerd]
  default_runtime_name = "$4"
[$cri.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  runtime_path = "$3"
[$cri.containerd.runtimes.path]
  runtime_type = "io.containerd.runc.v2"
  runtime_path = "/mnt/loom/bin/containerd-shim-loom-v1"
[$cri.containerd.runtimes.name]
  runtime_type = "io.containerd.loom.v1"
END
  if [[ $number == 3 ]]; then
    cat <<END
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "registry.k8s.io/pause:3.10"
[$cri]
  restrict_oom_score_adj = true
[$streams]
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
END
  else
    cat <<END
[$cri]
  restrict_oom_score_adj = true
  sandbox_image = "registry.k8s.io/pause:3.10"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
END
  fi
}

# network: pods get a loopback of their own, and a bridge in this network namespace.
network() {
  ip link set lo up
  mkdir -p /mnt/cni/bin
  cp "$CACHE"/cni/usr/lib/cni/{bridge,host-local,loopback} /mnt/cni/bin/
  cat >/mnt/cni/10-pods.conflist <<END
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods0", "isGateway": true,
  "ipam": {"type": "host-local", "dataDir": "/mnt/cni/addresses", "ranges": [[{"subnet": "10.88.0.0/16"}]]}}]}
END
}

