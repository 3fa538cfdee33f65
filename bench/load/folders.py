"""Folders of many hosts, made once and kept in the cache: making 100,000 certificates takes minutes."""

import json
import shutil
import time
from pathlib import Path

import peers
from common import CACHE, JAR, JAVA_FLAGS, java, run, say

FRESH_SECONDS = 30 * 24 * 3600


def folder(hosts, backend_port):
    """(folder, staging folder) of so many hosts, in front of this backend."""
    home = CACHE / "folders" / str(hosts)
    made = home / "made"
    if not made.exists() or time.time() - made.stat().st_mtime > FRESH_SECONDS:
        say(f"making a folder of {hosts} hosts in {home}")
        shutil.rmtree(home, ignore_errors=True)
        run([java(), *JAVA_FLAGS, "-cp", JAR, "dev.sallyport.bench.load.MakeFolder", home / "served", home / "staging",
             hosts], timeout=3600)
        made.touch()
    served = home / "served"
    served.mkdir(exist_ok=True)
    Path(served, "backend.json").write_text(json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": peers.service("backend", backend_port)}))
    return served, home / "staging"
