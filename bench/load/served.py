"""From a file's change to its being served, as a client sees it, on a gateway that is quiet otherwise."""

import argparse
import json
import subprocess
from pathlib import Path

import peers
from common import (JAR, JAVA_FLAGS, Gateway, cpu_between, cpus, java, load_average, machine, numbers, save, table,
                    work_folder)
from folders import folder


def main():
    parser = argparse.ArgumentParser(prog="bench/run served", description=__doc__)
    parser.add_argument("--hosts", type=numbers, default=[2, 1000, 10000], help="2,1000,10000")
    parser.add_argument("--changes", type=int, default=200, help="of each kind at each size (200)")
    parser.add_argument("--kinds", default="secret,ingress", help="what changes (secret,ingress)")
    cpus(parser)
    options = parser.parse_args()
    peers.fetch()
    print(f"{machine()}\n{options.changes} changes each; gateway on core {options.server_cpu}, prober on core "
          f"{options.client_cpu}\n", flush=True)
    rows, raw = [], []
    for hosts in options.hosts:
        work = work_folder()
        served, staging = folder(hosts, peers.backend(work, options.client_cpu))
        gateway = Gateway(served, work, options.server_cpu)
        gateway.await_ready()
        for kind in options.kinds.split(","):
            before = gateway.cpu_by_thread()
            done = subprocess.run(
                ["taskset", "-c", options.client_cpu, java(), *JAVA_FLAGS, "-cp", str(JAR),
                 "dev.sallyport.bench.load.ServedProbe", str(served), str(staging), str(hosts), str(gateway.https),
                 str(options.changes), kind], capture_output=True, text=True, timeout=3600)
            if done.returncode != 0:
                raise SystemExit(f"prober: {done.stderr[-2000:]}\ngateway: {gateway.tail()}")
            result = {"hosts": hosts, "kind": kind, **json.loads(done.stdout),
                      "gateway_cpu_s": cpu_between(before, gateway.cpu_by_thread()) / 1e9}
            raw.append(result)
            rows.append([f"{hosts:,}", kind, f"{result['p50_ms']:.1f}", f"{result['p99_ms']:.1f}",
                         f"{result['max_ms']:.1f}", f"{result['connection_p50_ms']:.1f}"])
        gateway.stop()
    print(table(["hosts", "changed", "p50 ms", "p99 ms", "max ms", "of it one connection, ms"], rows))
    print(f"\nload average after: {load_average()}")
    save("served", raw)


if __name__ == "__main__":
    main()
