"""What all measuring programs share: folders, pinned processes, CPU and memory of a process tree, tables."""

import atexit
import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
JAR = ROOT / "bench" / "target" / "benchmarks.jar"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sallyport-bench"
HOST = "bench.example.test"
# For the clients; what is measured has the options of config/jvm.options.
JAVA_FLAGS = ["-XX:+UseSerialGC", "-XX:+UseCompactObjectHeaders", "--enable-native-access=ALL-UNNAMED",
              "--sun-misc-unsafe-memory-access=allow"]


def java():
    home = os.environ.get("JAVA_HOME")
    return str(Path(home, "bin", "java")) if home else "java"


def say(text):
    print(text, file=sys.stderr, flush=True)


def work_folder():
    """A folder for this run, removed at its end."""
    (CACHE / "work").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=CACHE / "work"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A process that this program started, with its children; ended with this program, whatever happens."""

    running = []

    def __init__(self, name, command, cpu, log, env=None, stdin=None, stdout=None, cwd=None):
        self.name = name
        self.log = Path(log)
        with open(self.log, "ab") as sink:
            # In a session of its own: its whole group is ours to end, and nothing else is.
            self.process = subprocess.Popen(
                ["taskset", "-c", str(cpu), *map(str, command)], stdin=stdin or subprocess.DEVNULL,
                stdout=stdout or sink, stderr=sink, env={**os.environ, **(env or {})}, cwd=cwd, start_new_session=True)
        Server.running.append(self)

    @property
    def pid(self):
        return self.process.pid

    def pids(self):
        """The process and all its descendants."""
        children = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    fields = Path("/proc", entry, "stat").read_text().rsplit(")", 1)[1].split()
                    children.setdefault(int(fields[1]), []).append(int(entry))
        found, queue = [], [self.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += children.get(pid, [])
        return found

    def cpu_by_thread(self):
        """Nanoseconds on a CPU, by thread."""
        spent = {}
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with contextlib.suppress(OSError):
                        spent[int(task)] = int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
        return spent

    def memory(self):
        """Proportional and resident set size in MiB."""
        pss = rss = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        pss += int(line.split()[1])
                    elif line.startswith("Rss:"):
                        rss += int(line.split()[1])
        return pss / 1024, rss / 1024

    def await_port(self, port, seconds=60):
        self.await_condition(lambda: _connects(port), f"port {port}", seconds)

    def await_condition(self, condition, what, seconds=60, interval=0.005):
        end = time.monotonic() + seconds
        while not condition():
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name}: ended with {self.process.returncode}:\n{self.tail()}")
            if time.monotonic() > end:
                raise SystemExit(f"{self.name}: no {what} after {seconds} s:\n{self.tail()}")
            time.sleep(interval)

    def tail(self):
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-15:])

    def stop(self):
        if self in Server.running:
            Server.running.remove(self)
        if self.process.poll() is None:
            for how, patience in ((signal.SIGTERM, 5), (signal.SIGKILL, 5)):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(patience)
                    return

    @staticmethod
    def stop_all():
        for server in list(Server.running):
            server.stop()


atexit.register(Server.stop_all)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def cpu_between(before, after):
    """Nanoseconds between two of cpu_by_thread: a thread that ended meanwhile takes only its last moments along."""
    return sum(spent - before.get(task, 0) for task, spent in after.items())


def _connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
        return True
    except OSError:
        return False


def http_get(port, path):
    """Status and body from the loopback address; status 0 where nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


class Gateway(Server):
    """Sallyport on a folder, with everything switched on that is on by default."""

    def __init__(self, folder, work, cpu, options=(), env=None):
        self.http, self.https, self.admin = free_port(), free_port(), free_port()
        self.access_log = open(Path(work, "sallyport-access.log"), "ab")
        self.started = time.monotonic()
        launcher = os.environ.get("BENCH_SALLYPORT", str(ROOT / "sallyport"))
        super().__init__(
            "sallyport",
            [launcher, "run", "--resources", folder, "--http", f"127.0.0.1:{self.http}",
             "--https", f"127.0.0.1:{self.https}", "--admin", f"127.0.0.1:{self.admin}", *options],
            cpu, Path(work, "sallyport.log"), env=env, stdout=self.access_log)

    def await_ready(self, seconds=300):
        """Seconds from the start to the first 200 of /readyz."""
        self.await_condition(lambda: http_get(self.admin, "/readyz")[0] == 200, "200 from /readyz", seconds, 0.002)
        return time.monotonic() - self.started

    def metric(self, name):
        """The sum of a metric's samples, or None where it has none."""
        total = None
        for line in http_get(self.admin, "/metrics")[1].decode().splitlines():
            if line.startswith((name + " ", name + "{")):
                total = (total or 0) + float(line.rsplit(" ", 1)[1])
        return total


def certificate(folder):
    """A P-256 certificate for HOST: (certificate, PKCS#8 key, both in one file)."""
    crt, key, both = Path(folder, "crt.pem"), Path(folder, "key.pem"), Path(folder, "both.pem")
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
         "-out", crt, "-days", "30", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"])
    both.write_text(crt.read_text() + key.read_text())
    return crt, key, both


def run(command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=options.pop("timeout", 600),
                          **options)
    if done.returncode != 0:
        raise SystemExit(f"{command[0]}: exit code {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))] if ordered else 0.0


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if not ordered:
        return 0.0
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def table(header, rows):
    """A Markdown table, columns aligned."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), os.uname().machine)
    return f"{os.cpu_count()} × {model}, Linux {os.uname().release}, load average {load_average()}"


def load_average():
    return " ".join(Path("/proc/loadavg").read_text().split()[:3])


def cpus(parser):
    parser.add_argument("--server-cpu", default="0", help="the core of what is measured (0)")
    parser.add_argument("--client-cpu", default="1", help="the core of clients and backends (1)")


def numbers(text):
    return [int(part.replace("_", "")) for part in text.split(",")]


def save(name, result):
    """Keeps a run's raw figures outside the tree; says where."""
    folder = CACHE / "results"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{time.strftime('%Y%m%dT%H%M%S')}.json"
    path.write_text(json.dumps(result, indent=1))
    say(f"raw figures: {path}")
