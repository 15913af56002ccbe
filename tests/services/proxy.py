#!/usr/bin/env python3
"""A reverse proxy before a service of known appetite, both of one command, as containers have it.

Every connection is passed on as it is, by two threads of its own. It holds nothing to speak of.

usage: proxy.py PORT PORT_BEHIND COMMAND ...
"""

import contextlib
import signal
import socket
import subprocess
import sys
import threading

PIECE = 16 * 1024


def pass_on(source, target):
    with contextlib.suppress(OSError):
        while piece := source.recv(PIECE):
            target.sendall(piece)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def serve(connection, port):
    with connection, contextlib.suppress(OSError):
        with socket.create_connection(("127.0.0.1", port)) as behind:
            for end in (connection, behind):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=pass_on, args=(behind, connection), daemon=True)
            back.start()
            pass_on(connection, behind)
            back.join()


def main():
    port, port_behind, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    signal.alarm(600)
    threading.stack_size(256 * 1024)
    behind = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def end(*_):
        behind.terminate()
        behind.wait()
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    # It says when it listens.
    behind.stdout.readline()
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    print(f"listening on {port}", flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, port_behind), daemon=True).start()


if __name__ == "__main__":
    main()
