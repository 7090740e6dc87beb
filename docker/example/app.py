#!/usr/bin/env python3
"""The example application: asks for the products once a second and prints what it took.

It knows PostgreSQL and nothing of spice: where to connect is in PGHOST, PGDATABASE,
PGUSER and PGPASSWORD.  Started before its sidecar it waits, and it survives the
sidecar's restarts, as any application of a pod has to.
"""

import signal
import sys
import time

import psycopg2


def connect():
    connection = psycopg2.connect(connect_timeout=3, application_name="shop")
    connection.autocommit = True
    return connection


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    connection = None
    while True:
        try:
            connection = connection or connect()
            with connection.cursor() as cursor:
                started = time.perf_counter()
                cursor.execute("SELECT count(*), round(avg(price)::numeric, 2) FROM products")
                count, price = cursor.fetchone()
                taken = time.perf_counter() - started
            print(f"{count} products at {price} on average, {taken * 1000:.2f} ms", flush=True)
        except psycopg2.Error as error:
            print(f"waiting: {str(error).strip().splitlines()[0]}", flush=True)
            connection = None
        time.sleep(1)


main()
