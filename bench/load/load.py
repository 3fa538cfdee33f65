"""Requests and handshakes per second and the CPU time each costs, for the gateway and its peers in one run."""

import argparse
import json
import re
import subprocess
import time
from pathlib import Path

import peers
from common import (HOST, JAR, JAVA_FLAGS, Server, certificate, cpu_between, cpus, java, load_average, machine, median, save, say,
                    table, work_folder)

ROWS = {
    "h1": "HTTPS, HTTP/1.1 keep-alive, 1 KiB",
    "h2": "HTTPS, HTTP/2, 1 KiB",
    "full": "full handshake, TLS 1.3 P-256, new connection each",
    "resumed": "resumed handshake, TLS 1.3, new connection each",
    "bulk1": "100 MiB, HTTP/1.1",
    "bulk2": "100 MiB, HTTP/2",
}
BULK_MIB = 100


class Handshakes:
    """The client of new connections: one warm process for the whole run."""

    def __init__(self, work, cpu):
        self.server = Server("handshakes", [java(), *JAVA_FLAGS, "-Xmx128m", "-cp", JAR,
                                            "dev.sallyport.bench.load.HandshakeLoad"], cpu,
                             Path(work, "handshakes.log"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(self, port, seconds, connections, mode, group):
        process = self.server.process
        process.stdin.write(f"{port} {HOST} /none {seconds} {connections} {mode} {group}\n".encode())
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"handshakes: ended:\n{self.server.tail()}")
        result = json.loads(line)
        if mode == "resumed" and result["resumed"] < 0.9 * result["requests"]:
            result["error"] = f"only {result['resumed']} of {result['requests']} resumed"
        return result


class Client:
    """Puts one kind of load on one port and says what came of it."""

    def __init__(self, work, options):
        self.cpu = options.client_cpu
        self.group = options.group
        self.h1 = options.h1_connections
        self.h2 = options.h2_connections
        self.streams = options.h2_streams
        self.connections = options.handshake_connections
        self.handshakes = Handshakes(work, self.cpu)

    def run(self, row, port, seconds):
        if row == "h1":
            return self._h2load(port, seconds, "--h1", "-c", self.h1)
        if row == "h2":
            return self._h2load(port, seconds, "-c", self.h2, "-m", self.streams)
        if row in ("full", "resumed"):
            return self.handshakes.run(port, seconds, self.connections, row, self.group)
        return self._bulk(port, seconds, "--http1.1" if row == "bulk1" else "--http2")

    def _h2load(self, port, seconds, *options):
        # No --warm-up-time: with --h1 h2load 1.70 then counts nothing.
        output = self._run(peers.sid("bin/h2load", *options, "-t", 1, "-D", f"{seconds * 1000:.0f}ms", "--groups", self.group,
                                     "--connect-to", f"127.0.0.1:{port}", f"https://{HOST}/1k"), seconds + 30)
        found = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored", output)
        timing = re.search(r"^request +: +(.*)$", output, re.M)
        if not found or not timing:
            raise SystemExit(f"h2load: no figures in its output:\n{output[-2000:]}")
        done, succeeded = int(found[2]), int(found[3])
        times = [_milliseconds(word) for word in timing[1].split()[:5]]
        return {"seconds": seconds, "requests": succeeded, "errors": done - succeeded + int(found[5]),
                "p50_ms": times[2], "p99_ms": times[4], "error": " ".join(re.findall(r"^status codes: .*|^requests: .*", output, re.M))}

    def _bulk(self, port, seconds, version):
        """Downloads one after the other for about so long: at least three."""
        begin, times, error = time.monotonic(), [], ""
        while len(times) < 3 or (time.monotonic() - begin < seconds and len(times) < 100):
            output = self._run(["curl", "-sSk", version, "--connect-to", f"{HOST}:443:127.0.0.1:{port}", "--max-time", "60",
                                "-o", "/dev/null", "-w", "%{size_download} %{time_total}", f"https://{HOST}/100m"], 90)
            size, taken = output.split()[:2]
            if int(size) != BULK_MIB << 20:
                error = f"{size} bytes (expected: {BULK_MIB << 20})"
            times.append(float(taken) * 1e3)
        return {"seconds": time.monotonic() - begin, "requests": len(times), "errors": 1 if error else 0,
                "p50_ms": median(times), "p99_ms": max(times), "error": error}

    def _run(self, command, timeout):
        return subprocess.run(["taskset", "-c", self.cpu, *map(str, command)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout).stdout


def _milliseconds(word):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", word).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def measure(client, server, row, seconds):
    before, begin = server.cpu_by_thread(), time.monotonic()
    result = client.run(row, server.https, seconds)
    wall = time.monotonic() - begin
    spent = cpu_between(before, server.cpu_by_thread())
    requests = max(result["requests"], 1)
    result["cpu_us"] = spent / 1e3 / requests
    result["rps"] = result["requests"] / result["seconds"]
    result["util"] = spent / 1e9 / wall
    result["pss_mib"], result["rss_mib"] = server.memory()
    if result["errors"] or not result["requests"]:
        say(f"  {server.name} {row}: {result['errors']} errors: {result['error']}")
    return result


def warm(client, server, row, seconds):
    """Load until the server has worked for so long: on a busy machine its compiler needs more time than the clock says."""
    say(f"warm-up: {server.name} {row}, {seconds:g} s of work")
    before, begin = server.cpu_by_thread(), time.monotonic()
    while cpu_between(before, server.cpu_by_thread()) < seconds * 0.9e9 and time.monotonic() - begin < 3 * seconds:
        client.run(row, server.https, 2)


def summary(rounds):
    keys = ("cpu_us", "rps", "p50_ms", "p99_ms", "util", "pss_mib", "rss_mib")
    return {**{key: median([one[key] for one in rounds]) for key in keys}, "errors": sum(one["errors"] for one in rounds),
            "cpu_us_rounds": [round(one["cpu_us"], 1) for one in rounds]}


def report(row, results):
    bulk = row.startswith("bulk")
    # For downloads: CPU ms per GiB and MiB/s.
    scale_cpu, scale_rate = (1024 / BULK_MIB / 1e3, BULK_MIB) if bulk else (1, 1)
    header = ["", "CPU ms/GiB" if bulk else "CPU µs each", "sallyport : it", "MiB/s" if bulk else "per second",
              "p50 ms", "p99 ms", "core used", "PSS MiB", "errors", "CPU by round"]
    ours = results.get("sallyport")
    lines = []
    for name, one in results.items():
        ratio = f"{ours['cpu_us'] / one['cpu_us']:.2f}" if ours and name != "sallyport" and one["cpu_us"] else ""
        lines.append([name, f"{one['cpu_us'] * scale_cpu:.1f}", ratio, f"{one['rps'] * scale_rate:.0f}",
                      f"{one['p50_ms']:.2f}", f"{one['p99_ms']:.2f}", f"{one['util']:.0%}", f"{one['pss_mib']:.0f}",
                      one["errors"], " ".join(f"{cpu * scale_cpu:.0f}" for cpu in one["cpu_us_rounds"])])
    print(f"\n**{row}: {ROWS[row]}**\n\n{table(header, lines)}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="bench/run load", description=__doc__)
    parser.add_argument("--rows", default=",".join(ROWS), help=f"some of {','.join(ROWS)} (all)")
    parser.add_argument("--candidates", default=",".join(peers.CANDIDATES), help=f"some of {','.join(peers.CANDIDATES)} (all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of load in each round (3)")
    parser.add_argument("--warm-up", type=float, default=20, help="seconds of each kind of load on each JVM first (20)")
    parser.add_argument("--logs", choices=("on", "off"), default="on", help="the access logs of gateway and peers (on); the spike has none")
    parser.add_argument("--group", default="X25519", help="the key exchange clients offer (X25519); X25519MLKEM768 is the other worth a look")
    parser.add_argument("--h1-connections", type=int, default=64)
    parser.add_argument("--h2-connections", type=int, default=16)
    parser.add_argument("--h2-streams", type=int, default=32, help="at a time on each connection (32)")
    parser.add_argument("--handshake-connections", type=int, default=16)
    cpus(parser)
    options = parser.parse_args()
    rows, names = options.rows.split(","), options.candidates.split(",")
    for given, known in ((rows, ROWS), (names, peers.CANDIDATES)):
        for one in given:
            if one not in known:
                parser.error(f"{one} (expected: {', '.join(known)})")

    peers.fetch()
    work = work_folder()
    load_before = load_average()
    files = certificate(work)
    port = peers.backend(work, options.client_cpu)
    servers = {name: peers.CANDIDATES[name](work, options.server_cpu, files, port, options.logs == "on") for name in names}
    client = Client(work, options)

    for name in (name for name in names if name in peers.WARMED):
        for row in rows:
            warm(client, servers[name], row, min(options.warm_up, 5) if row.startswith("bulk") else options.warm_up)

    print(f"{machine()} (before: {load_before})")
    print("versions: " + ", ".join(f"{name} {version}" for name, version in peers.versions().items()))
    print(f"access logs {options.logs}, {options.rounds} interleaved rounds of {options.seconds:g} s, medians, key exchange "
          f"{options.group}; server on core {options.server_cpu}, clients and backend on core {options.client_cpu}", flush=True)
    results = {}
    for row in rows:
        rounds = {name: [] for name in names}
        for number in range(options.rounds + 1):
            for name in names:
                one = measure(client, servers[name], row, options.seconds if number else min(1, options.seconds))
                if number:  # the first is thrown away: connections, caches, and the JIT meeting another load
                    rounds[name].append(one)
            for log in work.glob("*-access.log"):  # all are open for appending
                with open(log, "r+b") as grown:
                    grown.truncate(0)
        results[row] = {name: summary(of_name) for name, of_name in rounds.items()}
        report(row, results[row])
    print(f"\nload average after: {load_average()}")
    save("load", {"options": vars(options), "versions": peers.versions(), "machine": machine(), "rows": results})


if __name__ == "__main__":
    main()
