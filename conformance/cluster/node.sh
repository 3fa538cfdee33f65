# shellcheck shell=bash disable=SC2034,SC2154
# Sourced after lib.sh: the programs of the node, in the order of their start, and what is left when all have ended.

control_plane=(etcd apiserver controller-manager scheduler)
node_programs=(containerd kubelet kube-proxy)
acme_programs=(dns pebble cert-manager)
# Started by `program start` only: where it runs, this machine is not let through to admin ports.
policy_programs=(network-policies)
peer_programs=(contour envoy)
all_programs=("${control_plane[@]}" "${node_programs[@]}" "${acme_programs[@]}" "${policy_programs[@]}" "${peer_programs[@]}")
peer_http=18080
peer_https=18443

# What this machine must give; said before anything is built.
preflight() {
  need_root "$1"
  need testbed ip=iproute2 iptables=iptables containerd=containerd ctr=containerd runc=runc openssl=openssl mount=mount \
    nsenter=util-linux flock=util-linux || exit 1
  unshare --net --mount true 2>/dev/null ||
    fail "root may make no network namespaces here (expected: CAP_SYS_ADMIN and CAP_NET_ADMIN; a container must be privileged)"
  local controllers=/proc/cgroups
  [[ ! -f /sys/fs/cgroup/cgroup.controllers ]] || controllers=/sys/fs/cgroup/cgroup.controllers
  { grep -qw memory "$controllers" && [[ -w /sys/fs/cgroup ]]; } ||
    fail "/sys/fs/cgroup: not writable, or without the memory controller (expected: the cgroups of the machine)"
  ((${#run} <= 60)) || fail "$bed: ${#run} characters with run/$instance (expected: at most 60, for the sockets below it)"
}

# --- Names and addresses

# The node's network: 10.200.N.1 for the node and 10.200.N.254 for this machine, which reaches Pods and Services too.
network() {
  if ! nsenter "--net=/run/netns/$namespace" true 2>/dev/null; then
    ip netns del "$namespace" 2>/dev/null || true
    ip netns add "$namespace"
  fi
  if ! ip link show "$veth" >/dev/null 2>&1; then
    ip link add "$veth" type veth peer name eth0 netns "$namespace"
    ip addr add "$host/24" dev "$veth"
    ip -n "$namespace" addr add "$node/24" dev eth0
  fi
  ip link set "$veth" up
  ip -n "$namespace" link set lo up
  ip -n "$namespace" link set eth0 up
  ip -n "$namespace" route replace default via "$host"
  ip route replace "$pods" via "$node" dev "$veth"
  ip route replace "$services" via "$node" dev "$veth"
  nsenter "--net=/run/netns/$namespace" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
  ipv6_is_there || {
    say "no IPv6 on this machine: the cluster has IPv4 only"
    return 0
  }
  mkdir -p "$volatile"
  : >"$volatile/ipv6"
  ip -6 addr replace "$host6/64" dev "$veth" nodad
  nsenter "--net=/run/netns/$namespace" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
  at_once "/run/netns/$namespace"
  ip -6 -n "$namespace" addr replace "$node6/64" dev eth0 nodad
  ip -6 -n "$namespace" route replace default via "$host6"
  ip -6 route replace "$pods6" via "$node6" dev "$veth"
  ip -6 route replace "$services6" via "$node6" dev "$veth"
}
ipv6_is_there() {
  [[ -f /proc/net/if_inet6 && $(cat /proc/sys/net/ipv6/conf/default/disable_ipv6) == 0 ]] &&
    nsenter "--net=/run/netns/$namespace" ip6tables -w 5 -t nat -L -n >/dev/null 2>&1
}
# at_once NETWORK: in it, addresses of IPv6 do not wait for a second or two until it is clear that nobody else has them.
at_once() { nsenter "--net=$1" sh -c 'for each in all default; do echo 0 >/proc/sys/net/ipv6/conf/$each/accept_dad; done'; }

credentials() {
  [[ ! -f $kubeconfig ]] || return 0
  rm -rf "$run/pki.new"
  (
    umask 077
    mkdir -p "$run/pki.new"
    cd "$run/pki.new"
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=testbed-ca -keyout ca.key -out ca.crt
    certificate apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost,IP:127.0.0.1,IP:$node,IP:$api_service"
    certificate kubelet-client /O=system:masters/CN=apiserver DNS:apiserver
    certificate kubelet /O=system:nodes/CN=system:node:node1 "DNS:node1,IP:$node"
    openssl genrsa -out sa.key 2048
    openssl rsa -in sa.key -pubout -out sa.pub
    token=$(openssl rand -hex 16)
    echo "$token,admin,admin,system:masters" >tokens.csv
    cat >admin.conf <<YAML
apiVersion: v1
kind: Config
clusters: [{name: testbed, cluster: {server: "https://$node:6443", certificate-authority-data: $(base64 -w0 ca.crt)}}]
users: [{name: admin, user: {token: $token}}]
contexts: [{name: testbed, context: {cluster: testbed, user: admin}}]
current-context: testbed
YAML
  ) >"$run/log/pki.log" 2>&1 || trouble pki "no certificates could be made"
  # Etcd's contents were written for other keys.
  rm -rf "$run/pki" "$run/etcd"
  mv "$run/pki.new" "$run/pki"
}

# certificate NAME SUBJECT NAMES: signed by ca.crt, in the current folder.
certificate() {
  openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out "$1.crt" -extfile <(echo "subjectAltName=$3")
}

# --- Programs: start_NAME starts one, and ready_NAME waits until it serves

start_etcd() {
  start etcd "$bin/etcd" --data-dir "$run/etcd" --unsafe-no-fsync --listen-client-urls http://127.0.0.1:2379 \
    --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380
}
ready_etcd() { await 60 etcd "etcd answers" reachable 127.0.0.1 2379; }

# What was asked about Secrets, and by whom, is in log/audit.log.
start_apiserver() {
  cat >"$run/audit.yaml" <<YAML
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    resources: [{group: "", resources: [secrets]}]
  - level: None
YAML
  start apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 "--service-cluster-ip-range=$(both "$services" "$services6")" \
    --service-account-issuer=https://kubernetes.default.svc "--service-account-key-file=$run/pki/sa.pub" \
    "--service-account-signing-key-file=$run/pki/sa.key" "--tls-cert-file=$run/pki/apiserver.crt" \
    "--tls-private-key-file=$run/pki/apiserver.key" "--client-ca-file=$run/pki/ca.crt" "--token-auth-file=$run/pki/tokens.csv" \
    "--kubelet-client-certificate=$run/pki/kubelet-client.crt" "--kubelet-client-key=$run/pki/kubelet-client.key" \
    "--kubelet-certificate-authority=$run/pki/ca.crt" --kubelet-preferred-address-types=InternalIP --authorization-mode=Node,RBAC \
    "--advertise-address=$node" --secure-port=6443 --allow-privileged=true \
    "--audit-policy-file=$run/audit.yaml" "--audit-log-path=$run/log/audit.log" --audit-log-maxsize=100 --audit-log-maxbackup=1
}
ready_apiserver() { await 120 apiserver "the API server is ready" kubectl get --raw /readyz --request-timeout=5s; }

start_controller-manager() {
  start controller-manager "$bin/kube-controller-manager" "--kubeconfig=$kubeconfig" "--service-account-private-key-file=$run/pki/sa.key" \
    "--root-ca-file=$run/pki/ca.crt" --leader-elect=false --use-service-account-credentials=true --kube-api-qps=200 --kube-api-burst=400
}
ready_controller-manager() {
  await 120 controller-manager "the default ServiceAccount is there" kubectl -n default get serviceaccount default --request-timeout=5s
}

start_scheduler() {
  start scheduler "$bin/kube-scheduler" "--kubeconfig=$kubeconfig" --leader-elect=false --kube-api-qps=200 --kube-api-burst=400
}
ready_scheduler() { :; }

# The plugin ptp waits for the Pod's addresses, so its network is told before.
cni() {
  local ranges="[{\"subnet\": \"$pods\"}]" routes='{"dst": "0.0.0.0/0"}'
  if has_ipv6; then
    ranges+=", [{\"subnet\": \"$pods6\"}]"
    routes+=', {"dst": "::/0"}'
  fi
  mkdir -p "$run/cni" "$run/cni.d"
  ln -sf "$bed"/cni/* "$run/cni/"
  {
    echo '#!/bin/bash'
    declare -f at_once
    echo 'if [[ $CNI_COMMAND == ADD ]]; then at_once "$CNI_NETNS" 2>/dev/null; fi'
    echo "exec '$bed/cni/ptp'"
  } >"$run/cni/ptp-at-once"
  chmod +x "$run/cni/ptp-at-once"
  cat >"$run/cni.d/10-pods.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "$namespace", "plugins": [
  {"type": "ptp-at-once", "ipMasq": true, "ipam": {"type": "host-local", "dataDir": "$volatile/addresses",
    "ranges": [$ranges], "routes": [$routes]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
JSON
}

# restrict_oom_score_adj: without CAP_SYS_RESOURCE runc cannot lower a sandbox's score and dies with "can't get final
# child's PID". ptp and not bridge: all of a Pod's packets are routed, so Services work without br_netfilter.
start_containerd() {
  local snapshotter=overlayfs
  # An overlay cannot lie on an overlay: inside a container, say.
  [[ $(stat -f -c %T "$run") != overlayfs ]] || snapshotter=native
  mkdir -p "$volatile" "$run/containerd"
  cni
  cat >"$run/containerd.toml" <<TOML
version = 2
root = "$run/containerd"
state = "$volatile/containerd"
[grpc]
  address = "$containerd_socket"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:testbed"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "$snapshotter"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$run/cni"
    conf_dir = "$run/cni.d"
TOML
  start containerd containerd -c "$run/containerd.toml"
}
ready_containerd() {
  await 60 containerd "containerd answers" timeout 5 ctr -a "$containerd_socket" version
  # CRI is a plugin of its own, and the images are for it.
  local archive
  for archive in "$bed"/images/*.tar; do import "$archive"; done
}

# import ARCHIVE: makes an image known to the node.
import() {
  timeout 300 ctr -a "$containerd_socket" -n k8s.io images import "$1" >"$run/log/import.log" 2>&1 || trouble import "$1 could not be imported"
}

start_kubelet() {
  cgroups
  mkdir -p "$run/kubelet"
  cat >"$run/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
cgroupRoot: /$cgroup
failCgroupV1: false
oomScoreAdj: 0
address: $node
healthzBindAddress: 127.0.0.1
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $run/pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $run/pki/kubelet.crt
tlsPrivateKeyFile: $run/pki/kubelet.key
clusterDomain: cluster.local
containerRuntimeEndpoint: unix://$containerd_socket
podLogsDir: $run/pods
volumePluginDir: $run/volume-plugins
enforceNodeAllocatable: []
evictionHard: {nodefs.available: "1%", imagefs.available: "1%", memory.available: 100Mi}
imageGCHighThresholdPercent: 100
failSwapOn: false
maxPods: 200
kubeAPIQPS: 200
kubeAPIBurst: 400
YAML
  start kubelet "$bin/kubelet" "--config=$run/kubelet.yaml" "--kubeconfig=$kubeconfig" "--root-dir=$run/kubelet" \
    "--cert-dir=$run/kubelet/pki" "--node-ip=$(both "$node" "$node6")" --hostname-override=node1
}
ready_kubelet() { await 180 kubelet "the node is ready" node_is_ready; }
# A kubelet that has just started has not said yet that its predecessor ended: its health is asked too.
node_is_ready() {
  [[ $(kubectl get node node1 --request-timeout=5s -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]] &&
    nsenter "--net=/run/netns/$namespace" timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/10248 && printf "GET /healthz HTTP/1.0\r\n\r\n" >&3 && grep -q "200 OK" <&3'
}

start_kube-proxy() {
  start kube-proxy "$bin/kube-proxy" "--kubeconfig=$kubeconfig" --hostname-override=node1 "--cluster-cidr=$(both "$pods" "$pods6")" --proxy-mode=iptables \
    --conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0
}
ready_kube-proxy() { await 120 kube-proxy "the API's Service is reachable" reachable "$api_service" 443; }

start_network-policies() {
  start network-policies "$bin/network-policies" "--kubeconfig=$kubeconfig" --node node1
}
ready_network-policies() { await 60 network-policies "NetworkPolicies are enforced" queues_packets; }
# Whether a program takes packets of the node's network to judge them.
queues_packets() { nsenter "--net=/run/netns/$namespace" grep -q . /proc/net/netfilter/nfnetlink_queue; }

# Every name has the node's address.
start_dns() {
  start dns "$bin/pebble-challtestsrv" -dnsserver "$node:8053" -defaultIPv4 "$node" -defaultIPv6 "" -http01 "" -https01 "" -tlsalpn01 "" \
    -doh "" -management "$node:8055"
}
ready_dns() { await 60 dns "the DNS server answers" reachable "$node" 8055; }

start_pebble() {
  mkdir -p "$run/pebble"
  if [[ ! -f $run/pebble/pebble.crt ]]; then
    (
      cd "$run/pebble"
      openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=pebble-ca -keyout ca.key -out ca.crt
      certificate pebble /CN=pebble "DNS:pebble,IP:$node,IP:127.0.0.1"
    ) >"$run/log/pki.log" 2>&1 || trouble pki "no certificates could be made"
  fi
  cat >"$run/pebble/pebble.json" <<JSON
{"pebble": {"listenAddress": "$node:14000", "managementListenAddress": "$node:15000",
  "certificate": "$run/pebble/pebble.crt", "privateKey": "$run/pebble/pebble.key", "httpPort": 80, "tlsPort": 443,
  "externalAccountBindingRequired": false, "retryAfter": {"authz": 1, "order": 1}, "keyAlgorithm": "ecdsa",
  "profiles": {"default": {"description": "90 days", "validityPeriod": 7776000},
    "shortlived": {"description": "6 days", "validityPeriod": 518400}}}}
JSON
  # No sleep before a validation; one nonce in twenty is refused and no authorization used twice, as with real authorities.
  PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=5 PEBBLE_AUTHZREUSE=0 \
    start pebble "$bin/pebble" -config "$run/pebble/pebble.json" -dnsserver "$node:8053"
}
ready_pebble() { await 60 pebble "Pebble answers" reachable "$node" 14000; }

start_cert-manager() {
  kubectl apply --server-side --force-conflicts -f "$bed/crds/cert-manager" >"$run/log/crds.log" 2>&1 || trouble crds "cert-manager's CRDs were not taken"
  kubectl create namespace cert-manager >/dev/null 2>&1 || true
  kubectl wait --for=condition=Established --timeout=60s -f "$bed/crds/cert-manager" >"$run/log/crds.log" 2>&1 || trouble crds "cert-manager's CRDs are not served"
  # The default issuer is there only while a test makes it.
  start cert-manager "$bin/cert-manager" --kubeconfig "$kubeconfig" --http01-nameservers "$node:8053" --solver-image localhost/acmesolver:testbed \
    --default-issuer-name by-default --default-issuer-kind ClusterIssuer
}
ready_cert-manager() { :; }

# --- Peers: the same cluster and IngressClass objects, for figures side by side

# Contour with --insecure: it speaks to an Envoy of the same network only.
start_contour() {
  kubectl apply --server-side --force-conflicts -f "$bed/crds/contour" >"$run/log/crds.log" 2>&1 || trouble crds "Contour's CRDs were not taken"
  kubectl wait --for=condition=Established --timeout=60s -f "$bed/crds/contour" >"$run/log/crds.log" 2>&1 || trouble crds "Contour's CRDs are not served"
  kubectl apply -f - >"$run/log/crds.log" 2>&1 <<YAML || trouble crds "the IngressClass was not taken"
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: contour}
spec: {controller: projectcontour.io/contour}
YAML
  echo '{}' >"$run/contour.yaml"
  start contour "$bin/contour" serve --kubeconfig "$kubeconfig" --config-path "$run/contour.yaml" --insecure --disable-leader-election \
    --ingress-class-name contour --ingress-status-address "$node" --kubernetes-client-qps 200 --kubernetes-client-burst 400 \
    --xds-address 127.0.0.1 --xds-port 8101 --debug-http-address 127.0.0.1 --debug-http-port 8102 --http-address 127.0.0.1 --http-port 8103 \
    --health-address 127.0.0.1 --health-port 8104 --stats-address 127.0.0.1 --stats-port 8105 \
    --envoy-service-http-address "$node" --envoy-service-http-port "$peer_http" \
    --envoy-service-https-address "$node" --envoy-service-https-port "$peer_https"
}
ready_contour() { await 60 contour "Contour serves xDS" reachable 127.0.0.1 8101; }

start_envoy() {
  mkdir -p "$run/envoy"
  "$bin/contour" bootstrap --xds-address 127.0.0.1 --xds-port 8101 --admin-address "$run/envoy/admin.sock" --resources-dir "$run/envoy" \
    "$run/envoy/envoy.json" >"$run/log/bootstrap.log" 2>&1 || trouble bootstrap "no configuration for Envoy could be made"
  start envoy "$bin/envoy" -c "$run/envoy/envoy.json" --service-cluster contour --service-node node1 --use-dynamic-base-id -l warn
}
# Its listeners come with the first virtual host; until then only its admin socket is there.
ready_envoy() { await 60 envoy "Envoy has an admin socket" test -S "$run/envoy/admin.sock"; }

# --- The end

cgroup_folders() {
  if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
    echo "/sys/fs/cgroup/$cgroup"
  else
    local controller
    for controller in /sys/fs/cgroup/*/; do
      [[ ! -f ${controller}cgroup.procs ]] || echo "$controller$cgroup"
    done
  fi
}

# A cgroup of the instance's own: what runs in it is the instance's, and two kubelets do not tidy each other's away.
cgroups() {
  local folder
  if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
    sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || true
  fi
  for folder in $(cgroup_folders); do mkdir -p "$folder"; done
}

# stop_everything: every program, container, mount and interface of the instance, and nothing of anybody else's.
stop_everything() {
  local pid folder
  stop "${peer_programs[@]}" "${policy_programs[@]}" "${acme_programs[@]}" kubelet kube-proxy scheduler controller-manager
  for folder in $(cgroup_folders); do
    [[ ! -d $folder ]] || find "$folder" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | xargs -r kill -s KILL 2>/dev/null || true
  done
  # Containerd collects what ended, and its shims go; of a containerd that was killed they stay behind.
  local deadline=$((SECONDS + 5))
  while alive containerd && [[ -n $(shims) ]] && ((SECONDS < deadline)); do sleep 0.1; done
  stop containerd
  for pid in $(shims); do kill -s KILL "$pid" 2>/dev/null || true; done
  stop apiserver etcd
  # What was run in the node's network with `in`, a gateway say, has lost its cluster.
  if nsenter "--net=/run/netns/$namespace" true 2>/dev/null; then
    for pid in $(ip netns pids "$namespace"); do kill -s KILL "$pid" 2>/dev/null || true; done
  fi
  unmount
  rm -rf "$volatile"
  for folder in $(cgroup_folders); do
    [[ ! -d $folder ]] || find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  ip link del "$veth" 2>/dev/null || true
  ip netns del "$namespace" 2>/dev/null || true
}

# The shims of this instance's containerd, by the socket they were told.
shims() {
  LC_ALL=C grep -aslE "^[^ ]*[c]ontainerd-shim.*-address.$containerd_socket" /proc/[0-9]*/cmdline | cut -d / -f 3 || true
}

mounts() { cut -d ' ' -f 5 /proc/self/mountinfo | grep -E "^($run|$volatile)/" | sort -r || true; }

unmount() {
  local each
  for each in $(mounts); do umount "$each" 2>/dev/null || umount -l "$each" 2>/dev/null || true; done
}

# forget: the instance's state; its logs are kept until the next time, in log/INSTANCE.
forget() {
  [[ -z $(mounts) ]] || fail "still mounted, so nothing below $run is removed: $(mounts | head -n 3 | tr '\n' ' ')"
  if [[ -d $run/log ]]; then
    rm -rf "$bed/log/$instance"
    mkdir -p "$bed/log"
    mv "$run/log" "$bed/log/$instance"
  fi
  rm -rf "$run"
  # The kubelet's and the CNI library's own places cannot be told otherwise.
  find /var/log/containers -type l -lname "$run/*" -delete 2>/dev/null || true
  find /var/lib/cni/results -name "$namespace-*" -delete 2>/dev/null || true
}
