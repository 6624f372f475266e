#!/usr/bin/env bash
# What the DaemonSet of daemonset.yaml runs on each node, in a privileged container that has the node's files in /host.
#
#   ACTION=install node.sh    installs loomshim, configures containerd, tries a container, and labels the node
#                             loomshim=true; then stays
#   ACTION=remove node.sh     takes the label away, waits for the last container of the runtime, and takes everything
#                             back; then stays
#
# Run again it changes nothing that is right already. When a step fails the node has no label, so no pod of the
# RuntimeClass comes to it; the reason is the last line of the log and the termination message.
#
# Settings, in the environment:
#   NODE_NAME          the node
#   PREFIX             where loomshim is installed on the node (/usr/local); its bin must be in containerd's PATH
#   CONFIGURE          arguments for configure.sh, such as --option SystemdCgroup=true
#   CONTAINERD_CONFIG  the node's containerd configuration (/etc/containerd/config.toml)
#   CONTAINERD_ADDRESS its socket (/run/containerd/containerd.sock)
#   RESTART            how containerd is restarted on the node (systemctl restart containerd)
#   STAY=false         end when all is done, in place of waiting for SIGTERM
# A file /settings/loomshim.conf, of a ConfigMap, becomes the node's settings.
set -euo pipefail

ACTION=${ACTION:-install} HOST=${HOST:-/host} PAYLOAD=${PAYLOAD:-/loomshim} PREFIX=${PREFIX:-/usr/local}
CONFIGURE=${CONFIGURE:-} CONTAINERD_CONFIG=${CONTAINERD_CONFIG:-/etc/containerd/config.toml}
export CONTAINERD_ADDRESS=${CONTAINERD_ADDRESS:-/run/containerd/containerd.sock}
RESTART=${RESTART:-systemctl restart containerd} STAY=${STAY:-true} SETTINGS=${SETTINGS:-/settings/loomshim.conf}
API=${API:-https://${KUBERNETES_SERVICE_HOST:-kubernetes.default.svc}:${KUBERNETES_SERVICE_PORT:-443}}
ACCOUNT=${ACCOUNT:-/var/run/secrets/kubernetes.io/serviceaccount}
READY=${READY:-/run/ready} MESSAGE=${MESSAGE:-/dev/termination-log}

readonly DIRECTORY=/var/tmp/loomshim-node  # on the node, for as long as this installs
readonly CONTAINERD_SECONDS_MAX=60         # until a restarted containerd has loaded CRI

say() { printf '%s\n' "$*"; }

# fail TEXT: the end, with the reason where kubectl describe shows it.
fail() {
  say "error: $*" >&2
  { printf '%s' "$*" >"$MESSAGE"; } 2>/dev/null || true
  exit 1
}

# on_node COMMAND...: runs it as a process of the node. Its words reach the log, and the last one a failure's reason.
on_node() {
  chroot "$HOST" /usr/bin/env -i HOME=/root CONTAINERD_ADDRESS="$CONTAINERD_ADDRESS" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
}

# label VALUE: gives the node the label loomshim; the value is JSON, and null takes the label away.
label() {
  local answer
  [[ -n ${NODE_NAME-} ]] || fail 'NODE_NAME is empty'
  answer=$(curl --silent --show-error --fail-with-body --max-time 30 --retry 5 --retry-connrefused \
    --cacert "$ACCOUNT/ca.crt" -H @<(printf 'Authorization: Bearer %s' "$(<"$ACCOUNT/token")") \
    -H 'Content-Type: application/merge-patch+json' --request PATCH \
    --data "{\"metadata\":{\"labels\":{\"loomshim\":$1}}}" "$API/api/v1/nodes/$NODE_NAME" 2>&1) ||
    fail "the node cannot be labelled: ${answer:0:500}"
}

# bring NAME...: puts files of the image where the node's own programs can run them.
bring() {
  rm -rf "${HOST:?}$DIRECTORY"
  mkdir -p "$HOST$DIRECTORY"
  local name
  for name; do cp -a "$PAYLOAD/$name" "$HOST$DIRECTORY/"; done
}

# configuration: prints a sum over the files that containerd reads.
configuration() {
  local directory
  directory=$HOST$(dirname "$CONTAINERD_CONFIG")
  [[ ! -d $directory ]] || find "$directory" -type f -exec sha256sum {} + | sort
}

# cri_ready: whether containerd answers and has loaded CRI.
cri_ready() {
  on_node ctr plugins ls 2>/dev/null | awk '
    $1 ~ /^io\.containerd\.(grpc|cri)\.v1$/ && ($2 == "cri" || $2 == "runtime") { seen = 1; if ($NF != "ok") bad = 1 }
    END { exit !seen || bad }'
}

# containerd_restart: and waits until it has loaded CRI.
containerd_restart() {
  local attempt
  say 'restarting containerd; containers go on'
  on_node sh -c "$RESTART" || say "error: containerd cannot be restarted by: $RESTART"
  for ((attempt = 0; attempt < CONTAINERD_SECONDS_MAX; attempt++)); do
    ! cri_ready || return 0
    sleep 1
  done
  return 1
}

# configure ARGUMENT...: runs configure.sh, and restarts containerd if that has changed anything.
configure() {
  local before
  before=$(configuration)
  on_node "$DIRECTORY/kubernetes/configure.sh" --config "$CONTAINERD_CONFIG" "$@" || {
    label null
    fail 'containerd cannot be configured; the reason stands above'
  }
  [[ $before != "$(configuration)" ]] || return 0
  containerd_restart
}

# unlabelled COMMAND...: when it fails the node has no label.
unlabelled() { "$@" || { label null; fail "$* has failed; the reason stands above"; }; }

# try_container: runs one with the runtime, in a namespace of its own.
try_container() {
  local status=0
  on_node "$PREFIX/lib/loomshim/loomshim-warm" start loomshim-verify || status=$?
  on_node "$PREFIX/lib/loomshim/loomshim-warm" stop loomshim-verify
  on_node ctr namespaces rm loomshim-verify >/dev/null 2>&1 || true
  # the parent of the container's cgroups has the namespace's name, and nothing else removes it
  on_node sh -c 'rmdir /sys/fs/cgroup/loomshim-verify /sys/fs/cgroup/*/loomshim-verify' >/dev/null 2>&1 || true
  return "$status"
}

install_node() {
  local arguments etc=$PREFIX/etc
  # as install.sh has it
  [[ $PREFIX != /usr ]] || etc=/etc
  unlabelled bring .
  # first: with auto_upgrade the daemons that run take them up with the build
  if [[ -f $SETTINGS ]]; then unlabelled install -D -m 644 "$SETTINGS" "$HOST$etc/loomshim.conf"; fi
  unlabelled on_node "$DIRECTORY/install.sh" --prefix "$PREFIX"
  read -ra arguments <<<"$CONFIGURE"
  if ! configure "${arguments[@]}"; then
    label null
    on_node "$DIRECTORY/kubernetes/configure.sh" --undo --config "$CONTAINERD_CONFIG" || true
    containerd_restart || true
    fail "containerd has not loaded CRI within $CONTAINERD_SECONDS_MAX s; its configuration is as it was before"
  fi
  unlabelled try_container
  rm -rf "${HOST:?}$DIRECTORY"
  label '"true"'
  say "node $NODE_NAME has the runtime"
}

# The label first: then no pod comes any more, and those that run can end. The configuration is last, as containerd
# cannot remove containers of a runtime that it does not know.
remove_node() {
  label null
  bring .
  if [[ -L $HOST$PREFIX/lib/loomshim/current ]]; then
    say 'waiting until no container of the runtime is left'
    on_node "$DIRECTORY/install.sh" --uninstall --drain --purge --prefix "$PREFIX" ||
      fail 'loomshim cannot be removed; the reason stands above'
  fi
  configure --undo || fail 'containerd has not loaded CRI again'
  rm -rf "${HOST:?}$DIRECTORY"
  say "node ${NODE_NAME} is as it was before"
}

[[ -d $HOST/proc ]] || fail "there is no node in $HOST"
rm -f "$READY"
case $ACTION in
  install) install_node ;;
  remove) remove_node ;;
  *) fail "ACTION=$ACTION is neither install nor remove" ;;
esac
: >"$READY"
$STAY || exit 0
trap 'exit 0' TERM INT
while :; do
  sleep 3600 &
  wait "$!"
done
