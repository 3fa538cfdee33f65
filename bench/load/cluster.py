"""A change on a real cluster to its being served, beside Contour with Envoy on the same cluster, one change after another."""

import argparse
import http.client
import json
import os
import subprocess
import time
from pathlib import Path

from common import (JAR, JAVA_FLAGS, ROOT, Server, java, load_average, machine, numbers, quantile, run, save, say, table,
                    work_folder)

BED = Path(os.environ.get("TESTBED_FOLDER")
           or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sallyport" / "testbed")
CLUSTER = ROOT / "conformance" / "cluster"
OBJECTS = """
apiVersion: v1
kind: Namespace
metadata: {name: bench}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: sallyport}
spec: {controller: sallyport.dev/ingress-controller}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: echo, namespace: bench}
spec:
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      containers:
        - name: echo
          image: localhost/echo:testbed
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: bench}
spec:
  selector: {app: echo}
  ports: [{name: http, port: 80, targetPort: http}]
"""
ISSUER = """
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: bench-self}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: bench-ca, namespace: cert-manager}
spec:
  isCA: true
  commonName: bench-ca
  secretName: bench-ca
  privateKey: {algorithm: ECDSA, size: 256}
  issuerRef: {kind: ClusterIssuer, name: bench-self}
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: bench}
spec: {ca: {secretName: bench-ca}}
"""


class Bed:
    """A fresh cluster of the test bed's, held until the end of this program."""

    def __init__(self, acme):
        self.holder = subprocess.Popen([CLUSTER / "hold"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.instance = self.holder.stdout.readline().strip()
        self.env = {**os.environ, "TESTBED_INSTANCE": self.instance}
        self.node = f"10.200.{self.instance}.1"
        self.run = BED / "run" / self.instance
        self.kubeconfig = self.run / "pki" / "admin.conf"
        self.command("up", "--fresh", *(["--acme"] if acme else []))

    def command(self, name, *arguments, text=None):
        return run([CLUSTER / name, *arguments], env=self.env, input=text, timeout=3600)

    def apply(self, text):
        self.command("kubectl", "apply", "-f", "-", text=text)

    def memory(self, program):
        """Resident MiB of one of the bed's programs."""
        pid = (self.run / "pid" / program).read_text().split()[0]
        return next(int(line.split()[1]) / 1024 for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                    if line.startswith("VmRSS:"))

    def access(self, work):
        """The API server's address, and a file with its administrator's token."""
        config = json.loads(self.command("kubectl", "config", "view", "--raw", "-o", "json"))
        token = Path(work, "token")
        token.touch(0o600)
        token.write_text(config["users"][0]["user"]["token"])
        return config["clusters"][0]["cluster"]["server"], token

    def close(self):
        subprocess.run([CLUSTER / "down", "--wipe", "--force"], env=self.env, check=False)
        self.holder.stdin.close()
        self.holder.wait(10)


class ClusterGateway(Server):
    """Sallyport as a process in the node's network, with everything switched on that is on by default."""

    ports = (80, 443, 9901)

    def __init__(self, bed, work, heap, *more):
        self.bed = bed
        self.access_log = open(Path(work, "sallyport-access.log"), "ab")
        http_port, https, self.admin = self.ports
        launcher = os.environ.get("BENCH_SALLYPORT", str(ROOT / "sallyport"))
        self.started = time.monotonic()
        # On every core, as the cluster is.
        super().__init__(
            "sallyport",
            [CLUSTER / "in", launcher, "run", "--kubeconfig", bed.kubeconfig, "--publish-address", bed.node,
             "--http", f"{bed.node}:{http_port}", "--https", f"{bed.node}:{https}", "--admin", f"{bed.node}:{self.admin}",
             *more],
            f"0-{os.cpu_count() - 1}", Path(work, "sallyport.log"),
            env={**bed.env, "SALLYPORT_JVM_OPTIONS": f"-Xmx{heap}"}, stdout=self.access_log)

    def get(self, path):
        """Status and text, or None where nobody answers."""
        connection = http.client.HTTPConnection(self.bed.node, self.admin, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return None
        finally:
            connection.close()

    def ready(self):
        answer = self.get("/readyz")
        return answer is not None and answer[0] == 200

    def has_stored(self):
        """Whether what it serves is in its file."""
        answer = self.get("/metrics")
        return answer is not None and any(
            line.startswith("sallyport_stored_state_writes_total") and float(line.split()[-1]) > 0
            for line in answer[1].splitlines())

    def await_ready(self):
        """Seconds from the start to the first 200 of /readyz."""
        self.await_condition(self.ready, "200 from /readyz", 600, 0.01)
        return time.monotonic() - self.started


class Probe:
    running = []

    def __init__(self, bed, work, targets):
        server, token = bed.access(work)
        self.errors = Path(work, "probe.log")
        self.process = subprocess.Popen(
            [java(), *JAVA_FLAGS, "-cp", str(JAR), "dev.sallyport.bench.load.ClusterProbe", server, str(token),
             "bench", bed.node, *targets], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            stderr=open(self.errors, "ab"))
        Probe.running.append(self.process)

    @staticmethod
    def stop_all():
        for process in Probe.running:
            process.kill()

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"prober: {self.errors.read_text()[-2000:]}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        Probe.running.remove(self.process)


def stale_start(bed, work, heap):
    """Seconds from the start of the process to ready, from what another has stored, while there is no API server."""
    key = Path(work, "stored.key")
    if not key.exists():
        key.touch(0o600)
        key.write_bytes(os.urandom(32))
    config = Path(work, "stored.yaml")
    config.write_text(json.dumps({"kubernetes": {"last-known-good": {
        "file": str(Path(work, "stored")), "key-file": str(key), "interval": "1s"}}}))
    before = ClusterGateway(bed, work, heap, "--config", config)
    before.await_ready()
    before.await_condition(before.has_stored, "a stored state", 120, 0.1)
    before.stop()
    bed.command("program", "kill", "apiserver")
    try:
        stale = ClusterGateway(bed, work, heap, "--config", config)
        took = stale.await_ready()
        stale.stop()
    finally:
        bed.command("program", "start", "apiserver")
    return took


def main():
    parser = argparse.ArgumentParser(prog="bench/run cluster", description=__doc__)
    parser.add_argument("--hosts", type=numbers, default=[2, 1000, 10000], help="2,1000,10000, for each gateway")
    parser.add_argument("--changes", type=int, default=100, help="of each kind and size (100)")
    parser.add_argument("--peer-changes", type=int, default=30, help="the same for the peer (30)")
    parser.add_argument("--certificates", type=int, default=10, help="issued by cert-manager at the first size (10)")
    parser.add_argument("--peer-hosts", type=int, default=1000,
                        help="up to so many the peer takes part: with 10,000 it and Envoy take more than 20 GiB (1000)")
    parser.add_argument("--heap", default="410m", help="of the gateway; as the chart's Pod of 1 GiB has it (410m)")
    parser.add_argument("--warm-up", type=int, default=100, help="changes before, thrown away (100)")
    parser.add_argument("--no-peer", action="store_true", help="without Contour and Envoy")
    options = parser.parse_args()
    work = work_folder()
    bed = Bed(options.certificates > 0)
    try:
        measure(bed, work, options)
    finally:
        Server.stop_all()
        Probe.stop_all()
        bed.close()


def measure(bed, work, options):
    bed.apply(OBJECTS)
    bed.command("kubectl", "-n", "bench", "rollout", "status", "deployment/echo", "--timeout=120s")
    names = {"sallyport": "Sallyport"}
    targets = ["sallyport={}:{}".format(*ClusterGateway.ports)]
    if not options.no_peer:
        bed.command("peers", "up")
        names["contour"] = "Contour + Envoy"
        targets.append("contour=18080:18443")
    if options.certificates:
        bed.apply(ISSUER)
        bed.command("kubectl", "wait", "--for=condition=Ready", "clusterissuer/bench", "--timeout=60s")
    print(f"{machine()}\n{options.changes} changes of each kind and size, {options.peer_changes} of the peer, one after another\n", flush=True)
    gateway = ClusterGateway(bed, work, options.heap)
    gateway.await_ready()
    probe = Probe(bed, work, targets)
    rows, sizes, raw, filled, peer = [], [], [], 0, not options.no_peer
    for hosts in options.hosts:
        say(f"{hosts:,} hosts")
        if peer and hosts > options.peer_hosts:
            bed.command("peers", "down")
            peer = False
        only = [] if peer else ["sallyport"]
        fill = probe.ask("fill", filled, hosts, *only)
        filled = hosts
        result = {"hosts": hosts, "fill": fill}
        # What warms a JVM and the prober up is thrown away.
        probe.ask("rotate", options.warm_up, "sallyport")
        both = min(options.changes, options.peer_changes)
        for kind, word in (("Secret PATCH", "rotate"), ("Ingress POST", "create")):
            took = probe.ask(word, both, *only)
            more = probe.ask(word, options.changes - both, "sallyport")
            for what in ("served", "answered"):
                took["sallyport"][what] += more["sallyport"][what]
            result[kind] = took
        if hosts == options.hosts[0] and options.certificates:
            result["Certificate POST"] = probe.ask("issue", options.certificates, *only)
        for kind in ("Secret PATCH", "Ingress POST", "Certificate POST"):
            for target, took in result.get(kind, {}).items():
                took["after"] = [served - answered for served, answered in zip(took["served"], took["answered"])]
                rows.append([f"{hosts:,}", kind, names[target]]
                            + [f"{quantile(took[what], q):.1f}" for what in ("served", "answered", "after")
                               for q in (0.5, 0.99)])
        time.sleep(5)
        memory = {"sallyport": gateway.memory()[1]}
        if peer:
            memory |= {"contour": bed.memory("contour"), "envoy": bed.memory("envoy")}
        result["memory"] = memory
        gateway.stop()
        gateway = ClusterGateway(bed, work, options.heap)
        result["start_s"] = gateway.await_ready()
        time.sleep(5)
        result["memory_after_start"] = gateway.memory()[1]
        gateway.stop()
        result["stale_start_s"] = stale_start(bed, work, options.heap)
        gateway = ClusterGateway(bed, work, options.heap)
        gateway.await_ready()
        sizes.append([f"{hosts:,}", f"{fill['applied']:.1f}", f"{fill['sallyport']:.1f}", f"{result['start_s']:.2f}",
                      f"{result['stale_start_s']:.2f}",
                      f"{memory['sallyport']:.0f}", f"{result['memory_after_start']:.0f}",
                      *(f"{memory[name]:.0f}" if name in memory else "" for name in ("contour", "envoy"))])
        raw.append(result)
        save("cluster", raw)
    probe.close()
    print("From when the request was sent, in ms; of it what the API server took to answer (of a Certificate: what\n"
          "cert-manager took to say Ready); and the one less the other\n")
    print(table(["hosts", "change", "gateway", "served p50", "p99", "answered p50", "p99", "after the answer p50", "p99"],
                rows))
    print()
    print(table(["hosts", "applied s", "all served s", "start to ready s", "without the API server s", "RSS MiB", "after a start", "Contour", "Envoy"],
                sizes))
    print(f"\nload average after: {load_average()}")


if __name__ == "__main__":
    main()
