# shellcheck shell=bash disable=SC2034
# Sourced by the commands of this folder: where things are, and how programs are started, stopped and waited for.
#
#   TESTBED_FOLDER    the folder of programs and state (unset: below the user's cache)
#   TESTBED_INSTANCE  which of the clusters that may run side by side: 0–7 (unset: 0)
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=../../config/need.sh
. "$here/../../config/need.sh"

say() { echo "testbed: $*" >&2; }
fail() {
  say "$@"
  exit 1
}

bed=${TESTBED_FOLDER:-${XDG_CACHE_HOME:-$HOME/.cache}/sallyport/testbed}
[[ $bed == /* ]] || fail "TESTBED_FOLDER: $bed (expected: an absolute path)"
instance=${TESTBED_INSTANCE:-0}
[[ $instance =~ ^[0-7]$ ]] || fail "TESTBED_INSTANCE: $instance (expected: 0–7)"
bin=$bed/bin
run=$bed/run/$instance
# Sockets, whose paths must be short, and what must not outlive a reboot.
volatile=/run/sallyport-testbed/$instance
locks=/run/sallyport-testbed/locks
namespace=sallyport-bed$instance
veth=vbed$instance
node=10.200.$instance.1
host=10.200.$instance.254
pods=10.244.$instance.0/24
services=10.$((96 + instance)).0.0/16
api_service=10.$((96 + instance)).0.1
# The same by IPv6, where the machine has it.
node6=fd00:10:200:$instance::1
host6=fd00:10:200:$instance::254
pods6=fd00:10:244:$instance::/64
services6=fd00:10:$((96 + instance))::/112
has_ipv6() { [[ -f $volatile/ipv6 ]]; }
# both IPV4 IPV6: a list of the two, or the one that there is.
both() { if has_ipv6; then echo "$1,$2"; else echo "$1"; fi; }
cgroup=sallyport-bed$instance
containerd_socket=$volatile/containerd.sock
kubeconfig=$run/pki/admin.conf

need_root() { [[ $(id -u) -eq 0 ]] || fail "not root: a node needs network namespaces, mounts and cgroups (expected: run $1 as root, or leave the cluster out: ./verify --without-cluster)"; }

# One command at a time for an instance: the lock is held as long as the caller lives, and its programs do not inherit it.
lock_instance() {
  mkdir -p "$locks"
  exec 9>"$locks/$instance"
  flock -n 9 || {
    say "waiting for another command on instance $instance"
    flock -w 600 9 || fail "another command has held instance $instance for ten minutes (see: fuser $locks/$instance)"
  }
}

# The start of a process in clock ticks since boot: with the pid it names one process for good.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# alive NAME: whether the process that was started under this name still runs; a pid that was given to another does not count.
alive() {
  local pid ticks
  [[ -f $run/pid/$1 ]] && read -r pid ticks <"$run/pid/$1" || return 1
  [[ -n $ticks && $(started_at "$pid") == "$ticks" && $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) != Z* ]]
}

# start NAME COMMAND…: in the node's network, in a session of its own, its output in log/NAME.log. What runs is left alone.
start() {
  local name=$1 pid
  shift
  ! alive "$name" || return 0
  mkdir -p "$run/log" "$run/pid"
  [[ ! -f $run/log/$name.log ]] || mv -f "$run/log/$name.log" "$run/log/$name.log.old"
  # Its parent ends at once, before it can ask for a signal at its parent's end, as Envoy does.
  pid=$(
    setsid nsenter "--net=/run/netns/$namespace" -- "$@" >"$run/log/$name.log" 2>&1 </dev/null 9>&- &
    echo $!
  )
  echo "$pid $(started_at "$pid")" >"$run/pid/$name"
}

# stop NAME…: SIGTERM to each, and SIGKILL to what is left after ten seconds.
stop() {
  local name
  for name in "$@"; do signal "$name" TERM; done
  ended 10 "$@" || for name in "$@"; do signal "$name" KILL; done
  ended 10 "$@" || fail "one of $* does not end, not even by SIGKILL (see: ps -o pid,stat,wchan,args)"
  for name in "$@"; do rm -f "$run/pid/$name"; done
}

# ended SECONDS NAME…
ended() {
  local name deadline=$((SECONDS + $1))
  shift
  for name in "$@"; do
    while alive "$name"; do
      ((SECONDS < deadline)) || return 1
      sleep 0.05
    done
  done
}

# signal NAME SIGNAL
signal() {
  local pid
  ! alive "$1" || { read -r pid _ <"$run/pid/$1" && kill -s "$2" "$pid" 2>/dev/null || true; }
}

# await SECONDS NAME WHAT COMMAND…: until the command succeeds; if the program ends or the time is up, its log tells why.
await() {
  local deadline=$((SECONDS + $1)) name=$2 what=$3
  shift 3
  until "$@" >/dev/null 2>&1; do
    alive "$name" || trouble "$name" "$name ended before $what"
    ((SECONDS < deadline)) || trouble "$name" "$what: not in time"
    sleep 0.1
  done
}

trouble() {
  say "$2; the end of $run/log/$1.log:"
  tail -n 25 "$run/log/$1.log" 2>/dev/null | cut -c 1-400 | sed 's/^/  /' >&2 || true
  exit 1
}

# A proxy of the caller's is not for the node. An API server that takes the question and says nothing is not waited for.
kubectl() { timeout 90 env -u HTTPS_PROXY -u https_proxy KUBECONFIG="$kubeconfig" "$bin/kubectl" "$@"; }

# reachable ADDRESS PORT: from the node, within two seconds.
reachable() { nsenter "--net=/run/netns/$namespace" timeout 2 bash -c ": </dev/tcp/$1/$2"; }
