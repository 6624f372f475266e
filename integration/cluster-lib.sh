# shellcheck shell=bash
# A cluster of one node on this machine, for integration/cluster.sh: the node's files, certificates, the control plane and
# a kubelet. Source it after kube-lib.sh. What all programs say is in the directory OUT.

# Addresses of the network namespace's loopback. There is no kube-proxy, as these machines allow no rules of iptables: the
# API server itself has the address of the service `kubernetes`.
readonly NODE=node NODE_ADDRESS=10.77.0.1 SERVICES=10.96.0.0/24 API_ADDRESS=10.96.0.1
readonly PKI=/etc/kubernetes/pki START_SECONDS_MAX=60

# ------------------------------------------------------------------------------------ node

# enter_node TREE PROGRAM...: in a mount namespace of its own, makes TREE the root, with nothing but this source, the cache
# and the programs besides. What is written stays in memory.
enter_node() {
  local tree=$1 directory program
  shift
  mount -t tmpfs -o mode=755 tmpfs /mnt
  mkdir /mnt/{upper,work,node}
  mount -t overlay overlay -o "lowerdir=$tree,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/node
  cd /mnt/node || return
  mount -t proc proc proc
  mount --rbind /sys sys
  mount --rbind /dev dev
  for directory in run tmp var/log var/lib/{containerd,kubelet,etcd}; do
    mkdir -p "$directory"
    mount -t tmpfs -o mode=755 tmpfs "$directory"
  done
  chmod 1777 tmp
  for directory in "$REPO" "$CACHE"; do
    mkdir -p "./$directory"
    mount --bind "$directory" "./$directory"
  done
  for program; do
    touch "usr/local/bin/${program##*/}"
    mount --bind "$program" "usr/local/bin/${program##*/}"
  done
  mkdir old
  pivot_root . old
  umount -l /old
  rmdir /old
  cd "$REPO" || return
  export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  mount --make-rshared /
  printf '127.0.0.1 localhost\n%s %s\n' $NODE_ADDRESS $NODE >/etc/hosts
  printf 'nameserver %s\n' $NODE_ADDRESS >/etc/resolv.conf
  hostname $NODE
}

# until_ok COMMAND...: waits until it succeeds.
until_ok() {
  local i
  for ((i = 0; i < START_SECONDS_MAX * 5; i++)); do
    ! "$@" >/dev/null 2>&1 || return 0
    sleep 0.2
  done
  "$@"
}

# background NAME COMMAND...
background() {
  "${@:2}" >>"$OUT/$1.log" 2>&1 </dev/null &
}

# node_network: addresses, and a bridge for pods, from which there is a way to the addresses of this namespace.
node_network() {
  ip link set lo up
  ip address add $NODE_ADDRESS/32 dev lo
  ip address add $API_ADDRESS/32 dev lo
  mkdir -p /etc/cni/net.d /var/lib/cni/results
  cat >/etc/cni/net.d/10-pods.conflist <<'END'
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods0", "isGateway": true,
  "ipam": {"type": "host-local", "dataDir": "/run/cni-addresses", "ranges": [[{"subnet": "10.88.0.0/16"}]],
    "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
}

# containerd_service: in place of systemd's, runs containerd anew whenever it ends. /usr/local/sbin/restart-containerd
# returns when there is another one.
containerd_service() {
  # a machine within a machine may not protect processes from the kernel's want of memory, as the sandbox of a pod asks
  sed -i '/^ *\[plugins\."io\.containerd\.grpc\.v1\.cri"\]/a restrict_oom_score_adj = true' /etc/containerd/config.toml
  cat >/usr/local/sbin/restart-containerd <<'END'
#!/bin/sh -e
pid=$(cat /run/containerd.pid)
kill "$pid"
while [ "$(cat /run/containerd.pid)" = "$pid" ]; do sleep 0.1; done
END
  chmod 755 /usr/local/sbin/restart-containerd
  while :; do
    containerd </dev/null &
    echo $! >/run/containerd.pid.new
    mv /run/containerd.pid.new /run/containerd.pid
    wait $! || true
  done
}
cri_up() { ctr plugins ls | awk '$1 == "io.containerd.grpc.v1" && $2 == "cri" && $NF == "ok" { found = 1 } END { exit !found }'; }

# ---------------------------------------------------------------------------- certificates

# certificate NAME SUBJECT [ADDRESS,...]: /CN=…/O=… of a client, and of a server with these names.
certificate() {
  local names=''
  [[ -z ${3-} ]] || names="subjectAltName=$3"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $PKI/"$1".key -subj "$2" -out $PKI/"$1".csr
  openssl x509 -req -days 1 -in $PKI/"$1".csr -CA $PKI/ca.crt -CAkey $PKI/ca.key -CAcreateserial -out $PKI/"$1".crt \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s\n' "$names")
}

# client NAME SUBJECT: a certificate, and the configuration of a client with it, /etc/kubernetes/NAME.conf.
client() {
  certificate "$1" "$2"
  cat >/etc/kubernetes/"$1".conf <<END
{"apiVersion": "v1", "kind": "Config", "current-context": "one",
 "clusters": [{"name": "one", "cluster": {"server": "https://$API_ADDRESS", "certificate-authority": "$PKI/ca.crt"}}],
 "users": [{"name": "$1", "user": {"client-certificate": "$PKI/$1.crt", "client-key": "$PKI/$1.key"}}],
 "contexts": [{"name": "one", "context": {"cluster": "one", "user": "$1"}}]}
END
}

certificates() {
  mkdir -p $PKI
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $PKI/ca.key -out $PKI/ca.crt -days 1 -subj /CN=ca
  openssl genrsa -out $PKI/accounts.key 2048
  certificate server /CN=kube-apiserver "IP:$API_ADDRESS,IP:$NODE_ADDRESS,IP:127.0.0.1,DNS:kubernetes.default.svc"
  certificate node-server /CN=$NODE "IP:$NODE_ADDRESS,DNS:$NODE"
  certificate api-client /O=system:masters/CN=kube-apiserver-kubelet-client
  client admin /O=system:masters/CN=admin
  client manager /CN=system:kube-controller-manager
  client scheduler /CN=system:kube-scheduler
  client $NODE /O=system:nodes/CN=system:node:$NODE
}

# -------------------------------------------------------------------------------- programs

control_plane_up() {
  background etcd etcd --data-dir /var/lib/etcd --listen-client-urls http://127.0.0.1:2379 \
    --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
  background kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --advertise-address=$NODE_ADDRESS \
    --secure-port=443 --service-cluster-ip-range=$SERVICES --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction --allow-privileged=true --client-ca-file=$PKI/ca.crt \
    --tls-cert-file=$PKI/server.crt --tls-private-key-file=$PKI/server.key --cert-dir=/run/kube-apiserver \
    --kubelet-client-certificate=$PKI/api-client.crt --kubelet-client-key=$PKI/api-client.key \
    --kubelet-certificate-authority=$PKI/ca.crt --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file=$PKI/accounts.key --service-account-signing-key-file=$PKI/accounts.key
  until_ok kubectl get --raw /readyz
  background kube-controller-manager kube-controller-manager --kubeconfig=/etc/kubernetes/manager.conf --leader-elect=false \
    --root-ca-file=$PKI/ca.crt --service-account-private-key-file=$PKI/accounts.key --use-service-account-credentials=true \
    --cert-dir=/run/kube-controller-manager
  background kube-scheduler kube-scheduler --kubeconfig=/etc/kubernetes/scheduler.conf --leader-elect=false
  until_ok kubectl -n default get serviceaccount default
}

# kubelet_joins GROUP: its cgroups are below GROUP.
kubelet_joins() {
  local minor flags=()
  minor=$(minor_of kubelet)
  cat >/etc/kubernetes/kubelet.yaml <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_ADDRESS
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $PKI/node-server.crt
tlsPrivateKeyFile: $PKI/node-server.key
cgroupDriver: cgroupfs
cgroupRoot: /$1
enforceNodeAllocatable: []
failSwapOn: false
resolvConf: /etc/resolv.conf
evictionHard: {memory.available: 1Mi, nodefs.available: 0%, imagefs.available: 0%}
END
  # what older ones do not know
  if ((minor >= 27)); then
    printf 'containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n' >>/etc/kubernetes/kubelet.yaml
  else
    flags=(--container-runtime-endpoint=unix:///run/containerd/containerd.sock)
  fi
  ((minor >= 24)) || flags+=(--container-runtime=remote)
  if ((minor >= 31)); then printf 'failCgroupV1: false\n' >>/etc/kubernetes/kubelet.yaml; fi
  background kubelet kubelet "${flags[@]}" --kubeconfig=/etc/kubernetes/$NODE.conf --config=/etc/kubernetes/kubelet.yaml \
    --hostname-override=$NODE --node-ip=$NODE_ADDRESS --v=2
  until_ok kubectl get node $NODE
  kubectl wait --timeout=60s --for=condition=Ready node/$NODE
}
