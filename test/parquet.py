#!/usr/bin/env python3
"""Writes Parquet files for tests.

    parquet.py [--answer] <SPEC >FILE

SPEC is JSON: {"schema": [NODE...], "rows": [[VALUE...]...], and options}.  A NODE is

    name        of the column
    type        boolean int32 int64 int96 float double binary fixed; of a leaf
    length      of fixed
    repetition  optional (the default), required or repeated
    logical     string json enum date uuid float16 null time-U timestamp-U (U is millis,
                micros or nanos, with -utc behind it), decimal-P-S, int-B, uint-B, list, map
    converted   a number of the format's older list, instead
    children    NODEs, of a column that is no leaf

A VALUE is null, a number, true, false, a text, {"hex": "..."}, a list for a repeated
node, or an object for a node with children.  The options are

    codec       none (the default), gzip
    version     1 or 2 of data pages
    encoding    plain (the default), dictionary, delta, delta-length, delta-text, split
    page_rows   entries of a page, all by default
    group_rows  rows of a row group, all by default
    crc         true: pages have checksums
    statistics  of whole numbers: "exact", "inexact" (marked so), "deprecated" (in the old fields)
    broken      true: the pages of the first row group are no pages

--answer prints what server.py takes as an answer with this body.  The writer is small on
purpose, and the only one of the tree: other writers' files are compared elsewhere.
"""

import base64
import json
import struct
import sys
import zlib

TYPES = ["boolean", "int32", "int64", "int96", "float", "double", "binary", "fixed"]
UNITS = {"millis": 1, "micros": 2, "nanos": 3}
PLAIN, DICTIONARY, RLE, DELTA, DELTA_LENGTH, DELTA_TEXT, SPLIT = 0, 8, 3, 5, 6, 7, 9
ENCODINGS = {"plain": PLAIN, "dictionary": DICTIONARY, "delta": DELTA, "delta-length": DELTA_LENGTH,
             "delta-text": DELTA_TEXT, "split": SPLIT}


# ------- Thrift's compact protocol

def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def zigzag(number):
    return varint((number << 1) ^ (number >> 63) if number < 0 else number << 1)


class Struct(dict):
    """A structure by field id: integers, booleans, bytes, structures and lists of these."""


class Byte(int):
    """An integer of eight bits."""


class Long(int):
    """An integer of 64 bits; others have 32."""


def kind(value):
    if isinstance(value, bool):
        return 1 if value else 2
    if isinstance(value, Byte):
        return 3
    if isinstance(value, int):
        return 6 if isinstance(value, Long) else 5
    if isinstance(value, bytes):
        return 8
    return 9 if isinstance(value, list) else 12


def thrift(value):
    if isinstance(value, Byte):
        return struct.pack("b", value)
    if isinstance(value, bool):
        return b""
    if isinstance(value, int):
        return zigzag(value)
    if isinstance(value, bytes):
        return varint(len(value)) + value
    if isinstance(value, list):
        element = kind(value[0]) if value else 12
        head = bytes([min(len(value), 15) << 4 | element])
        return head + (varint(len(value)) if len(value) >= 15 else b"") + b"".join(map(thrift, value))
    out, last = b"", 0
    for field, member in sorted(value.items()):
        if member is not None:
            delta = field - last
            out += bytes([delta << 4 | kind(member)]) if delta < 16 else bytes([kind(member)]) + zigzag(field)
            out += thrift(member)
            last = field
    return out + b"\0"


# ------- the schema

def logical_type(name):
    word, *rest = name.split("-")
    if word in ("time", "timestamp"):
        utc = "utc" in rest
        return Struct({7 if word == "time" else 8: Struct({1: utc, 2: Struct({UNITS[rest[0]]: Struct()})})})
    if word == "decimal":
        return Struct({5: Struct({1: int(rest[1]), 2: int(rest[0])})})
    if word in ("int", "uint"):
        return Struct({10: Struct({1: Byte(int(rest[0])), 2: word == "int"})})
    number = {"string": 1, "map": 2, "list": 3, "enum": 4, "date": 6, "null": 11, "json": 12, "uuid": 14,
              "float16": 15}[word]
    return Struct({number: Struct()})


class Node:
    def __init__(self, spec, parent):
        self.name = spec["name"]
        self.repetition = spec.get("repetition", "optional")
        self.definition = parent[0] + (self.repetition != "required")
        self.repeated = parent[1] + (self.repetition == "repeated")
        self.type = spec.get("type")
        self.length = spec.get("length", 0)
        self.logical = spec.get("logical")
        self.converted = spec.get("converted")
        self.entries = []  # of a leaf: (repetition level, definition level, value)
        self.children = [Node(child, (self.definition, self.repeated)) for child in spec.get("children", [])]

    def leaves(self):
        return [self] if not self.children else [leaf for child in self.children for leaf in child.leaves()]

    def elements(self):
        element = Struct({
            1: TYPES.index(self.type) if self.type else None, 2: self.length or None,
            3: ["required", "optional", "repeated"].index(self.repetition), 4: self.name.encode(),
            5: len(self.children) or None, 6: self.converted,
            10: logical_type(self.logical) if self.logical else None})
        return [element] + [e for child in self.children for e in child.elements()]

    def shred(self, value, repetition, definition):
        """Adds the entries of a value, as in Dremel."""
        if self.repetition == "repeated":
            for i, element in enumerate(value or []):
                self.shred_one(element, repetition if i == 0 else self.repeated)
            if not value:
                self.shred_nothing(repetition, definition)
        elif value is None:
            self.shred_nothing(repetition, definition)
        else:
            self.shred_one(value, repetition)

    def shred_one(self, value, repetition):
        if not self.children:
            self.entries.append((repetition, self.definition, value))
        for child in self.children:
            child.shred(value.get(child.name), repetition, self.definition)

    def shred_nothing(self, repetition, definition):
        for leaf in self.leaves():
            leaf.entries.append((repetition, definition, None))


# ------- encodings

def hybrid(values, bits):
    """Runs of equal values, and eight at a time of others."""
    out, i = b"", 0
    while i < len(values):
        run = 1
        while i + run < len(values) and values[i + run] == values[i]:
            run += 1
        if run >= 8 or i + run == len(values):
            out += varint(run << 1) + values[i].to_bytes((bits + 7) // 8, "little")
            i += run
        else:
            packed = values[i:i + 8]
            number = sum(v << (bits * k) for k, v in enumerate(packed))
            out += varint(1 << 1 | 1) + number.to_bytes(bits, "little")
            i += 8
    return out


def deltas(values):
    block, miniblocks = 128, 4
    out = varint(block) + varint(miniblocks) + varint(len(values)) + zigzag(values[0] if values else 0)
    steps = [(b - a + 2**63) % 2**64 - 2**63 for a, b in zip(values, values[1:])]
    for i in range(0, len(steps), block):
        part = steps[i:i + block]
        low = min(part)
        chunks = [part[k:k + 32] for k in range(0, block, 32)]
        widths = [max(((v - low) % 2**64).bit_length() for v in chunk) if chunk else 0 for chunk in chunks]
        out += zigzag(low) + bytes(widths)
        for chunk, width in zip(chunks, widths):
            number = sum((v - low) % 2**64 << (width * k) for k, v in enumerate(chunk))
            out += number.to_bytes(width * 4, "little") if chunk else b""
    return out


def raw(value):
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode()


def plain_one(leaf, value):
    if leaf.type in ("int32", "int64"):
        bits = 32 if leaf.type == "int32" else 64
        return (value % 2**bits).to_bytes(bits // 8, "little")
    if leaf.type in ("float", "double"):
        return struct.pack("<f" if leaf.type == "float" else "<d", float(value))
    if leaf.type == "binary":
        return struct.pack("<I", len(raw(value))) + raw(value)
    return raw(value)


def plain(leaf, values):
    if leaf.type == "boolean":
        number = sum(bool(v) << i for i, v in enumerate(values))
        return number.to_bytes((len(values) + 7) // 8, "little")
    return b"".join(plain_one(leaf, v) for v in values)


def encode(leaf, values, encoding, dictionary):
    if encoding == DICTIONARY:
        bits = max(len(dictionary) - 1, 1).bit_length()
        return bytes([bits]) + hybrid([dictionary.index(v) for v in values], bits)
    if encoding == RLE:
        data = hybrid([int(v) for v in values], 1)
        return struct.pack("<I", len(data)) + data
    if encoding == DELTA:
        return deltas(values)
    texts = [raw(v) for v in values] if encoding in (DELTA_LENGTH, DELTA_TEXT) else []
    if encoding == DELTA_LENGTH:
        return deltas([len(t) for t in texts]) + b"".join(texts)
    if encoding == DELTA_TEXT:
        prefixes, before = [], b""
        for text in texts:
            n = 0
            while n < min(len(text), len(before)) and text[n] == before[n]:
                n += 1
            prefixes.append(n)
            before = text
        rest = [t[n:] for t, n in zip(texts, prefixes)]
        return deltas(prefixes) + deltas([len(t) for t in rest]) + b"".join(rest)
    if encoding == SPLIT:
        pieces = [plain_one(leaf, v) for v in values]
        return b"".join(bytes(p[k] for p in pieces) for k in range(len(pieces[0]) if pieces else 0))
    return plain(leaf, values)


# ------- pages

class Writer:
    def __init__(self, spec):
        self.spec = spec
        self.nodes = [Node(node, (0, 0)) for node in spec["schema"]]
        self.leaves = [leaf for node in self.nodes for leaf in node.leaves()]
        self.gzip = spec.get("codec", "none") == "gzip"
        self.out = b"PAR1"

    def pack(self, data):
        if not self.gzip:
            return data
        packer = zlib.compressobj(wbits=31)
        return packer.compress(data) + packer.flush()

    def write_page(self, header, levels, data):
        packed = levels + self.pack(data) if levels else self.pack(data)
        header[2], header[3] = len(levels) + len(data), len(packed)
        if self.spec.get("crc"):
            crc = zlib.crc32(packed)
            header[4] = crc - 2**32 if crc >= 2**31 else crc
        self.out += thrift(header) + packed

    def write_data_page(self, leaf, entries, encoding, dictionary):
        values = [e[2] for e in entries if e[1] == leaf.definition and e[2] is not None]
        repetitions = hybrid([e[0] for e in entries], leaf.repeated.bit_length()) if leaf.repeated else b""
        definitions = hybrid([e[1] for e in entries], leaf.definition.bit_length()) if leaf.definition else b""
        data = encode(leaf, values, encoding, dictionary)
        if self.spec.get("version", 1) == 2:
            head = Struct({1: len(entries), 2: len(entries) - len(values), 3: sum(e[0] == 0 for e in entries),
                           4: encoding, 5: len(definitions), 6: len(repetitions), 7: self.gzip})
            self.write_page(Struct({1: 3, 8: head}), repetitions + definitions, data)
            return
        levels = b"".join(struct.pack("<I", len(part)) + part for part in (repetitions, definitions) if part)
        head = Struct({1: len(entries), 2: encoding, 3: RLE, 4: RLE})
        self.write_page(Struct({1: 0, 5: head}), b"", levels + data)

    def encoding_of(self, leaf):
        encoding = ENCODINGS[self.spec.get("encoding", "plain")]
        numbers, texts = leaf.type in ("int32", "int64"), leaf.type == "binary"
        if encoding == DELTA and not numbers or encoding in (DELTA_LENGTH, DELTA_TEXT) and not texts:
            return RLE if leaf.type == "boolean" else PLAIN
        return PLAIN if encoding == SPLIT and (texts or leaf.type == "boolean") else encoding

    def write_chunk(self, leaf):
        encoding = self.encoding_of(leaf)
        start, dictionary, dictionary_start = len(self.out), [], None
        if encoding == DICTIONARY:
            for entry in leaf.entries:
                if entry[2] is not None and entry[2] not in dictionary:
                    dictionary.append(entry[2])
            dictionary_start = Long(start)
            self.write_page(Struct({1: 2, 7: Struct({1: len(dictionary), 2: PLAIN})}), b"",
                            plain(leaf, dictionary))
        data_start = Long(len(self.out))
        size = self.spec.get("page_rows") or max(len(leaf.entries), 1)
        for i in range(0, max(len(leaf.entries), 1), size):
            self.write_data_page(leaf, leaf.entries[i:i + size], encoding, dictionary)
        size = Long(len(self.out) - start)
        return Struct({2: Long(start), 3: Struct({
            1: TYPES.index(leaf.type), 2: [encoding], 3: [leaf.name.encode()], 4: 2 if self.gzip else 0,
            5: Long(len(leaf.entries)), 6: size, 7: size, 9: data_start, 11: dictionary_start,
            12: self.statistics(leaf)})})

    def statistics(self, leaf):
        kind, values = self.spec.get("statistics"), [e[2] for e in leaf.entries if e[2] is not None]
        if not kind or not values or leaf.type not in ("int32", "int64"):
            return None
        least, greatest = (plain_one(leaf, pick(values)) for pick in (min, max))
        nulls = Long(len(leaf.entries) - len(values))
        if kind == "deprecated":
            return Struct({1: greatest, 2: least, 3: nulls})
        return Struct({3: nulls, 5: greatest, 6: least, 7: kind == "exact", 8: True})

    def write_group(self, rows):
        for leaf in self.leaves:
            leaf.entries = []
        for row in rows:
            for node, value in zip(self.nodes, row):
                node.shred(value, 0, 0)
        start = len(self.out)
        chunks = [self.write_chunk(leaf) for leaf in self.leaves]
        if self.spec.get("broken") and start == 4:
            self.out = self.out[:start] + b"\xff" * (len(self.out) - start)
        return Struct({1: chunks, 2: Long(len(self.out)), 3: Long(len(rows))})

    def file(self):
        rows = self.spec["rows"]
        size = self.spec.get("group_rows") or max(len(rows), 1)
        groups = [self.write_group(rows[i:i + size]) for i in range(0, len(rows), size)]
        root = Struct({4: b"schema", 5: len(self.nodes)})
        schema = [root] + [e for node in self.nodes for e in node.elements()]
        footer = thrift(Struct({1: 2, 2: schema, 3: Long(len(rows)), 4: groups, 6: b"test"}))
        return self.out + footer + struct.pack("<I", len(footer)) + b"PAR1"


def main():
    body = Writer(json.load(sys.stdin)).file()
    if "--answer" in sys.argv:
        json.dump({"body_base64": base64.b64encode(body).decode()}, sys.stdout)
    else:
        sys.stdout.buffer.write(body)


if __name__ == "__main__":
    main()
