#!/usr/bin/env python3
"""An HTTP service of known appetite, to test measurements against.

What it holds, per process and per request, is given on the command line. A measurement of it from
outside can so be compared with the truth. It can also misbehave, in ways that real services do.

Memory is taken as private anonymous mappings of which each page is written. It is so resident at
once, and gone at once when closed: malloc, which keeps and reuses what is freed, plays no role.
The interpreter itself comes on top, about 20 MiB, and some 30 KiB for each connection's thread.

It speaks HTTP/1.1 with keep-alive over plain sockets, a thread for each connection. Bodies need a
Content-Length; they are hashed in small pieces and never kept.

Any method and path is a request with the appetite. GET /health and GET /inflight are answered at
once, without it, even when all other requests have to wait.
"""

import argparse
import collections
import contextlib
import hashlib
import json
import mmap
import os
import re
import signal
import socket
import struct
import sys
import tempfile
import threading
import time

LINE_LIMIT = 64 * 1024
PIECE = 16 * 1024
# Hashing a block of this size lets other threads run meanwhile. A bare loop would keep Python's
# lock, and the requests of one process could never use more than one CPU.
BLOCK = bytes(64 * 1024)


def size(text):
    """Bytes from 4096, 64K, 50M or 1G (binary)."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?", text, re.IGNORECASE)
    if not match:
        raise argparse.ArgumentTypeError(f"not a size such as 64K, 50M or 1G: {text}")
    return int(float(match[1]) * 1024 ** " KMG".index(match[2].upper() or " "))


def slots(text):
    """How many requests a process executes at a time; 0 means any number."""
    if text == "threaded":
        return 0
    if text == "blocking":
        return 1
    match = re.fullmatch(r"pool:([1-9]\d*)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"not threaded, blocking or pool:K: {text}")
    return int(match[1])


def arguments():
    parser = argparse.ArgumentParser(description="An HTTP service of known appetite.")
    option = parser.add_argument
    option("--host", default="127.0.0.1")
    option("--port", type=int, default=0, help="0: any; printed as 'listening on PORT' when ready")
    option("--unix", metavar="PATH", help="listens on this socket in the file system instead")
    option("--backlog", type=int, default=512)
    option("--tls", nargs=2, metavar=("CERT", "KEY"), help="serve HTTPS with these PEM files")
    option("--lifetime", type=int, default=600, metavar="SECONDS",
           help="SIGALRM ends each process after this, so that no test leaves one behind; 0: never")

    option("--base", type=size, default=0, help="each serving process holds this, always")
    option("--hold", type=size, default=0, help="each request holds this while it is executed")
    option("--leak", type=size, default=0, help="each request leaves this behind for ever")
    option("--cache", type=size, default=0,
           help="each request leaves this behind whose body is not among the last --cached")
    option("--cached", type=int, default=100, metavar="N", help="bodies that --cache is for")
    option("--memo", action="store_true",
           help="a request whose body is cached is answered at once: it neither holds nor spins nor sleeps")
    option("--lazy", type=size, default=0,
           help="the first request of a process takes this, which stays")
    option("--spool", metavar="DIR", help="what a request holds is in a file of this folder")
    option("--spill", type=size, default=0,
           help="each request leaves a file of this size behind in the folder of --spool")
    option("--shared", type=size, default=0, help="held before the workers are forked, and shared by them")
    option("--touch", type=size, default=0,
           help="each request writes to so much of what is shared, which is then the process's own")
    option("--map", metavar="FILE",
           help="each process maps this file, and each request reads of every page of it")
    option("--spin", type=float, default=0, metavar="SECONDS",
           help="CPU time that a request burns once it holds its memory")
    option("--time", type=float, default=0, metavar="SECONDS",
           help="how long a request then sleeps, still holding it")
    option("--mode", type=slots, default=0, metavar="threaded|blocking|pool:K",
           help="executed at a time per process: all, one, or at most K; the others wait in the "
                "order they came, and hold nothing")
    option("--workers", type=int, default=1, help="more than 1: that many forked processes serve")

    count = {"type": int, "default": 0, "metavar": "N"}
    option("--die-after", **count, help="exits with 3 instead of answering the Nth request of the "
                                        "process, after executing it; of several workers, the "
                                        "first alone")
    option("--die-at", type=float, default=0, metavar="SECONDS",
           help="exits with 3 so long after its first request")
    option("--fail-after", **count, help="executes, but answers 500, from the Nth on")
    option("--fail-status", default="500 Internal Server Error", metavar="STATUS",
           help="answered instead of 500")
    option("--reset-after", **count, help="executes, but resets the connection, from the Nth on")
    option("--hang-after", **count, help="executes, then keeps memory and slot and never answers, "
                                         "from the Nth on")
    option("--expect", action="append", default=[], metavar="KEY=VALUE",
           help="answers 400 where what the request is told to be is not this: method, length, "
                "sha256, type (its beginning), x, or token, whose lack is answered with 401")
    option("--deaf-after", **count, help="refuses new connections from the Nth request on")
    option("--keep", metavar="DIR", help="writes each body into a file of this folder")
    option("--most", **count, help="answers 503 at once where so many are executed already")
    option("--starts", metavar="FILE", help="counts its starts in this file: resets all connections "
                                            "in the second, and ends at once from the third on")
    option("--fork", action="store_true", help="executes each request in a process of its own")
    option("--slow", action="store_true", help="answers with a byte a second, for ever")
    option("--never-ready", action="store_true", help="holds the base but never listens")
    option("--ready-delay", type=float, default=0, metavar="SECONDS",
           help="waits before it takes the base and listens")
    option("--warming", type=float, default=0, metavar="SECONDS",
           help="listens at once, and takes the base so much later; answers 503 until then")
    option("--warming-resets", action="store_true", help="resets connections until then instead")
    option("--daemonize", action="store_true",
           help="goes on in a child with a session of its own; the first process exits with 0")
    option("--ignore-term", action="store_true", help="ignores SIGTERM, in all processes")
    options = parser.parse_args()
    if not 1 <= options.workers <= mmap.PAGESIZE // 8:
        parser.error("--workers is out of range")
    return options


def take(length):
    """Memory that is resident right away and private to this process (the default is shared)."""
    if not length:
        return contextlib.nullcontext()
    memory = mmap.mmap(-1, length, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for start in range(0, length, mmap.PAGESIZE):
        memory[start] = 1
    return memory


def mapped(path):
    if not path:
        return b""
    with open(path, "rb") as file:
        return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)


class Service:
    """One serving process. Create it after the fork, so that each worker pays for its base."""

    def __init__(self, options, inflight, index):
        self.options = options
        self.base = None
        self.is_warm = False
        if options.warming:
            threading.Timer(options.warming, self.warm).start()
        else:
            self.warm()
        self.mapped = mapped(options.map)
        self.leaked = []
        self.cached = collections.OrderedDict()
        self.lazy = None
        self.touched = 0
        self.executed = 0
        self.lock = threading.Lock()
        # Shared by the workers, a slot each: any of them can so answer for all.
        self.inflight = inflight
        self.index = index
        self.listener = None
        self.pool = None
        if options.mode:
            from concurrent.futures import ThreadPoolExecutor

            self.pool = ThreadPoolExecutor(options.mode)
        self.tls = None
        if options.tls:
            import ssl

            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*options.tls)

    def warm(self):
        self.base = take(self.options.base)
        self.is_warm = True

    def accept(self, listener):
        """Serves for ever."""
        self.listener = listener
        while True:
            try:
                connection, _ = listener.accept()
                threading.Thread(target=self.converse, args=(connection,), daemon=True).start()
            except (OSError, RuntimeError):
                # Out of files or threads: others may end meanwhile.
                time.sleep(0.01)

    def converse(self, connection):
        """One connection, until either side is done with it."""
        # A client may go away at any time, and this is no error of the service.
        with contextlib.suppress(OSError):
            if connection.family != socket.AF_UNIX:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as reader:
                while self.exchange(connection, reader):
                    pass

    def exchange(self, connection, reader):
        """One request and its answer. Tells whether the connection can be used again."""
        line = reader.readline(LINE_LIMIT)
        if line in (b"\r\n", b"\n"):
            return True
        parts = line.decode("latin-1").split()
        if not line.endswith(b"\n"):
            return False
        headers = {}
        while True:
            line = reader.readline(LINE_LIMIT)
            if line in (b"\r\n", b"\n"):
                break
            if not line.endswith(b"\n"):
                return False
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if len(parts) != 3 or not headers.get("content-length", "0").isdigit():
            return answer(connection, "400 Bad Request", b"", keep=False)
        if "transfer-encoding" in headers:
            return answer(connection, "411 Length Required", b"", keep=False)
        method, path, version = parts
        wish = headers.get("connection", "").lower()
        keep = wish == "keep-alive" if version == "HTTP/1.0" else wish != "close"
        head = method == "HEAD"
        if headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

        if not self.is_warm:
            read_body(reader, headers)
            if self.options.warming_resets:
                return reset(connection)
            return answer(connection, "503 Service Unavailable", b"{}", keep=keep, head=head)
        plain = path.partition("?")[0] if method == "GET" else None
        if plain in ("/health", "/inflight"):
            read_body(reader, headers)
            text = "ok" if plain == "/health" else str(sum(self.inflight))
            return answer(connection, "200 OK", text.encode(), "text/plain", keep)

        with self.counted():
            if 0 < self.options.most < sum(self.inflight):
                read_body(reader, headers)
                return answer(connection, "503 Service Unavailable", b"{}", keep=keep, head=head)
            length, digest = read_body(reader, headers, self.options.keep)
            if self.pool:
                number = self.pool.submit(self.execute, digest).result()
            else:
                number = self.execute(digest)
            if self.options.slow:
                trickle(connection)
        if self.options.deaf_after == number:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
        if reached(self.options.reset_after, number) or self.options.second_start:
            return reset(connection)
        if reached(self.options.fail_after, number):
            return answer(connection, self.options.fail_status, b"{}", keep=keep, head=head)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        body = {
            "pid": os.getpid(),
            "method": method,
            "path": path,
            "length": length,
            "sha256": digest,
            "type": headers.get("content-type"),
            # The token is a secret: whether it came is all that is told.
            "authorized": scheme.lower() == "bearer" and bool(token.strip()),
            "x": headers.get("x-test"),
        }
        status = "200 OK"
        for key, _, wanted in (expected.partition("=") for expected in self.options.expect):
            if key == "token" and (not body["authorized"] or token.strip() != wanted):
                status = "401 Unauthorized"
            elif key != "token" and not str(body[key]).startswith(wanted):
                status = "400 Bad Request"
        return answer(connection, status, json.dumps(body).encode(), keep=keep, head=head)

    @contextlib.contextmanager
    def counted(self):
        """In flight: from the headers on until just before the answer."""
        with self.lock:
            self.inflight[self.index] += 1
        try:
            yield
        finally:
            with self.lock:
                self.inflight[self.index] -= 1

    def execute(self, digest):
        """The appetite of one request. Returns which request of the process it is, from 1."""
        options = self.options
        with self.lock:
            self.executed += 1
            number = self.executed
            if options.lazy and not self.lazy:
                self.lazy = take(options.lazy)
            if options.touch:
                self.touch(options)
            is_cached = digest in self.cached
        if options.memo and is_cached:
            return number
        if options.die_at and number == 1:
            threading.Timer(options.die_at, os._exit, [3]).start()
        if options.fork:
            worker = os.fork()
            if not worker:
                with take(options.hold):
                    time.sleep(options.time)
                os._exit(0)
            os.waitpid(worker, 0)
            return number
        if options.leak:
            self.leaked.append(take(options.leak))
        with spooled(options) if options.spool else take(options.hold):
            # A step of a page: what is copied is a byte of each.
            self.mapped[:: mmap.PAGESIZE]
            end = time.thread_time() + options.spin
            while time.thread_time() < end:
                hashlib.sha256(BLOCK)
            time.sleep(options.time)
            if self.index == 0 and reached(options.die_after, number):
                os._exit(3)
            if reached(options.hang_after, number):
                threading.Event().wait()
        if options.cache and not is_cached:
            self.remember(digest, take(options.cache))
        return number

    def remember(self, digest, answer):
        with self.lock:
            self.cached[digest] = answer
            while len(self.cached) > self.options.cached:
                _, oldest = self.cached.popitem(last=False)
                oldest.close()

    def touch(self, options):
        """The next pages of what is shared, from its start again after its end."""
        for _ in range(0, options.touch, mmap.PAGESIZE):
            options.memory[self.touched % options.shared] = 1
            self.touched += mmap.PAGESIZE


@contextlib.contextmanager
def spooled(options):
    """A file that is written in small pieces, and gone at the end; and one that stays."""
    piece = os.urandom(PIECE)
    if options.spill:
        with tempfile.NamedTemporaryFile(dir=options.spool, delete=False) as file:
            for _ in range(0, options.spill, PIECE):
                file.write(piece)
    with tempfile.TemporaryFile(dir=options.spool) as file:
        for _ in range(0, options.hold, PIECE):
            file.write(piece)
        file.flush()
        yield


def reached(limit, number):
    return 0 < limit <= number


def reset(connection):
    """Lingering for no time makes the close a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def read_body(reader, headers, folder=None):
    """Length and hash of the body. Small pieces: a body must not count as appetite."""
    left = length = int(headers.get("content-length", "0"))
    digest = hashlib.sha256()
    with kept(folder) as file:
        while left:
            piece = reader.read(min(left, PIECE))
            if not piece:
                raise ConnectionError("the client closed within the body")
            digest.update(piece)
            if file:
                file.write(piece)
            left -= len(piece)
    return length, digest.hexdigest()


def kept(folder):
    if not folder:
        return contextlib.nullcontext()
    return tempfile.NamedTemporaryFile(dir=folder, delete=False)


def answer(connection, status, body, kind="application/json", keep=True, head=False):
    headers = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    connection.sendall(headers.encode() + (b"" if head else body))
    return keep


def trickle(connection):
    """Never stops for long enough that a time limit between two reads would notice."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")
    while True:
        connection.sendall(b".")
        time.sleep(1)


def listen(options):
    if options.unix:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(options.unix)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(options.unix)
        listener.listen(options.backlog)
        return listener
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    address = (options.host, options.port)
    return socket.create_server(address, family=family, backlog=options.backlog)


def announce(listener):
    name = listener.getsockname()
    print(f"listening on {name if isinstance(name, str) else name[1]}", flush=True)


def serve_forked(options, inflight):
    """Workers accept from one shared socket; this process only waits for them."""
    listener = listen(options)
    ready_out, ready_in = os.pipe()
    alive_out, alive_in = os.pipe()
    workers = []
    for index in range(options.workers):
        worker = os.fork()
        if worker:
            workers.append(worker)
            continue
        os.close(ready_out)
        os.close(alive_in)
        signal.alarm(options.lifetime)
        service = Service(options, inflight, index)

        def end_with_master():
            # Nothing is ever written: the read returns when the master has been killed.
            os.read(alive_out, 1)
            os._exit(0)

        threading.Thread(target=end_with_master, daemon=True).start()
        os.write(ready_in, b".")
        os.close(ready_in)
        service.accept(listener)

    def end_workers(*_):
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGTERM)

    # The wait below then collects them, so that nothing is left when this process has ended.
    if not options.ignore_term:
        signal.signal(signal.SIGTERM, end_workers)
    os.close(ready_in)
    with open(ready_out, "rb") as ready:
        if len(ready.read()) == options.workers:
            announce(listener)
    codes = [os.waitstatus_to_exitcode(os.wait()[1]) for _ in workers]
    # Ended by a signal: 128 and its number, as shells say it.
    return max(code if code >= 0 else 128 - code for code in codes)


def main():
    options = arguments()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    options.second_start = False
    options.memory = take(options.shared)
    if options.starts:
        with open(options.starts, "a+") as starts:
            starts.write(".")
            number = starts.tell()
        if number > 2:
            return 4
        options.second_start = number == 2
    if options.ignore_term:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if options.daemonize:
        if os.fork():
            os._exit(0)
        os.setsid()
    # A child does not inherit the alarm, so each process sets its own.
    signal.alarm(options.lifetime)
    # A connection's thread needs little, and a measurement should not see more of it.
    threading.stack_size(256 * 1024)
    if options.never_ready:
        with take(options.base):
            while True:
                signal.pause()
    time.sleep(options.ready_delay)
    inflight = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("Q")
    if options.workers > 1:
        return serve_forked(options, inflight)
    # Only who has loaded listens.
    service = Service(options, inflight, 0)
    listener = listen(options)
    announce(listener)
    return service.accept(listener)


if __name__ == "__main__":
    sys.exit(main())
