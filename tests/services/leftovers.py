#!/usr/bin/env python3
"""An HTTP service that leaves behind what it can: daemons in sessions of their own that ignore SIGTERM,
two processes that start each other again, one that starts others all the time, and one that starts
its successor and ends, again and again. Where it may, it makes control groups below its own and
moves into them, and starts a daemon that moves out of all of them.

Each request starts a daemon that ends soon, with --request-daemons.
"""

import argparse
import contextlib
import http.server
import os
import signal
import socketserver
import threading
import time

LIFETIME = 120


def daemon(work):
    """Runs in a process of a session of its own, whose parent has ended."""
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return
    os.setsid()
    if not os.fork():
        # No test that fails leaves it for long.
        signal.alarm(LIFETIME)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        work()
    os._exit(0)


def start_others():
    while True:
        daemon(lambda: time.sleep(0.05))
        time.sleep(0.002)


def start_each_other():
    end = time.time() + LIFETIME
    while time.time() < end:
        partner = os.fork()
        if partner:
            os.waitpid(partner, 0)
            continue
        os.setsid()
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(0.005)


def succeed():
    end = time.time() + LIFETIME
    while time.time() < end and not os.fork():
        os.setsid()


def own_groups():
    with open("/proc/self/cgroup") as groups:
        for line in groups:
            _, controllers, path = line.strip().split(":", 2)
            mount = "/sys/fs/cgroup" + ("/" + controllers if controllers else "")
            yield mount, path


def dig():
    """Into a group of a group of its own, wherever that may be made."""
    for mount, path in own_groups():
        if "mediscope-size." in path:
            below = f"{mount}{path}/inner/deeper"
            os.makedirs(below)
            with open(f"{below}/cgroup.procs", "w") as entry:
                entry.write("0")


def escape():
    """Into the group in which the tool itself is."""
    for mount, path in own_groups():
        outer, inside, _ = path.partition("/mediscope-size.")
        if inside:
            with contextlib.suppress(OSError), open(f"{mount}{outer}/cgroup.procs", "w") as entry:
                entry.write("0")
    time.sleep(LIFETIME)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if options.request_daemons:
            daemon(lambda: time.sleep(0.2))
        memory = bytearray(4 << 20)
        time.sleep(0.01)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
        del memory

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int)
parser.add_argument("--request-daemons", action="store_true")
options = parser.parse_args()
if not options.request_daemons:
    daemon(lambda: time.sleep(LIFETIME))
    daemon(start_others)
    daemon(start_each_other)
    daemon(succeed)
    daemon(escape)
    with contextlib.suppress(OSError):
        dig()
    daemon(lambda: time.sleep(LIFETIME))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.alarm(LIFETIME)
threading.stack_size(256 * 1024)
Server(("127.0.0.1", options.port), Handler).serve_forever()
