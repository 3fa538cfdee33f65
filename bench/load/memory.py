"""What an idle certificate costs: a gateway with so many Secrets and Ingresses, ready and left alone, against one with none."""

import argparse
import re
import time
from pathlib import Path

import peers
from common import Gateway, cpus, free_port, java, machine, numbers, run, save, table, work_folder
from folders import folder


def heap_mib(pid):
    """Live heap after a full collection."""
    jcmd = str(Path(java()).with_name("jcmd"))
    run([jcmd, pid, "GC.run"])
    run([jcmd, pid, "GC.run"])
    text = run([jcmd, pid, "GC.heap_info"])
    # One line for each space of the collector; "used" of the heap or its generations, class space left out.
    used = [int(found) for line in text.splitlines() if "Metaspace" not in line and "class space" not in line
            for found in re.findall(r"\bused (\d+)K", line)[:1]]
    return sum(used) / 1024


def java_pid(server):
    for pid in server.pids():
        if Path(f"/proc/{pid}/comm").read_text().strip() == "java":
            return pid
    raise SystemExit(f"no java process below {server.pid}")


def main():
    parser = argparse.ArgumentParser(prog="bench/run memory", description=__doc__)
    parser.add_argument("--hosts", type=numbers, default=[100, 10000, 100000], help="100,10000,100000")
    cpus(parser)
    options = parser.parse_args()
    peers.fetch()
    print(machine(), flush=True)
    base, rows, raw = None, [], []
    for hosts in [0, *options.hosts]:
        work = work_folder()
        served, _ = folder(hosts, free_port())
        gateway = Gateway(served, work, options.server_cpu)
        ready = gateway.await_ready(1800)
        time.sleep(2)  # what readiness does not wait for
        _, rss_before = gateway.memory()
        heap = heap_mib(java_pid(gateway))
        _, rss = gateway.memory()
        result = {"hosts": hosts, "ready_s": ready, "heap_mib": heap, "rss_at_ready_mib": rss_before, "rss_mib": rss}
        raw.append(result)
        base = base or result
        each = lambda key: f"{(result[key] - base[key]) * 1024 / hosts:.2f}" if hosts else ""
        rows.append([f"{hosts:,}", f"{heap:.0f}", each("heap_mib"), f"{rss_before:.0f}", f"{rss:.0f}", each("rss_mib"),
                     f"{ready:.1f}"])
        gateway.stop()
    print(table(["hosts", "live heap MiB", "heap KiB each", "RSS at ready MiB", "RSS after GC MiB", "RSS KiB each",
                 "ready s"], rows))
    save("memory", raw)


if __name__ == "__main__":
    main()
