#!/usr/bin/env bash
# Runs a kubelet without an API server, and static pods, on the containerd of a Debian: with io.containerd.runc.v2, and
# with this shim by its path and by its own name as the runtime of all pods.
#
#   integration/kubelet.sh [--handler runc|path|name] [SUITE]    trixie, sid: the Debian whose containerd it is
#
# kubelet is no package. It is LOOMSHIM_KUBELET, a program; else the one in the cache; else it is built with Debian's Go:
# from LOOMSHIM_KUBERNETES, a directory with the source of Kubernetes and its folder `vendor`, or from the source package
# of Debian 12, of which Debian builds kubectl alone: kubelet 1.20. Debian's later sources are without the libraries that
# kubelet needs, and Go's modules do not have it whole. kubelets before 1.26 speak with containerd 1.x only: then trixie,
# which has 1.7, is what is taken, else sid, which has 2.1.
#
# Each run has a mount, a pid and a network namespace of its own, and kubelet cannot change settings of the kernel. What
# kubelet and containerd say is in target/kubelet. The last line is the sum: `N passed, N failed, N skipped`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=cri-lib.sh
. "$REPO/integration/cri-lib.sh"
# shellcheck source-path=SCRIPTDIR source=kube-lib.sh
. "$REPO/integration/kube-lib.sh"
cd "$REPO"

# restarts of a container have a delay of 10 s
readonly WAIT_SECONDS_MAX=90 RUN_SECONDS_MAX=900
readonly TEST_IMAGE=registry.k8s.io/loomshim/busybox:1
readonly NODE=node

handlers=("${CRI_HANDLERS[@]}") suite=
if [[ ${1-} != --inside ]]; then
  while (($#)); do
    case $1 in
      -h | --help)
        usage
        exit 0
        ;;
      --handler)
        [[ " ${CRI_HANDLERS[*]} " == *" ${2-} "* ]] || refuse "--handler '${2-}': one of ${CRI_HANDLERS[*]}"
        handlers=("$2")
        shift
        ;;
      -*) refuse "unknown argument $1" ;;
      *) suite=$1 ;;
    esac
    shift
  done
fi

# -------------------------------------------------------------------------------- kubelet

skip() {
  printf 'skipped: no kubelet: %s\n0 passed, 0 failed, 1 skipped\n' "$1"
  exit 0
}

# --------------------------------------------------------------------------------- inside

# ask PATH: an answer of kubelet.
ask() { curl -sk --max-time 20 "https://127.0.0.1:10250/$1"; }

# in_pod POD CONTAINER COMMAND: what the command prints in the container.
in_pod() { curl -sk --max-time 20 -X POST -G --data-urlencode "cmd=$3" "https://127.0.0.1:10250/run/default/$1-$NODE/$2"; }

# of POD EXPRESSION: what jq makes of the pod that kubelet has.
of() {
  ask pods | jq -r --arg name "$1-$NODE" "[.items[]? | select(.metadata.name == \$name)][0] | $2"
}

ready() { becomes True of "$1" '.status.conditions[]? | select(.type == "Ready") | .status'; }
main() { printf '.status.containerStatuses[]? | select(.name == "main") | %s' "$1"; }

# pod NAME SPEC: a static pod; SPEC is what stands in the pod's `spec`, in JSON. It comes by one rename.
pod() {
  printf '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s", "namespace": "default"}, "spec": %s}\n' "$1" "$2" \
    >"/mnt/pods/.$1"
  mv "/mnt/pods/.$1" "/mnt/pods/$1.json"
}
# container NAME COMMAND [MORE]: a container that runs a line of sh.
container() {
  printf '{"name": "%s", "image": "%s", "imagePullPolicy": "IfNotPresent", "command": ["/bin/sh", "-c", %s]%s}' \
    "$1" "$TEST_IMAGE" "$(jq -n --arg line "$2" '$line')" "${3:+, $3}"
}

kubelet_up() {
  local i flags=()
  ((minor >= 27)) || flags=(--container-runtime-endpoint=unix:///mnt/ct/grpc)
  ((minor >= 24)) || flags+=(--container-runtime=remote)
  "$kubelet" "${flags[@]}" --config=/mnt/kubelet.yaml --root-dir=/mnt/kubelet --cert-dir=/mnt/kubelet/pki --hostname-override=$NODE \
    --v=3 >>"$out/kubelet.log" 2>&1 </dev/null &
  kubelet_pid=$!
  for ((i = 0; i < 300; i++)); do
    [[ $(curl -s http://127.0.0.1:10248/healthz) != ok ]] || return 0
    kill -0 "$kubelet_pid" 2>/dev/null || break
    sleep 0.2
  done
  tail -n 5 "$out/kubelet.log"
  return 1
}
down() {
  kill -TERM "$1"
  wait "$1" 2>/dev/null || true
}
ids() { ask pods | jq -r '[.items[].status.containerStatuses[]? | select(.state.running) | .containerID] | sort | join(" ")'; }

make_pods() {
  local probe='"periodSeconds": 1, "failureThreshold": 2'
  pod lives "{\"terminationGracePeriodSeconds\": 20,
    \"volumes\": [{\"name\": \"marks\", \"hostPath\": {\"path\": \"/mnt/marks\", \"type\": \"Directory\"}}],
    \"containers\": [$(container main 'trap "exit 0" TERM; echo begins; touch /tmp/up; while :; do sleep 0.2; done' \
    "\"readinessProbe\": {\"exec\": {\"command\": [\"cat\", \"/tmp/up\"]}, $probe},
     \"livenessProbe\": {\"exec\": {\"command\": [\"true\"]}, $probe},
     \"volumeMounts\": [{\"name\": \"marks\", \"mountPath\": \"/marks\"}],
     \"lifecycle\": {\"preStop\": {\"exec\": {\"command\": [\"touch\", \"/marks/stopped\"]}}}")]}"
  pod fails "{\"restartPolicy\": \"OnFailure\", \"volumes\": [{\"name\": \"kept\", \"emptyDir\": {}}],
    \"containers\": [$(container main '[ -e /kept/once ] || { touch /kept/once; exit 3; }; exec sleep 100000' \
    '"volumeMounts": [{"name": "kept", "mountPath": "/kept"}]')]}"
  # the second probe of all finds the mark of the first one
  pod sick "{\"terminationGracePeriodSeconds\": 1, \"volumes\": [{\"name\": \"kept\", \"emptyDir\": {}}],
    \"containers\": [$(container main 'exec sleep 100000' \
    "\"volumeMounts\": [{\"name\": \"kept\", \"mountPath\": \"/kept\"}],
     \"livenessProbe\": {\"exec\": {\"command\": [\"sh\", \"-c\", \"[ -e /kept/once ] || { touch /kept/once; exit 1; }\"]},
       \"periodSeconds\": 1, \"failureThreshold\": 1}")]}"
  pod greedy "{\"restartPolicy\": \"Never\", \"containers\": [$(container main 'sleep 1; tail /dev/zero' \
    '"resources": {"limits": {"memory": "32Mi"}}')]}"
  pod two "{\"shareProcessNamespace\": true, \"volumes\": [{\"name\": \"kept\", \"emptyDir\": {}}],
    \"initContainers\": [$(container first 'echo prepared >/kept/text' '"volumeMounts": [{"name": "kept", "mountPath": "/kept"}]')],
    \"containers\": [$(container main 'exec sleep 54321' '"volumeMounts": [{"name": "kept", "mountPath": "/kept"}]'),
      $(container second 'exec sleep 100000')]}"
  pod ends "{\"restartPolicy\": \"Never\", \"containers\": [$(container main 'echo out; echo err >&2; exit 7')]}"
  # before 1.33 kubelet knows no such field, or wants a gate
  [[ $minor -lt 33 || $label == *name ]] || pod users "{\"hostUsers\": false, \"containers\": [$(container main 'exec sleep 100000')]}"
}

terminated() { of "$1" "$(main '.state.terminated | "\(.reason) \(.exitCode)"')"; }
restarted() { of "$1" "$(main '"\(.restartCount) \(.lastState.terminated.exitCode) \(.state | keys[0])"')"; }
equals() { [[ $1 == "$2" ]] || { printf 'is %q, not %q\n' "$1" "$2" && return 1; }; }
# kubelet takes its time until it dials a containerd anew
hello() { becomes hello in_pod lives main 'echo hello'; }
# two streams have no order
logs() { equals "$(ask "containerLogs/default/ends-$NODE/main" | sort)" $'err\nout'; }
shared() {
  becomes true of two '[.status.containerStatuses[]? | .ready] | length == 2 and all'
  equals "$(in_pod two main 'cat /kept/text')" prepared
  in_pod two second 'ps' | grep 54321
}
mapped() {
  ready users
  in_pod users main 'cat /proc/self/uid_map' | awk '{ exit !($1 == 0 && $2 > 0 && $3 == 65536) }'
}
figures() {
  local bytes
  bytes=$(ask stats/summary | jq -r --arg name "lives-$NODE" \
    '.pods[] | select(.podRef.name == $name) | .containers[] | select(.name == "main") | .memory.workingSetBytes')
  ((bytes > 0))
}
same_after_kubelet() {
  ready lives
  becomes "$1" ids
  # it may wait for some seconds before it connects to another containerd
  becomes hello in_pod lives main 'echo hello'
}
gone() {
  local i
  rm "/mnt/pods/$1.json"
  for ((i = 0; i < WAIT_SECONDS_MAX * 2; i++)); do
    [[ -n $(of "$1" '.metadata.name // empty') ]] || break
    sleep 0.5
  done
  [[ -z $(of "$1" '.metadata.name // empty') ]]
}
# kubelet does not know the pod any more while it ends it
stopped_in_order() {
  gone lives
  becomes stopped ls /mnt/marks
}
pods() { ask pods | jq '.items | length'; }
all_gone() {
  local name
  for name in /mnt/pods/*.json; do rm "$name"; done
  becomes 0 pods
  becomes '' "$tree/containerd/ctr" --address /mnt/ct/grpc -n k8s.io tasks ls -q
}

# ------------------------------------------------------------- a daemon that is killed

readonly PROBED=6 PAUSE_SECONDS_MAX=10

# daemon: the process that serves, once there is one.
daemon() {
  local i pid
  for ((i = 0; i < WAIT_SECONDS_MAX * 10; i++)); do
    if { read -r pid _ </run/loomshim/*@*/daemon; } 2>/dev/null && kill -0 "$pid" 2>/dev/null; then
      printf '%s\n' "$pid"
      return
    fi
    sleep 0.1
  done
  return 1
}
# ends PID: waits for that.
ends() {
  local i
  for ((i = 0; i < WAIT_SECONDS_MAX * 100; i++)); do
    kill -0 "$1" 2>/dev/null || return 0
    sleep 0.01
  done
  return 1
}
# with_take_over: what starts from now on has a daemon that is taken over.
with_take_over() {
  local pid
  pid=$(daemon)
  kill -TERM "$pid"
  ends "$pid"
  printf 'take_over=true\n' >>/mnt/loom/etc/loomshim.conf
}
make_probed() {
  local i name probe="\"periodSeconds\": 1, \"timeoutSeconds\": $PAUSE_SECONDS_MAX, \"failureThreshold\": 1" probes
  # shellcheck disable=SC2016 # for that sh to expand
  local count='trap "exit 0" TERM; i=0; while :; do echo $i; i=$((i + 1)); sleep 0.05; done'
  probes="\"readinessProbe\": {\"exec\": {\"command\": [\"true\"]}, $probe},
    \"livenessProbe\": {\"exec\": {\"command\": [\"true\"]}, $probe}"
  for ((i = 0; i < PROBED; i++)); do
    pod "probed$i" "{\"terminationGracePeriodSeconds\": 5,
      \"containers\": [$(container main "$count" "$probes"), $(container second "$count" "$probes")]}"
  done
}
all_probed() {
  local i
  for ((i = 0; i < PROBED; i++)); do "$@" "probed$i"; done
}
# killed: SIGKILL of the daemon; the next one serves when this returns.
killed() {
  local pid
  pid=$(daemon)
  kill -KILL "$pid"
  ends "$pid"
  [[ $(daemon) != "$pid" ]]
}
never_restarted() { equals "$(of "$1" '[.status.containerStatuses[]? | .restartCount] | join(" ")')" '0 0'; }
# whole_log POD: what its containers have counted, without a gap.
whole_log() {
  local name
  for name in main second; do
    ask "containerLogs/default/$1-$NODE/$name" | awk '$0 != NR - 1 { print "line " NR " is " $0; exit wrong = 1 } END { exit wrong || NR < 100 }'
  done
}
# what kubelet says of a probe that fails, or that has no answer after three tries
no_probe_failed() { ! tail -c "+$1" "$out/kubelet.log" | grep -iE 'probe (for .* )?(failed|errored)|Unhealthy'; }
over_kills() {
  local before at
  make_probed
  check 'six pods of two probed containers are ready' all_probed ready
  # the pods are ready at the first answer of all of their probes; each has begun another one since
  sleep 2
  before=$(ids)
  at=$(($(stat -c %s "$out/kubelet.log") + 1))
  check 'their daemon is killed, and there is another' killed
  sleep 3
  check 'the next one is killed, and there is another' killed
  sleep 3
  check 'the same containers run' becomes "$before" ids
  check 'all pods are ready still' all_probed ready
  check 'no container was restarted' all_probed never_restarted
  check 'no probe has failed' no_probe_failed "$at"
  check 'no line of their logs is missing' all_probed whole_log
  check 'these pods end too' all_gone
}

# --------------------------------------------------------------------------------- one run

# inside TREE SHIM HANDLER IMAGES OUT KUBELET: one run, with the containerd and runc of TREE.
inside() {
  local tree=$1 shim=$2 default_runtime=$3 images=$4 out=$5 kubelet=$6 before
  passed=0 failed=0
  apart "$out"
  mount -t tmpfs tmpfs /var/log
  kernel_apart
  network
  containerd_of "$tree" "$shim" "$images" "$out"
  minor=$(minor_of "$kubelet")
  label="kubelet 1.$minor, containerd $version, $default_runtime"
  CHECK_ABOUT="$label: "
  mkdir -p /mnt/{pods,marks,logs}
  make_pods
  cat >/mnt/kubelet.yaml <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}
authorization: {mode: AlwaysAllow}
staticPodPath: /mnt/pods
cgroupDriver: cgroupfs
cgroupRoot: /$group
enforceNodeAllocatable: []
failSwapOn: false
fileCheckFrequency: 1s
resolvConf: ""
evictionHard: {memory.available: 1Mi, nodefs.available: 0%, imagefs.available: 0%}
END
  # what older ones do not know
  if ((minor >= 27)); then printf 'containerRuntimeEndpoint: unix:///mnt/ct/grpc\n' >>/mnt/kubelet.yaml; fi
  if ((minor >= 31)); then printf 'failCgroupV1: false\n' >>/mnt/kubelet.yaml; fi
  kubelet_up || {
    printf 'FAILED %s: kubelet starts\n%s\n' "$label" "$(tail -n 5 "$out/kubelet.log")"
    printf '0 1\n' >"$out/sum"
    return
  }
  check 'a pod with probes by exec is ready' ready lives
  check 'a command in a container' hello
  check 'a container that failed runs again' becomes '1 3 running' restarted fails
  check 'one whose liveness probe failed runs again' becomes '1 137 running' restarted sick
  check 'a container over its limit of memory is OOMKilled' becomes 'OOMKilled 137' terminated greedy
  check 'an init container, a volume and a pid namespace of two containers' shared
  check 'exit code and reason' becomes 'Error 7' terminated ends
  check 'logs of both streams' logs
  [[ ! -e /mnt/pods/users.json ]] || check 'a pod with a user namespace' mapped
  check 'statistics' figures
  before=$(ids)
  down "$kubelet_pid"
  check 'containers run on while kubelet is away' equals "$(running)" "$(wc -w <<<"$before")"
  kubelet_up || true
  check 'another kubelet finds them' same_after_kubelet "$before"
  down "$containerd_pid"
  containerd_of "$tree" "$shim" /nonexistent "$out"
  check 'another containerd finds them' same_after_kubelet "$before"
  check 'a pod ends in order, its preStop before' stopped_in_order
  check 'all pods end' all_gone
  if [[ $default_runtime != runc ]]; then
    check 'a daemon without containers ends in order' with_take_over
    over_kills
  fi
  down "$kubelet_pid"
  down "$containerd_pid"
  printf '%s %s\n' "$passed" "$failed" >"$out/sum"
}
# running: how many processes of containers live, without those of sandboxes.
running() {
  "$tree/containerd/ctr" --address /mnt/ct/grpc -n k8s.io tasks ls | awk '$3 == "RUNNING" { print $1 }' | while read -r id; do
    "$tree/containerd/ctr" --address /mnt/ct/grpc -n k8s.io containers info "$id" |
      jq -r 'select(.Labels["io.cri-containerd.kind"] == "container") | .ID'
  done | wc -l
}

if [[ ${1-} == --inside ]]; then
  group=$2
  shift 2
  inside "$@"
  exit
fi

# ----------------------------------------------------------------------------------- runs

need_root
command -v apt-get >/dev/null || skip 'its parts are packages of Debian'
mkdir -p "$CACHE"
kubelet=$(built_program kubelet "${LOOMSHIM_KUBELET-}" "${LOOMSHIM_KUBERNETES-}") || skip "there is neither LOOMSHIM_KUBELET nor $CACHE/kubelet/kubelet, and it cannot be built: $CACHE/kubelet.log"
if [[ -z $suite ]]; then
  suite=trixie
  if (($(minor_of "$kubelet") >= 26)); then suite=sid; fi
fi
need_command ip iproute2
need_command jq
need_command curl
need_distribution
need_cni

out=$REPO/target/kubelet
rm -rf "$out"
mkdir -p "$out"
# where it is may be hidden in a run
cp --reflink=auto "$kubelet" "$out/kubelet"
kubelet=$out/kubelet
{
  printf 'registry.k8s.io/pause:3.10\t{"Env": ["PATH=/bin"], "Entrypoint": %s}\n' "$PAUSE"
  printf '%s\t{"Env": ["PATH=/bin"], "Cmd": ["sh"]}\n' $TEST_IMAGE
} | image_archive "$out/images.tar"
tree=$(need_suite "$suite")
shim=$(go_shim "$suite")
group=loomshim-kubelet-$$
trap 'remove_cgroups "$group"' EXIT
trap 'kill -TERM $(jobs -p) 2>/dev/null; exit 130' INT TERM HUP
children=()
for handler in "${handlers[@]}"; do
  mkdir -p "$out/$handler"
  make_cgroups "$group/$handler"
  timeout --kill-after=10 "$RUN_SECONDS_MAX" unshare --mount --propagation private --pid --net --ipc --fork --kill-child --mount-proc \
    "$PROGRAM" --inside "$group/$handler" "$tree" "$shim" "$handler" "$out/images.tar" "$out/$handler" "$kubelet" \
    >"$out/$handler/log" 2>&1 </dev/null &
  children+=($!)
done
for child in "${children[@]}"; do wait "$child" || true; done

passed=0 failed=0
printf '%s\n' "$("$kubelet" --version)"
for handler in "${handlers[@]}"; do
  grep -E -A 15 '^(ok|FAILED)' "$out/$handler/log" || true
  if [[ -s $out/$handler/sum ]]; then
    read -r p f <"$out/$handler/sum"
    passed=$((passed + p)) failed=$((failed + f))
  else
    printf 'FAILED %s: the run did not come to its end: %s\n' "$handler" "$(tail -n 2 "$out/$handler/log")"
    failed=$((failed + 1))
  fi
done
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
((passed > 0 && failed == 0))
