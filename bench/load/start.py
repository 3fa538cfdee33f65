"""From the command to the first 200 of /readyz: every listener bound, the whole folder in service."""

import argparse

import peers
from common import Gateway, cpus, free_port, load_average, machine, median, numbers, save, table, work_folder
from folders import folder


def main():
    parser = argparse.ArgumentParser(prog="bench/run start", description=__doc__)
    parser.add_argument("--hosts", type=numbers, default=[100, 1000, 10000], help="100,1000,10000")
    parser.add_argument("--rounds", type=int, default=5)
    cpus(parser)
    options = parser.parse_args()
    peers.fetch()
    print(f"{machine()}\n{options.rounds} rounds, gateway on core {options.server_cpu}\n", flush=True)
    rows, raw = [], []
    for hosts in options.hosts:
        seconds, cpu, rss = [], [], []
        for _ in range(options.rounds + 1):
            work = work_folder()
            served, _ = folder(hosts, free_port())
            gateway = Gateway(served, work, options.server_cpu)
            seconds.append(gateway.await_ready(1800))
            cpu.append(sum(gateway.cpu_by_thread().values()) / 1e9)
            rss.append(gateway.memory()[1])
            gateway.stop()
        # The first fills the page cache (and builds what the launcher builds).
        raw.append({"hosts": hosts, "seconds": seconds, "cpu_s": cpu, "rss_mib": rss})
        rows.append([f"{hosts:,}", f"{median(seconds[1:]):.2f}", f"{max(seconds[1:]):.2f}", f"{median(cpu[1:]):.2f}",
                     f"{median(rss[1:]):.0f}"])
    print(table(["hosts", "ready s, median", "worst", "CPU s", "RSS MiB"], rows))
    print(f"\nload average after: {load_average()}")
    save("start", raw)


if __name__ == "__main__":
    main()
