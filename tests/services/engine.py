#!/usr/bin/env python3
"""A container engine in small: who starts a service only asks a daemon, whose child the service is.

`engine.py daemon SOCKET` runs until it is ended, and then ends what it has started. `engine.py run
SOCKET [--detach] COMMAND…` asks it to start a service, and waits; once it has ended, the daemon ends
the service, unless it was started with --detach, or the daemon with --careless.

With --group DIR, a folder of a control group, each service gets a group of its own below it, named
as Docker names those of its containers. With --network NAME --publish PROXY PORT ADDRESS it runs in
that network namespace, and the interpreter PROXY passes what comes to PORT of this one on to port 8000
of ADDRESS, with the arguments of Docker's program for that.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading

ID = "3f2a8c1d" * 8


def enter(group):
    def before_exec():
        if group:
            with open(os.path.join(group, "cgroup.procs"), "w") as entry:
                entry.write("0")

    return before_exec


def forward(words):
    option = dict(zip(words[::2], words[1::2]))
    target = (option["-container-ip"], int(option["-container-port"]))

    def pass_on(source, sink):
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                sink.sendall(part)
        for end in source, sink:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def both_ways(near):
        # Accepted before anybody listens behind it.
        with near, contextlib.suppress(OSError), socket.create_connection(target) as far:
            threading.Thread(target=pass_on, args=(near, far), daemon=True).start()
            pass_on(far, near)

    listener = socket.create_server(("127.0.0.1", int(option["-host-port"])), backlog=256)
    while True:
        near, _ = listener.accept()
        threading.Thread(target=both_ways, args=(near,), daemon=True).start()


def published(options):
    proxy, port, address = options["publish"]
    to = ["-host-port", port, "-container-ip", address, "-container-port", "8000"]
    return subprocess.Popen([proxy, os.path.abspath(__file__), "forward", *to])


def serve(client, arguments, options, started):
    is_detached, command = arguments[0] == "detach", arguments[1:]
    if options["network"]:
        started.append(published(options))
        command = ["ip", "netns", "exec", options["network"], *command]
    group = None
    if options["group"]:
        group = os.path.join(options["group"], f"docker-{ID}.scope")
        os.makedirs(group, exist_ok=True)
    nowhere = subprocess.DEVNULL
    service = subprocess.Popen(
        command, preexec_fn=enter(group), stdin=nowhere, stdout=nowhere, stderr=nowhere
    )
    started.append(service)
    client.sendall(b"started")
    # Returns when the client has ended, whatever ended it.
    client.recv(1)
    client.close()
    if not is_detached and not options["careless"]:
        service.kill()
    service.wait()
    if options["network"]:
        proxy = started[started.index(service) - 1]
        proxy.kill()
        proxy.wait()
    if group:
        with contextlib.suppress(OSError):
            os.rmdir(group)


def daemon(path, words):
    group = words[words.index("--group") + 1] if "--group" in words else None
    options = {"group": group, "careless": "--careless" in words, "network": None}
    if "--network" in words:
        options["network"] = words[words.index("--network") + 1]
        after = words.index("--publish") + 1
        options["publish"] = words[after : after + 3]
    started = []

    def end(*_):
        for service in started:
            service.kill()
            service.wait()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    signal.alarm(600)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while True:
            client, _ = listener.accept()
            arguments = client.recv(65536).decode().split("\0")
            threading.Thread(
                target=serve, args=(client, arguments, options, started), daemon=True
            ).start()


def run(path, words):
    is_detached = words[0] == "--detach"
    with socket.socket(socket.AF_UNIX) as engine:
        engine.connect(path)
        sent = ["detach", *words[1:]] if is_detached else ["wait", *words]
        engine.sendall("\0".join(sent).encode())
        engine.recv(16)
        if not is_detached:
            engine.recv(1)


if __name__ == "__main__":
    if sys.argv[1] == "forward":
        forward(sys.argv[2:])
    {"daemon": daemon, "run": run}[sys.argv[1]](sys.argv[2], sys.argv[3:])
