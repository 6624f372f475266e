#!/usr/bin/env bash
# A whole cluster of one node: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and kubelet on the containerd
# of a Debian, all of them real. The commands of docs/KUBERNETES.md are typed there: a node by hand, pods under
# `runtimeClassName: loom`, back out; then the DaemonSet, an upgrade of it, a mistake in it, and its removal.
#
#   integration/cluster.sh [SUITE]      trixie: the Debian of the node, with its containerd, runc, etcd and kubectl
#
# The programs of Kubernetes are no packages. They are those that LOOMSHIM_KUBELET and LOOMSHIM_CONTROL_PLANE name, a
# program and a directory; else those in the cache; else they are built as integration/kubelet.sh --help says, from Debian's
# source of Kubernetes 1.20 or from LOOMSHIM_KUBERNETES, which takes half an hour on two processors. With all of them in the
# cache a run takes four minutes: it is no part of CI.
#
# The node is a tree of Debian with a mount, a pid, a UTS and a network namespace of its own, where all addresses are on
# loopback and on a bridge of pods; nothing is pulled, as the images are made here. There is no systemd, so restarting
# containerd is another command, and no kube-proxy, as there are no rules of iptables. What the programs say is in
# target/cluster. The last line is the sum: `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=cri-lib.sh
. "$REPO/integration/cri-lib.sh"
# shellcheck source-path=SCRIPTDIR source=kube-lib.sh
. "$REPO/integration/kube-lib.sh"
# shellcheck source-path=SCRIPTDIR source=cluster-lib.sh
. "$REPO/integration/cluster-lib.sh"
cd "$REPO"

readonly RUN_SECONDS_MAX=900 WAIT_SECONDS_MAX=120
readonly GUIDE=docs/KUBERNETES.md OUT=$REPO/target/cluster
readonly BUSYBOX=docker.io/library/busybox:latest REGISTRY=registry.example PACKAGES=(containerd runc containernetworking-plugins
  etcd-server kubernetes-client iproute2 curl jq openssl ca-certificates procps)

# -------------------------------------------------------------------------- what is typed

# block TEXT [N]: the lines of the Nth block of sh after the heading with TEXT in the guide, without comments.
# shellcheck disable=SC2016 # three quotes of Markdown
block() {
  awk -v text="$1" -v wanted="${2:-1}" '
    /^##/ { inside = index($0, text) > 0; next }
    inside && /^```sh$/ { n++; typed = n == wanted; next }
    /^```$/ { typed = 0 }
    inside && typed { sub(/ +# .*/, ""); print }' "$GUIDE"
}

# types LINE: as it stands there, with what the reader has to put in. There is no systemd to be asked.
types() {
  local line=$1
  line=${line//NODE/$NODE} line=${line//systemctl restart containerd/restart-containerd}
  (cd "$place" && bash -ec "$line")
}

# typed TEXT [N]: each line of the block is a check.
typed() {
  local line
  while read -r line; do
    check "$1: $line" types "$line"
    case $line in *restart*) check 'containerd has loaded CRI' until_ok cri_up ;; esac
  done < <(block "$@")
}
place=/

equals() { [[ $1 == "$2" ]] || { printf 'is %q, not %q\n' "$1" "$2" && return 1; }; }
prints() {
  local wanted=$1
  shift
  equals "$("$@")" "$wanted"
}

of() { kubectl get "$1" "$2" -o "jsonpath=$3"; }

# ---------------------------------------------------------------------------------- checks

# files: those of the node that an installation could leave.
files() {
  {
    find /etc /opt /usr /var/lib -xdev -not -path '/var/lib/dpkg/*'
    [[ ! -e /run/loomshim ]] || find /run/loomshim
  } | LC_ALL=C sort
}

pod_of_loom() {
  local sandbox
  sandbox=$(ctr -n k8s.io containers ls "labels.io.kubernetes.pod.name==$1" -q | head -n 1)
  ctr -n k8s.io containers info "$sandbox" | jq -r .Runtime.Name | grep loom
}

unscheduled() {
  kubectl apply -f /usr/share/loomshim/kubernetes/runtimeclass.yaml
  kubectl apply -f /usr/share/loomshim/kubernetes/pod.yaml
  becomes Unschedulable of pod loom-test '{.status.conditions[?(@.type=="PodScheduled")].reason}'
  kubectl delete --now pod/loom-test runtimeclass/loom
}

# many bytes both ways
stream() {
  head -c 5000000 /dev/urandom >/tmp/bytes
  kubectl exec -i loom-test -- sha256sum </tmp/bytes | cut -d ' ' -f 1 | grep -x "$(sha256sum </tmp/bytes | cut -d ' ' -f 1)"
  kubectl cp /tmp/bytes loom-test:/tmp/bytes
  kubectl cp loom-test:/tmp/bytes /tmp/back
  cmp /tmp/bytes /tmp/back
}
exit_code() {
  local status=0
  kubectl exec loom-test -- sh -c 'exit 42' || status=$?
  equals $status 42
}
terminal() { script -qec 'kubectl exec -it loom-test -- tty' /dev/null | grep /dev/pts; }
follows() { { timeout 4 kubectl logs -f --tail=1 loom-test || true; } | grep -c tick | awk '{ exit !($1 >= 2) }'; }

deployment() {
  cat <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  template:
    metadata: {labels: {app: web}}
    spec:
      runtimeClassName: loom
      terminationGracePeriodSeconds: 5
      containers:
        - name: web
          image: docker.io/library/busybox:latest
          imagePullPolicy: IfNotPresent
          env: [{name: EDITION, value: first}]
          command: [sh, -c, 'mkdir /www && echo $EDITION >/www/index.html && exec httpd -f -p 8080 -h /www']
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}
          livenessProbe: {tcpSocket: {port: 8080}, periodSeconds: 2}
          lifecycle: {preStop: {exec: {command: [sleep, "1"]}}}
END
}
# editions: what the pods of the deployment serve, asked at their own addresses.
editions() {
  local address
  for address in $(kubectl get pods -l app=web -o 'jsonpath={.items[?(@.status.phase=="Running")].status.podIP}'); do
    curl -s --max-time 5 "http://$address:8080/"
  done | sort | uniq -c | awk '{ print $1, $2 }' | paste -s -d ,
}
rolls_out() {
  deployment | kubectl apply -f -
  kubectl rollout status --timeout=120s deployment/web
  equals "$(editions)" '3 first'
}
rolls_over() {
  kubectl set env deployment/web EDITION=second
  kubectl rollout status --timeout=120s deployment/web
  becomes '3 second' editions
  kubectl rollout undo deployment/web
  kubectl rollout status --timeout=120s deployment/web
  becomes '3 first' editions
}
forwarded() {
  local status=0
  kubectl port-forward deployment/web 18080:8080 >/tmp/forward 2>&1 &
  until_ok curl -s http://127.0.0.1:18080/
  prints first curl -s http://127.0.0.1:18080/ || status=$?
  kill $!
  return $status
}
scales() {
  kubectl scale --replicas=8 deployment/web
  kubectl rollout status --timeout=120s deployment/web
  kubectl scale --replicas=0 deployment/web
  becomes '' of pods -lapp=web '{.items[*].metadata.name}'
  kubectl delete deployment web
}

# pod NAME SPEC: a pod of the class; SPEC is what else stands in `spec`.
pod() {
  printf '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s"}, "spec": {"runtimeClassName": "loom", %s}}\n' "$1" "$2" |
    kubectl apply -f -
}
# container LINE [MORE]: one that runs a line of sh.
container() {
  printf '"containers": [{"name": "main", "image": "%s", "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", %s]%s}]' \
    "$BUSYBOX" "$(jq -n --arg line "$1" '$line')" "${2:+, $2}"
}
state_of() { of pod "$1" '{.status.containerStatuses[0].state.terminated.reason} {.status.containerStatuses[0].state.terminated.exitCode}'; }
restarted() { of pod "$1" '{.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].lastState.terminated.exitCode}'; }
oom() {
  pod greedy "\"restartPolicy\": \"Never\", $(container 'sleep 1; tail /dev/zero' '"resources": {"limits": {"memory": "32Mi"}}')"
  becomes 'OOMKilled 137' state_of greedy
}
sick() {
  pod sick "\"terminationGracePeriodSeconds\": 1, $(container 'exec sleep 100000' \
    '"livenessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 1, "failureThreshold": 1}')"
  becomes '1 137' restarted sick
}
job() {
  kubectl create job --image=$BUSYBOX --dry-run=client -o json three -- sh -c 'echo done' |
    jq '.spec += {completions: 3, parallelism: 3} | .spec.template.spec += {runtimeClassName: "loom"} |
      .spec.template.spec.containers[0].imagePullPolicy = "IfNotPresent"' | kubectl apply -f -
  kubectl wait --timeout=60s --for=condition=complete job/three
  equals "$(kubectl logs -l job-name=three | paste -s -d ' ')" 'done done done'
  kubectl delete job three
}
figures() {
  local bytes
  bytes=$(kubectl get --raw /api/v1/nodes/$NODE/proxy/stats/summary |
    jq -r '.pods[] | select(.podRef.name == "loom-test") | .containers[0].memory.workingSetBytes')
  ((bytes > 0))
}
only() {
  kubectl delete --now pods --all
  becomes '' ctr -n k8s.io tasks ls -q
}

# --------------------------------------------------------------------------- the DaemonSet

# overlay TAG: the kustomization.yaml of the guide, with what the reader has to put in, and how this node restarts containerd.
# shellcheck disable=SC2016 # three quotes of Markdown
overlay() {
  mkdir -p /root/cluster
  sed -n '/^```yaml$/,/^```$/p' "$GUIDE" | sed '/^```/d' | sed "s|PATH/packaging|../..$REPO/packaging|
    s|REGISTRY|$REGISTRY|; s|VERSION|$1|
    s|{name: CONFIGURE, value: \"\"}|&, {name: RESTART, value: restart-containerd}|" >/root/cluster/kustomization.yaml
}
rolled_out() { kubectl -n kube-system rollout status --timeout=180s daemonset/loomshim-node; }
labelled() { equals "$(of node $NODE '{.metadata.labels.loomshim}')" "$1"; }
objects() {
  kubectl -n kube-system get serviceaccount/loomshim-node daemonset/loomshim-node
  kubectl get clusterrole/loomshim-node clusterrolebinding/loomshim-node runtimeclass/loom
}
message() {
  kubectl -n kube-system get pods -l app.kubernetes.io/name=loomshim-node \
    -o 'jsonpath={.items[0].status.containerStatuses[0].lastState.terminated.message}'
}
mistaken() {
  kubectl -n kube-system set env daemonset/loomshim-node CONFIGURE='--option nonsense'
  becomes 'containerd cannot be configured; the reason stands above' message
  labelled ''
}
put_right() {
  kubectl -n kube-system set env daemonset/loomshim-node CONFIGURE=
  rolled_out
  labelled true
}
id_of() { of pod loom-test '{.status.containerStatuses[0].containerID}'; }
upgraded() {
  local before
  before=$(id_of)
  overlay 0.1.1
  (cd /root/cluster && kubectl apply -k .)
  rolled_out
  equals "$(id_of)" "$before"
  kubectl exec loom-test -- echo still
}
waits() {
  types "$1"
  types "$2"
  becomes '' of node $NODE '{.metadata.labels.loomshim}'
  sleep 3
  equals "$(of pod loom-test '{.status.phase}')" Running
  kubectl delete --now pod loom-test
  types "$3"
}

# ---------------------------------------------------------------------------------- inside

# inside TREE KUBELET CONTROL_PLANE GROUP
inside() {
  passed=0 failed=0
  enter_node "$1" "$2" "$3"/kube-*
  kernel_apart
  node_network
  export KUBECONFIG=/etc/kubernetes/admin.conf
  certificates >"$OUT/certificates.log" 2>&1
  background containerd containerd_service
  until_ok cri_up
  ctr -n k8s.io images import "$OUT/images.tar" >"$OUT/import.log"
  ctr -n k8s.io images import "$OUT/node-image.tar" >>"$OUT/import.log"
  ctr images import "$OUT/images.tar" >>"$OUT/import.log"
  check 'a control plane' control_plane_up
  check 'a node that is ready' kubelet_joins "$4"
  kubectl version | sed 's/^/   /'
  printf '   %s\n' "$(containerd --version)" "$(runc --version | head -n 1)"
  files >/run/before

  check 'the package' dpkg -i "$OUT"/packages/*.deb
  check 'a pod of the class stays away from a node that is not labelled' unscheduled
  place=/usr/share/loomshim/kubernetes
  typed '2. Configure containerd'
  check "3. Verify: $(block '3. Verify' | sed -n 1p)" types "$(block '3. Verify' | sed -n 1p)"
  check "3. Verify: $(block '3. Verify' | sed -n 3p)" types "$(block '3. Verify' | sed -n 3p)"
  while read -r line; do
    case $line in
      'kubectl delete pod '*)
        check 'the pod is one of loom' pod_of_loom loom-test
        check 'bytes both ways' stream
        check 'an exit code' exit_code
        check 'a terminal' terminal
        check 'logs that are followed' follows
        check 'statistics' figures
        ;;
    esac
    check "4. Use it: $line" types "$line"
  done < <(block '4. Use it')
  check 'a Deployment of three, with probes by HTTP and TCP' rolls_out
  check 'a port that is forwarded' forwarded
  check 'a rollout and its undoing' rolls_over
  check 'up to eight, down to none' scales
  check 'a Job' job
  check 'OOMKilled' oom
  check 'a liveness probe that fails' sick
  check 'all pods end' only
  typed '5. Back out'
  dpkg -P loomshim >/dev/null 2>&1 || true
  kubectl uncordon $NODE >/dev/null
  kubectl label node $NODE loomshim- >/dev/null
  check 'nothing is left' diff /run/before <(files)

  place=/root/cluster
  overlay 0.1.0
  typed 'All nodes at once' 2
  check 'its objects' objects
  check 'the node is labelled' labelled true
  kubectl apply -f packaging/kubernetes/pod.yaml >/dev/null
  check 'a pod on it' kubectl wait --timeout=60s --for=condition=Ready pod/loom-test
  check 'the pod is one of loom' pod_of_loom loom-test
  check 'another image, and the pod runs on' upgraded
  check 'a mistake takes the label away, and is told' mistaken
  check 'and put right it comes back' put_right
  mapfile -t lines < <(block 'All nodes at once' 3)
  check "the removal waits until the pod has ended: ${lines[2]}" waits "${lines[@]:0:3}"
  check "${lines[3]}" types "${lines[3]}"
  check 'all pods end' becomes '' ctr -n k8s.io tasks ls -q
  check 'nothing is left' diff /run/before <(files)
  printf '%s %s\n' "$passed" "$failed" >"$OUT/sum"
}

if [[ ${1-} == --inside ]]; then
  shift
  inside "$@"
  exit
fi

# --------------------------------------------------------------------------------- outside

suite=trixie
while (($#)); do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    -*) refuse "unknown argument $1" ;;
    *) suite=$1 ;;
  esac
  shift
done

skip() {
  printf 'skipped: no cluster: %s\n0 passed, 0 failed, 1 skipped\n' "$1"
  exit 0
}

need_root
command -v apt-get >/dev/null || skip 'its parts are packages of Debian'
mkdir -p "$CACHE"
kubelet=$(built_program kubelet "${LOOMSHIM_KUBELET-}" "${LOOMSHIM_KUBERNETES-}") || skip "there is no kubelet, and it cannot be built: $CACHE/kubelet.log"
control=$(control_plane) || skip "there is no kube-apiserver, and it cannot be built: $CACHE/control-plane.log"
need_distribution
rm -rf "$OUT"
mkdir -p "$OUT/payload"
packaging/package.sh --no-build --quick --out "$OUT/packages" >"$OUT/package.log" 2>&1
names=$(IFS=, && printf '%s' "${PACKAGES[*]}")
tree=$(debian_tree "cluster-$suite" "$suite" "$names")

# node_layer FILE: what the Dockerfile of the DaemonSet puts into its image.
node_layer() {
  tar -C "$(debian_tree image-bookworm bookworm curl,ca-certificates)" --exclude=./var/lib/apt/lists/* --exclude=./complete \
    -cf "$1" .
  tar -C "$OUT/payload" -xzf "$OUT"/packages/*.tar.gz
  mv "$OUT"/payload/loomshim-* "$OUT/payload/loomshim"
  tar -C "$OUT/payload" --owner=0 --group=0 -rf "$1" ./loomshim
}
{
  for name in $(chroot "$tree" containerd config default | sed -n "s/^ *sandbox\(_image\)\{0,1\} = ['\"]\(.*\)['\"]/\2/p"); do
    printf '%s\t{"Env": ["PATH=/bin"], "Entrypoint": %s}\n' "$name" "$PAUSE"
  done
  printf '%s\t{"Env": ["PATH=/bin"], "Cmd": ["sh"]}\n' $BUSYBOX
} | image_archive "$OUT/images.tar"
node_layer "$OUT/layer.tar"
printf '%s\t{"Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"], "Entrypoint": ["/loomshim/kubernetes/node.sh"]}\n' \
  "$REGISTRY"/loomshim-node:0.1.{0,1} >"$OUT/names"
image_archive "$OUT/node-image.tar" "$OUT/layer.tar" <"$OUT/names"

group=loomshim-cluster-$$
trap 'remove_cgroups "$group"' EXIT
trap 'kill -TERM $(jobs -p) 2>/dev/null; exit 130' INT TERM HUP
make_cgroups "$group"
timeout --kill-after=10 "$RUN_SECONDS_MAX" unshare --mount --propagation private --pid --net --ipc --uts --fork --kill-child --mount-proc \
  "$PROGRAM" --inside "$tree" "$kubelet" "$control" "$group" 2>&1 </dev/null | tee "$OUT/log" &
wait $! || true
rm -rf "$OUT"/{payload,*.tar}
read -r passed failed <"$OUT/sum" || { passed=0 failed=1 && printf 'FAILED the run did not come to its end; see %s\n' "$OUT"; }
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
((passed > 0 && failed == 0))
