#!/usr/bin/env python3
"""An object store for tests, which speaks as S3 does and checks signatures.

    s3.py [--region REGION] [--page KEYS]

Prints its port and serves until its standard input ends.  The bucket "public" may be read by
everyone, any other by key "tester" with secret "test/secret+key" alone, and with session
token "token/+=" where that is set.  Signatures are computed anew from what was received, as
AWS's "Signature Version 4 for API requests" says.

Control, without a signature:

    PUT     /!object/BUCKET/KEY     stores the body; X-Modified: ISO 8601 time
    DELETE  /!object/BUCKET/KEY
    PUT     /!fault                 JSON: {"path": REGEX, "kind": KIND, ...}, once
    PUT     /!token                 body: the session token that is wanted from now on
    GET     /!log                   JSON: what was asked for since the last time

Kinds of faults of a request whose path and query match: "slow" (503 SlowDown), "cut" (the
connection breaks in the middle of the body), "delete" and "replace" ("key", "body": that
object, before the request is answered), "whole" (the range is not honoured).
"""

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote, unquote_plus
from xml.sax.saxutils import escape

KEY, SECRET = "tester", "test/secret+key"
objects = {}
faults = []
log = []
state = {"token": None}
lock = threading.Lock()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "s3test"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, code, message):
        self.answer(status, f"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
                    .encode(), Content_Type="application/xml")

    # ---- signatures

    def is_signed(self, path, query):
        match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d+)/([^/]+)/s3/aws4_request, ?"
                             r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})",
                             self.headers.get("Authorization", ""))
        if not match or match[1] != KEY or match[3] != args.region:
            return False
        names = match[4].split(";")
        if not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names) or names != sorted(names):
            return False
        headers = "".join(f"{name}:{' '.join(self.headers[name].split())}\n" for name in names)
        payload = self.headers["x-amz-content-sha256"]
        if payload != sha256(b""):
            return False
        pairs = sorted(part.partition("=")[::2] for part in query.split("&") if part)
        canonical_query = "&".join(f"{quote(unquote(n), safe='-_.~')}={quote(unquote(v), safe='-_.~')}" for n, v in pairs)
        canonical = "\n".join([self.command, quote(unquote(path), safe="/-_.~"), canonical_query, headers, match[4], payload])
        date = self.headers["x-amz-date"]
        text = "\n".join(["AWS4-HMAC-SHA256", date, f"{match[2]}/{match[3]}/s3/aws4_request", sha256(canonical.encode())])
        key = ("AWS4" + SECRET).encode()
        for part in (match[2], match[3], "s3", "aws4_request"):
            key = sign(key, part)
        if state["token"] is not None and ("x-amz-security-token" not in names or
                                           self.headers["x-amz-security-token"] != state["token"]):
            return False
        return hmac.compare_digest(sign(key, text).hex(), match[5])

    # ---- requests

    def control(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        what, _, rest = self.path[2:].partition("/")
        name = unquote(rest)
        with lock:
            if what == "object" and self.command == "PUT":
                store(name, body, self.headers.get("X-Modified"))
            elif what == "object":
                objects.pop(name, None)
            elif what == "fault":
                faults.append(json.loads(body))
            elif what == "token":
                state["token"] = body.decode() or None
            elif what == "log":
                body = json.dumps(log).encode()
                log.clear()
                return self.answer(200, body)
        self.answer(200)

    do_PUT = do_DELETE = control

    def take_fault(self):
        for fault in faults:
            if re.search(fault["path"], self.path):
                faults.remove(fault)
                return fault
        return {"kind": None}

    def do_GET(self):
        if self.path.startswith("/!"):
            return self.control()
        path, _, query = self.path.partition("?")
        bucket, _, key = unquote(path[1:]).partition("/")
        signed = "Authorization" in self.headers
        with lock:
            fault = self.take_fault()
            log.append({"path": self.path, "range": self.headers.get("Range"), "signed": signed,
                        "if_match": self.headers.get("If-Match"), "fault": fault["kind"]})
            if fault["kind"] == "delete":
                objects.pop(fault["key"], None)
            elif fault["kind"] == "replace":
                store(fault["key"], fault["body"].encode())
        if fault["kind"] == "slow":
            return self.refuse(503, "SlowDown", "Please reduce your request rate.")
        if signed and not self.is_signed(path, query):
            return self.refuse(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        if not signed and bucket != "public":
            return self.refuse(403, "AccessDenied", "Access Denied")
        if key == "":
            return self.list(bucket, dict((unquote_plus(n), unquote(v)) for n, _, v in
                                          (part.partition("=") for part in query.split("&"))))
        self.get(f"{bucket}/{key}", fault["kind"])

    def list(self, bucket, query):
        with lock:
            keys = sorted((name.partition("/")[2] for name in objects if name.startswith(bucket + "/")), key=lambda k: k.encode())
            token = query.get("continuation-token")
            after = base64.b64decode(token)[3:] if token else query.get("start-after", "").encode()
            keys = [k for k in keys if k.startswith(query.get("prefix", "")) and k.encode() > after]
            page, more = keys[:args.page], len(keys) > args.page
            items = "".join("<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>"
                            "<StorageClass>STANDARD</StorageClass></Contents>".format(
                                quote(key, safe="/-_.~*").replace("%20", "+"), objects[f"{bucket}/{key}"]["modified"],
                                escape(objects[f"{bucket}/{key}"]["etag"], {'"': "&quot;"}), len(objects[f"{bucket}/{key}"]["body"]))
                            for key in page)
        # AWS's tokens have these characters, too
        token = base64.b64encode(b"\xfb\xff\xfe" + page[-1].encode()).decode() if more else ""
        token = f"<NextContinuationToken>{token}</NextContinuationToken>" if more else ""
        self.answer(200, f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                    f"<Name>{bucket}</Name><IsTruncated>{str(more).lower()}</IsTruncated>{items}{token}</ListBucketResult>".encode(),
                    Content_Type="application/xml")

    def get(self, name, fault):
        with lock:
            found = objects.get(name)
        if found is None:
            return self.refuse(404, "NoSuchKey", "The specified key does not exist.")
        if self.headers.get("If-Match") not in (None, found["etag"]):
            return self.refuse(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        body, status, headers = found["body"], 200, {"ETag": found["etag"]}
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if match and fault != "whole":
            first, last = int(match[1]), min(int(match[2]), len(body) - 1)
            headers["Content_Range"] = f"bytes {first}-{last}/{len(body)}"
            body, status = body[first:last + 1], 206
        if fault == "cut":
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            for header, value in headers.items():
                self.send_header(header.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body[:len(body) // 2])
            self.wfile.flush()
            self.close_connection = True
            return self.connection.shutdown(2)
        self.answer(status, body, Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT", **headers)


def store(name, body, modified=None):
    objects[name] = {"body": body, "etag": '"%s"' % hashlib.md5(body).hexdigest(),
                     "modified": modified or time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())}


parser = argparse.ArgumentParser()
parser.add_argument("--region", default="us-east-1")
parser.add_argument("--page", type=int, default=1000)
args = parser.parse_args()
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
