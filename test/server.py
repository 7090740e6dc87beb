#!/usr/bin/env python3
"""A scripted HTTP source for the tests, the demo and the benchmark of spice.

A test tells this server what to answer next: late, in part, never, with an error, a
redirect or other rows.  The server listens on the loopback unless --address says
otherwise, needs only Python's standard library, and ends by itself after --lifetime.

Server:
    server.py [--address A] [--port N] [--port-file F] [--daemon [--pid-file F]]
              [--lifetime S]
        prints its port; --port 0 (the default) lets the kernel choose one.
Client, so that a test needs no other tool:
    server.py --set URL JSON      what later requests of URL's path get ('-': from stdin)
    server.py --wait URL STATE    until the path's last request is held, done or aborted
    server.py --release URL       lets the path's held responses go on
    server.py --log URL           one line per request seen by URL's server
    server.py --clear URL         forgets those
    server.py --stop URL          ends URL's server

Control requests: PUT /_set/PATH, POST /_release/PATH, POST /_stop,
    GET /_wait/PATH?state=held&timeout=30, GET /_log (JSON), DELETE /_log.

What a path answers, a JSON object (every key is optional):
    body           text; any other JSON value is sent as JSON
    body_base64    bytes, for bodies that are no valid text
    body_file      the file's content
    generate       {"kind": "products", "count": N, "seed": 0, "category_cycle": [...]}
                   an array of N product records, the same for the same seed
                   {"kind": "repeat", "text": T, "count": N, "prefix": "", "suffix": ""}
    status         200
    headers        {"Name": "value"}; the type is application/json unless said here
    etag           true (from the body) or the quoted tag; If-None-Match gets 304
    last_modified  an HTTP date; If-Modified-Since gets 304
    since          {"parameter": P, "field": F}: of the body, an array, only the records
                   whose time F is that of query parameter P or later, if there is one
    gzip           true: compressed for those who accept it
    chunked        true: no Content-Length
    basic          ["user", "password"]; else 401
    bearer         a token; else 401, which repeats what was sent
    redirect       a location; the status is 302 unless said
    fail_times     the first N requests get fail_status (503) with retry_after
    delay          seconds before the answer
    rate           bytes of body a second
    hold           true: half of the body, then nothing until released
    stall_after    the same after that many bytes
    truncate_after closes the connection after that many bytes
    reset_after    resets it there
    queries        {"page=2": {...}}: what those queries get instead
    endless        text that follows the body again and again; with chunked: true
    raw            bytes, as text, instead of an answer; then the connection is closed
Bytes are counted as they are sent, after compression.
"""

import argparse
import base64
import datetime
import gzip
import hashlib
import http.server
import json
import os
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

BLOCK = 256 * 1024
KEYS = {
    "body", "body_base64", "body_file", "generate", "status", "headers", "etag",
    "last_modified", "gzip", "chunked", "basic", "redirect", "fail_times",
    "fail_status", "retry_after", "delay", "rate", "hold", "stall_after",
    "truncate_after", "reset_after", "since", "endless", "raw", "queries", "bearer",
}
SECRET_HEADERS = {"authorization", "proxy-authorization", "cookie"}

ADJECTIVES = ("Compact", "Wireless", "Foldable", "Heavy", "Silent", "Classic", "Solar", "Modular")
NOUNS = ("Speaker", "Lamp", "Backpack", "Keyboard", "Kettle", "Drill", "Monitor", "Chair")
TRAITS = ("ships in two days", "with a warranty", "made to order", "refurbished")
DAYS = [f"2025-{n // 28 + 1:02d}-{n % 28 + 1:02d}" for n in range(336)]
TIMES = [f"{n // 60:02d}:{n % 60:02d}:{n * 7 % 60:02d}" for n in range(1440)]
CATEGORIES = ("electronics", "home", "garden", "office")


# ---- bodies ---------------------------------------------------------------

def product(number, seed, categories):
    """One record as JSON text, about 219 bytes.

    Category and status follow from the number alone, so that a test can say how
    many rows a filter keeps; the rest also depends on the seed.
    """
    bits = ((number + 1) * 0x9E3779B97F4A7C15 ^ (seed + 1) * 0xC2B2AE3D27D4EB4F) & (2**64 - 1)
    bits = (bits ^ bits >> 29) * 0xBF58476D1CE4E5B9 & (2**64 - 1)
    bits ^= bits >> 32
    adjective = ADJECTIVES[bits & 7]
    noun = NOUNS[bits >> 3 & 7]
    status = "discontinued" if number // len(categories) % 4 == 3 else "active"
    return (
        f'{{"id":{number + 1},"sku":"SKU-{number + 1:07d}","name":"{adjective} {noun}",'
        f'"category":"{categories[number % len(categories)]}","status":"{status}",'
        f'"description":"{TRAITS[bits >> 6 & 3]}",'
        f'"price":{(bits >> 32) % 200000 / 100},"weight":{(bits >> 40) % 30000 / 1000},'
        f'"stock":{(bits >> 20) % 1000},"active":{"true" if status == "active" else "false"},'
        f'"updated_at":"{DAYS[bits % 336]}T{TIMES[(bits >> 8) % 1440]}Z"}}'
    )


def write_generated(out, kind, count, seed=0, category_cycle=CATEGORIES,
                    text="", prefix="", suffix=""):
    """Writes a body too large to be kept in memory, a block at a time."""
    if kind == "products":
        out.write(b"[")
        for start in range(0, count, 1000):
            records = (product(n, seed, category_cycle)
                       for n in range(start, min(start + 1000, count)))
            out.write(((",\n" if start else "") + ",\n".join(records)).encode())
        out.write(b"]\n")
    elif kind == "repeat":
        piece = text.encode()
        a_block = max(1, BLOCK // max(1, len(piece)))
        out.write(prefix.encode())
        for start in range(0, count, a_block):
            out.write(piece * min(a_block, count - start))
        out.write(suffix.encode())
    else:
        raise ValueError(f"unknown kind of body: {kind}")


class Body:
    """The bytes of a response, in an unlinked file that many threads may read."""

    def __init__(self, spec):
        self.file = tempfile.TemporaryFile()
        if "generate" in spec:
            write_generated(self.file, **spec["generate"])
        elif "body_file" in spec:
            with open(spec["body_file"], "rb") as source:
                shutil.copyfileobj(source, self.file, BLOCK)
        elif "body_base64" in spec:
            self.file.write(base64.b64decode(spec["body_base64"]))
        else:
            body = spec.get("body", "")
            self.file.write((body if isinstance(body, str) else json.dumps(body)).encode())
        self.file.flush()

    def size(self):
        return os.fstat(self.file.fileno()).st_size

    def blocks(self, start, end, block):
        while start < end:
            data = os.pread(self.file.fileno(), min(block, end - start), start)
            start += len(data)
            yield data

    def digest(self):
        value = hashlib.sha256()
        for data in self.blocks(0, self.size(), BLOCK):
            value.update(data)
        return value.hexdigest()

    def compressed(self):
        packed = Body({})
        with gzip.GzipFile(fileobj=packed.file, mode="wb", compresslevel=1, mtime=0) as out:
            for data in self.blocks(0, self.size(), BLOCK):
                out.write(data)
        packed.file.flush()
        return packed


def no_earlier(records, field, since):
    """Those whose time is that or later: what a source can tell from a watermark."""
    least = datetime.datetime.fromisoformat(since)
    return [record for record in records
            if datetime.datetime.fromisoformat(record[field]) >= least]


class Route:
    """What one path answers, and which of its responses are held."""

    def __init__(self, spec):
        unknown = set(spec) - KEYS
        if unknown:
            raise ValueError(f"unknown key: {', '.join(sorted(unknown))}")
        self.spec = spec
        self.body = Body(spec)
        self.packed = self.body.compressed() if spec.get("gzip") else None
        self.failures_left = spec.get("fail_times", 0)
        self.queries = {query: Route(other) for query, other in spec.get("queries", {}).items()}
        self.etag = spec.get("etag")
        if self.etag is True:
            self.etag = f'"{self.body.digest()[:16]}"'

    def narrowed(self, query):
        """What this path answers to that query."""
        rule = self.spec.get("since")
        values = urllib.parse.parse_qs(query).get(rule["parameter"]) if rule else None
        if values is None:
            return self
        body = no_earlier(self.spec["body"], rule["field"], values[0])
        return Route({**self.spec, "body": body, "since": None})


class State:
    """What all threads share; changed and waited for under one condition."""

    def __init__(self):
        self.changed = threading.Condition()
        self.routes = {}
        self.released = {}  # path -> how often its held responses were released
        self.log = []

    def update(self, entry, **values):
        with self.changed:
            entry.update(values)
            self.changed.notify_all()

    def release(self, path):
        with self.changed:
            self.released[path] = self.released.get(path, 0) + 1
            self.changed.notify_all()

    def wait_for(self, path, wanted, timeout):
        """Until the last request of path is in that state."""
        def reached():
            seen = [entry for entry in self.log if entry["path"] == path]
            return bool(seen) and seen[-1]["state"] == wanted
        with self.changed:
            return self.changed.wait_for(reached, timeout)


# ---- requests -------------------------------------------------------------

class Aborted(Exception):
    """The client went away while its response was held or slowed."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "spice-test"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.state = self.server.state
        split = urllib.parse.urlsplit(self.path)
        self.query = urllib.parse.parse_qs(split.query)
        if split.path.startswith("/_"):
            verb, _, path = split.path[2:].partition("/")
            self.control(self.command, verb, "/" + path)
        else:
            self.data(urllib.parse.unquote(split.path), split.query)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def reply(self, status, text, headers=()):
        data = text.encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    # -- what tests say

    def control(self, method, verb, path):
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urllib.parse.unquote(path)
        if (method, verb) == ("PUT", "set"):
            try:
                route = Route(json.loads(sent))
            except (ValueError, TypeError, OSError) as error:
                self.reply(400, f"{error}\n")
                return
            with self.state.changed:
                self.state.routes[path] = route
            self.reply(200, "")
        elif (method, verb) == ("POST", "release"):
            self.state.release(path)
            self.reply(200, "")
        elif (method, verb) == ("GET", "wait"):
            wanted = self.query.get("state", ["done"])[0]
            timeout = float(self.query.get("timeout", ["30"])[0])
            reached = self.state.wait_for(path, wanted, timeout)
            self.reply(200 if reached else 504, "" if reached else f"{path} was not {wanted}\n")
        elif (method, verb) == ("GET", "log"):
            with self.state.changed:
                text = json.dumps(self.state.log)
            self.reply(200, text, {"Content-Type": "application/json"})
        elif (method, verb) == ("DELETE", "log"):
            with self.state.changed:
                self.state.log.clear()
            self.reply(200, "")
        elif (method, verb) == ("POST", "stop"):
            self.reply(200, "")
            self.server.end()
        else:
            self.reply(404, f"no such control: {method} {verb}\n")

    # -- what sources do

    def data(self, path, query):
        user, password = self.credentials()
        self.entry = {
            "method": self.command, "path": path, "query": query,
            "headers": {name: "(sent)" if name.lower() in SECRET_HEADERS else value
                        for name, value in self.headers.items()},
            "authorization": "Authorization" in self.headers,
            "user": user, "status": None, "bytes": 0, "state": "started", "sent": "",
            "began": time.monotonic(),
        }
        with self.state.changed:
            self.entry["beside"] = sum(
                entry["state"] not in ("done", "aborted") for entry in self.state.log[-100:])
            self.state.log.append(self.entry)
            route = self.state.routes.get(path)
            if route is not None:
                route = route.queries.get(query, route)
            failing = route is not None and route.failures_left > 0
            if failing:
                route.failures_left -= 1
            self.releases_before = self.state.released.get(path, 0)
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.state.update(self.entry, sent=sent.decode("utf-8", "replace"))
        try:
            self.answer(route, failing, (user, password))
            self.state.update(self.entry, state="done")
        except (Aborted, ConnectionError):
            self.close_connection = True
            self.state.update(self.entry, state="aborted")

    def credentials(self):
        """The user and password of the request's Basic authentication."""
        scheme, _, value = (self.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return None, None
        try:
            user, _, password = base64.b64decode(value).decode().partition(":")
        except ValueError:
            return None, None
        return user, password

    def brief(self, status, text, headers=()):
        self.state.update(self.entry, status=status)
        self.reply(status, text, headers)

    def answer(self, route, failing, credentials):
        if route is None:
            self.brief(404, '{"title":"no such path"}\n',
                       {"Content-Type": "application/problem+json"})
            return
        route = route.narrowed(self.entry["query"])
        spec = route.spec
        self.pause(spec.get("delay", 0))
        if "raw" in spec:
            self.wfile.write(spec["raw"].encode("latin-1"))
            self.close_connection = True
        elif failing:
            retry = {"Retry-After": str(spec["retry_after"])} if "retry_after" in spec else {}
            self.brief(spec.get("fail_status", 503), "asked to fail\n", retry)
        elif "basic" in spec and credentials != tuple(spec["basic"]):
            self.brief(401, "who are you?\n", {"WWW-Authenticate": 'Basic realm="test"'})
        elif "bearer" in spec and self.headers.get("Authorization") != f"Bearer {spec['bearer']}":
            self.brief(401, f"unknown: {self.headers.get('Authorization')}\n")
        elif "redirect" in spec:
            self.brief(spec.get("status", 302), "", {"Location": spec["redirect"]})
        elif self.unchanged(route):
            self.state.update(self.entry, status=304)
            self.send_response(304)
            self.send_validators(route)
            self.end_headers()
        else:
            self.send_body(route)

    def unchanged(self, route):
        """A tag decides alone when there is one, as HTTP demands."""
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return bool(route.etag) and (
                tags.strip() == "*" or route.etag in [tag.strip() for tag in tags.split(",")])
        since = self.headers.get("If-Modified-Since")
        return since is not None and since == route.spec.get("last_modified")

    def send_validators(self, route):
        if route.etag:
            self.send_header("ETag", route.etag)
        if "last_modified" in route.spec:
            self.send_header("Last-Modified", route.spec["last_modified"])

    def send_body(self, route):
        spec = route.spec
        packed = route.packed and "gzip" in self.headers.get("Accept-Encoding", "")
        body = route.packed if packed else route.body
        headers = {"Content-Type": "application/json", **spec.get("headers", {})}
        self.state.update(self.entry, status=spec.get("status", 200))
        self.send_response(spec.get("status", 200))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_validators(route)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        if spec.get("chunked"):
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(body.size()))
        self.end_headers()
        if self.command != "HEAD":
            self.send_blocks(spec, body)

    def send_blocks(self, spec, body):
        size = body.size()
        cut = min([size] + [spec[key] for key in ("truncate_after", "reset_after") if key in spec])
        held = spec.get("stall_after", size // 2 if spec.get("hold") else None)
        if held is not None:
            self.send_range(spec, body, 0, min(held, cut))
            self.wait_for_release()
            self.send_range(spec, body, min(held, cut), cut)
        else:
            self.send_range(spec, body, 0, cut)
        while "endless" in spec:
            piece = Body({"body": spec["endless"]})
            self.send_range(spec, piece, 0, piece.size())
        if "reset_after" in spec:
            # lingering for no time makes the close a reset
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif "truncate_after" in spec:
            self.close_connection = True
        elif spec.get("chunked"):
            self.wfile.write(b"0\r\n\r\n")

    def send_range(self, spec, body, start, end):
        rate = spec.get("rate")
        block = max(1, min(BLOCK, int(rate / 10))) if rate else BLOCK
        for data in body.blocks(start, end, block):
            if spec.get("chunked"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            else:
                self.wfile.write(data)
            self.state.update(self.entry, bytes=self.entry["bytes"] + len(data))
            if rate:
                self.pause(len(data) / rate)

    # -- waiting, but never for a client that has gone

    def pause(self, seconds):
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.look_for_client(min(left, 0.1))

    def wait_for_release(self):
        path = self.entry["path"]
        self.state.update(self.entry, state="held")
        while self.state.released.get(path, 0) == self.releases_before:
            self.look_for_client(0.02)
        self.state.update(self.entry, state="started")

    def look_for_client(self, seconds):
        readable, _, _ = select.select([self.connection], [], [], seconds)
        if readable:
            if self.connection.recv(1, socket.MSG_PEEK) == b"":
                raise Aborted
            time.sleep(seconds)  # a pipelined request has to wait


# ---- the process ----------------------------------------------------------

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

    def __init__(self, address, port, files):
        super().__init__((address, port), Handler)
        self.state = State()
        self.files = files

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def end(self, *_):
        # threads of held responses would keep the process alive
        for file in filter(None, self.files):
            try:
                os.unlink(file)
            except FileNotFoundError:
                pass
        os._exit(0)


def write_whole(path, text):
    """Writes a file that appears complete or not at all, because other processes wait for it."""
    with open(f"{path}.new", "w", encoding="ascii") as out:
        out.write(text)
    os.rename(f"{path}.new", path)


def announce(options, port, pid):
    """After this the process that started the server may use and stop it."""
    if options.pid_file:
        write_whole(options.pid_file, f"{pid}\n")
    if options.port_file:
        write_whole(options.port_file, f"{port}\n")
    print(port, flush=True)


def serve(options):
    server = Server(options.address, options.port, (options.port_file, options.pid_file))
    pid = os.fork() if options.daemon else os.getpid()
    if pid:
        announce(options, server.server_port, pid)
    if options.daemon:
        if pid:
            os._exit(0)
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
    signal.signal(signal.SIGTERM, server.end)
    signal.signal(signal.SIGINT, server.end)
    timer = threading.Timer(options.lifetime, server.end)
    timer.daemon = True
    timer.start()
    server.serve_forever()


# ---- the client -----------------------------------------------------------

def ask(method, url, control, data=None):
    """Sends a control request to url's server and returns the answer's text."""
    split = urllib.parse.urlsplit(url)
    request = urllib.request.Request(
        f"{split.scheme}://{split.netloc}/_{control}", method=method,
        data=data.encode() if data is not None else None)
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=600) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        sys.exit(f"server.py: {error.read().decode().strip()}")
    except OSError as error:
        sys.exit(f"server.py: {url}: {error}")


def log_line(entry):
    query = f"?{entry['query']}" if entry["query"] else ""
    user = f" user {entry['user']}" if entry["user"] is not None else ""
    return f"{entry['method']} {entry['path']}{query}{user} {entry['status']} {entry['state']}"


def client(options):
    def path(url):
        return urllib.parse.urlsplit(url).path

    if options.set:
        url, spec = options.set
        ask("PUT", url, f"set{path(url)}", sys.stdin.read() if spec == "-" else spec)
    elif options.wait:
        url, wanted = options.wait
        ask("GET", url, f"wait{path(url)}?state={wanted}")
    elif options.release:
        ask("POST", options.release, f"release{path(options.release)}", "")
    elif options.log:
        for entry in json.loads(ask("GET", options.log, "log")):
            print(log_line(entry))
    elif options.clear:
        ask("DELETE", options.clear, "log")
    elif options.stop:
        ask("POST", options.stop, "stop", "")
    else:
        return False
    return True


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    parser.add_argument("--daemon", action="store_true")
    parser.add_argument("--pid-file")
    parser.add_argument("--lifetime", type=float, default=1800)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--set", nargs=2, metavar=("URL", "JSON"))
    action.add_argument("--wait", nargs=2, metavar=("URL", "STATE"))
    for name in ("release", "log", "clear", "stop"):
        action.add_argument(f"--{name}", metavar="URL")
    options = parser.parse_args()
    if not client(options):
        serve(options)


if __name__ == "__main__":
    main()
