"""Where the CPU time of the gateway (or the spike) goes under one kind of load: perf, with names for compiled Java."""

import argparse
import os
import re
import subprocess
from pathlib import Path

import peers
from common import CACHE, certificate, cpus, java, machine, run, say, work_folder
from load import ROWS, Client, measure, warm
from memory import java_pid


def main():
    parser = argparse.ArgumentParser(prog="bench/run profile", description=__doc__)
    parser.add_argument("row", choices=list(ROWS))
    parser.add_argument("--candidate", choices=peers.WARMED, default="sallyport")
    parser.add_argument("--warm-up", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--logs", choices=("on", "off"), default="on")
    parser.add_argument("--lines", type=int, default=60)
    cpus(parser)
    options = parser.parse_args()
    options.group, options.h1_connections, options.h2_connections = "X25519", 64, 16
    options.h2_streams, options.handshake_connections = 32, 16

    peers.fetch()
    # Both candidates read it; frame pointers cost a little, so figures from here are not for comparison.
    os.environ["JAVA_TOOL_OPTIONS"] = "-XX:+PreserveFramePointer"
    work = work_folder()
    files = certificate(work)
    server = peers.CANDIDATES[options.candidate](work, options.server_cpu, files,
                                                 peers.backend(work, options.client_cpu), options.logs == "on")
    os.environ.pop("JAVA_TOOL_OPTIONS")
    client = Client(work, options)
    warm(client, server, options.row, options.warm_up)
    pid = java_pid(server)
    data = CACHE / f"perf-{options.candidate}-{options.row}.data"
    recording = subprocess.Popen(["perf", "record", "-q", "-F", "1999", "-g", "-e", "cpu-clock", "-p", str(pid),
                                  "-o", str(data), "--", "sleep", str(options.seconds - 1)])
    result = measure(client, server, options.row, options.seconds)
    recording.wait(60)
    run([str(Path(java()).with_name("jcmd")), pid, "Compiler.perfmap"])
    print(f"{machine()}\n{options.candidate} {options.row}: {result['cpu_us']:.1f} µs CPU each, "
          f"{result['rps']:.0f} per second, {result['util']:.0%} of a core\n")
    for title, how in (("by library", ["--sort", "dso"]), ("by function, itself", ["--sort", "symbol"]),
                       ("by function, with what it calls", ["--children", "--sort", "symbol"])):
        call = ["perf", "report", "-i", str(data), "--stdio", "-g", "none", "--percent-limit", "0.3",
                *(how if "--children" in how else ["--no-children", *how])]
        text = subprocess.run(call, capture_output=True, text=True, timeout=300).stdout
        lines = [re.sub(r"[ -]+$", "", line) for line in text.splitlines() if line.strip() and not line.startswith("#")]
        print(f"-- {title}\n" + "\n".join(lines[:options.lines]) + "\n")
    Path(f"/tmp/perf-{pid}.map").unlink(missing_ok=True)

    # What is allocated and thrown, and where: the flight recorder knows.
    jcmd, events = str(Path(java()).with_name("jcmd")), CACHE / f"jfr-{options.candidate}-{options.row}.jfr"
    run([jcmd, pid, "JFR.start", "name=bench", "settings=profile", "jdk.JavaExceptionThrow#enabled=true"])
    counted = measure(client, server, options.row, options.seconds)
    run([jcmd, pid, "JFR.dump", "name=bench", f"filename={events}"])
    run([jcmd, pid, "JFR.stop", "name=bench"])
    for view in ("allocation-by-class", "allocation-by-site", "exception-by-site"):
        text = run([str(Path(java()).with_name("jfr")), "view", "--width", "160", "--truncate", "beginning", view, events])
        print(f"-- {view}, of {counted['requests']} requests\n{text.strip()}\n")
    say(f"the recordings: {data} {events}")


if __name__ == "__main__":
    main()
