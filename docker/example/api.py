#!/usr/bin/env python3
"""The example API: a product catalog behind a password, of which some price changes
every ten seconds.  It says so with an ETag, so a refresh in between costs nothing."""

import base64
import hashlib
import http.server
import json
import os
import signal
import sys
import time

PRODUCTS = 1000
CREDENTIALS = base64.b64encode(f"api-user:{os.environ['API_KEY']}".encode()).decode()


def products():
    turn = int(time.time()) // 10
    return [{"id": number, "name": f"Product {number}", "category": "electronics",
             "price": round(10 + number / 10 + (turn + number) % 7, 2)}
            for number in range(1, PRODUCTS + 1)]


class Catalog(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path != "/v1/products":
            self.answer(404)
        elif self.headers.get("Authorization") != f"Basic {CREDENTIALS}":
            self.answer(401, WWW_Authenticate='Basic realm="catalog"')
        else:
            body = json.dumps(products()).encode()
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if self.headers.get("If-None-Match") == etag:
                self.answer(304, ETag=etag)
            else:
                self.answer(200, body, ETag=etag, Content_Type="application/json")


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("", 8080), Catalog).serve_forever()
