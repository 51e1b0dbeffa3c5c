#!/usr/bin/env python3
"""Clients and a worker of each protocol, written from pm-protocols(7) alone.

protocols.py examples                                the examples of the page, in hex
protocols.py register REGISTRY reserve|now|PID SERVICE ADDRESS    prints OWNER and ID, and keeps the registration until it is removed
protocols.py announce REGISTRY PATH                  the same with its executable
protocols.py publish|remove REGISTRY SERVICE ID      publishes a registration, or removes it
protocols.py remove-all REGISTRY SERVICE             removes those of a service
protocols.py subscribe REGISTRY SERVICE              prints the FIFO's name, then a line of an event
protocols.py lookup REGISTRY SERVICE                 prints the addresses
protocols.py store STORE NAME MS                     stores descriptor 0
protocols.py get STORE NAME remove|keep wait|now     prints what can be read from a stored descriptor
protocols.py list STORE | drop STORE NAME
protocols.py open OPENER NAME MODE PASSWORD          prints the file; with a MODE above 0, copies standard input to it
protocols.py wait SOCKET KIND WHAT PATTERN USERS MS  prints "listening", and each netstring of the answer
protocols.py work KIND PATH ANSWER...                answers offers: take, full, or the text of a refusal
protocols.py offer KIND PATH [VARIABLE...]           offers descriptor 0

KIND: stream, seqpacket or datagram. $PACKET: the packet size of a hello. A line "ready" comes first where others may act then. A refusal is printed, with exit code 1.
"""
import array
import os
import select
import socket
import stat
import struct
import sys

HELLO, FINISHED, REFUSED = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
MORE = 0x80000000
KINDS = {"stream": socket.SOCK_STREAM, "seqpacket": socket.SOCK_SEQPACKET, "datagram": socket.SOCK_DGRAM}


class Refusal(Exception):
    pass


def number(n):
    return struct.pack(">I", n)


def long(n):
    return struct.pack(">Q", n)


def text(s):
    s = os.fsencode(s)
    return number(len(s)) + s + bytes(-len(s) % 4)


def array_of(encode, elements):
    return number(len(elements)) + b"".join(map(encode, elements))


class Payload:
    """Reads fields off a payload."""

    def __init__(self, data, descriptors=()):
        self.data, self.descriptors = data, list(descriptors)

    def take(self, n):
        assert len(self.data) >= n, "the payload ends early"
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def number(self):
        return struct.unpack(">I", self.take(4))[0]

    def long(self):
        return struct.unpack(">Q", self.take(8))[0]

    def text(self, most):
        size = self.number()
        assert size <= most
        s = self.take(size)
        assert self.take(-size % 4).strip(b"\0") == b""
        return os.fsdecode(s)

    def array(self, read, most):
        count = self.number()
        assert count <= most
        return [read() for _ in range(count)]

    def descriptor(self):
        there = self.number()
        assert there <= 1
        return self.descriptors.pop(0) if there else None

    def end(self):
        assert not self.data and not self.descriptors, "bytes or descriptors are left over"


def frame(kind, payload, count=0):
    return struct.pack(">III", kind, len(payload), count) + payload


def refusal(status, reason=""):
    return frame(REFUSED, number(status) + number(0) * 3 + text(reason))


class Channel:
    """A socket that carries frames."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer, self.came = b"", []
        self.is_stream = sock.type == socket.SOCK_STREAM
        self.packet = 65548  # the longest frame
        self.fragments = False
        self.sender = self.user = None

    def send(self, kind, payload, descriptors=()):
        if not self.fragments:
            return self.send_frame(frame(kind, payload, len(descriptors)), descriptors)
        most = self.packet - 12
        parts = [payload[i : i + most] for i in range(0, len(payload), most)] or [b""]
        for i, part in enumerate(parts):
            more = MORE if i + 1 < len(parts) else 0
            self.send_frame(frame(kind, part, (0 if i else len(descriptors)) | more), () if i else descriptors)

    def send_frame(self, data, descriptors=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        if not self.is_stream:
            return self.sock.sendmsg([data], rights, socket.MSG_NOSIGNAL, *([self.sender] if self.sender else []))
        sent = self.sock.sendmsg([data], rights, socket.MSG_NOSIGNAL)
        if sent < len(data):
            self.sock.sendall(data[sent:])

    def receive_once(self, room):
        control = socket.CMSG_SPACE(253 * 4) + socket.CMSG_SPACE(12)
        data, rights, flags, self.sender = self.sock.recvmsg(room, control, socket.MSG_CMSG_CLOEXEC)
        self.user = None
        for level, kind, value in rights:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array.array("i")
                numbers.frombytes(value[: len(value) - len(value) % 4])
                self.came += numbers
            elif level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                pid, uid, _ = struct.unpack("iii", value)
                self.user = uid if pid else None
        assert not flags & (socket.MSG_CTRUNC | socket.MSG_TRUNC)
        return data

    def receive_frame(self):
        """Type, payload, descriptors, whether a fragment follows; None at the end of the connection."""
        if not self.is_stream:
            data = self.receive_once(self.packet)
            if not data and not self.came:
                return None
            kind, size, count = struct.unpack(">III", data[:12])
            assert size == len(data) - 12 and count == len(self.came)
            came, self.came = self.came, []
            return kind, data[12:], came, False
        while True:
            if len(self.buffer) >= 12:
                kind, size, count = struct.unpack(">III", self.buffer[:12])
                more, count = (count & MORE, count & ~MORE) if self.fragments else (0, count)
                assert size <= self.packet - 12 and count <= 1
                if len(self.buffer) >= 12 + size:
                    break
            data = self.receive_once(4096)
            if not data:
                assert not self.buffer, "the connection ended inside a frame"
                return None
            self.buffer += data
        payload, self.buffer = self.buffer[12 : 12 + size], self.buffer[12 + size :]
        assert len(self.came) >= count
        came, self.came = self.came[:count], self.came[count:]
        return kind, payload, came, bool(more)

    def receive(self):
        got = self.receive_frame()
        if not got:
            return None
        kind, payload, descriptors, more = got
        while more:
            next_kind, part, none, more = self.receive_frame()
            assert next_kind == kind and part and not none
            payload += part
        return kind, Payload(payload, descriptors)

    def greet(self):
        """The hello of both sides. $PACKET: the longest frame."""
        wanted = int(os.environ.get("PACKET", 65548))
        self.packet = 256
        self.request(HELLO, number(0x706D0001) + number(wanted))
        kind, payload = self.answer()
        assert kind == HELLO and payload.number() == 0x706D0001
        self.packet = min(wanted, payload.number())
        payload.end()
        assert self.packet >= 256
        self.fragments = True
        return self

    def request(self, kind, payload, descriptors=()):
        try:
            self.send(kind, payload, descriptors)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the server has refused without reading; its answer can be read

    def answer(self):
        try:
            got = self.receive()
        except ConnectionResetError:
            got = None if self.is_stream else self.receive()
        assert got, "the server has closed the connection"
        kind, payload = got
        if kind != REFUSED:
            return kind, payload
        status, code, index, limit, reason = (*(payload.number() for _ in range(4)), payload.text(255))
        payload.end()
        raise Refusal(f"status {status} code {code} index {index} limit {limit} {reason}".rstrip())

    def ask(self, kind, payload, expected, descriptors=()):
        self.request(kind, payload, descriptors)
        got, answer = self.answer()
        assert got == expected, f"type {got}"
        return answer

    def ask_to(self, kind, payload, descriptors=()):
        answer = self.ask(kind, payload, FINISHED, descriptors)
        count = answer.number()
        answer.end()
        return count


def check_server(sock):
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    assert uid in (0, os.geteuid()), f"user {uid} runs the server"


def connect(path, kind=socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_UNIX, kind)
    if kind == socket.SOCK_DGRAM:
        sock.bind("")  # autobind: an address for the answer
    sock.connect(path)
    if kind != socket.SOCK_DGRAM:
        check_server(sock)
    return Channel(sock)


def read_all(fd):
    while data := os.read(fd, 4096):
        os.write(1, data)


def say(*words):
    print(*words, flush=True)


# --- the registry's service


def add(reserve, service, address):
    item = text(service) + text(address) + number(0) + number(0)
    return number(reserve) + text("self") + long(0) + number(0) + text("") + number(0) + number(1) + item


def read_added(payload):
    owner = payload.text(11)
    ids = payload.array(lambda: payload.text(47), 128)
    token = payload.descriptor()
    payload.end()
    return owner, ids, token


def registry(path):
    return connect(path + "/socket")


def names(service, one):
    return array_of(lambda name: text(name[0]) + text(name[1]), [(service, one)])


def register(path, when, service, address):
    request = add(when == "reserve", service, address)
    if when.isdigit():
        keep(registry(path).ask(6, number(1) + request, 100, [os.pidfd_open(int(when))]))
    else:
        keep(registry(path).ask(0, request, 100))


def announce(path, exe):
    keep(registry(path).ask(5, number(0) + text("self") + long(0) + text(exe) + number(0), 100))


def keep(added):
    owner, ids, token = read_added(added)
    say(owner, *ids)
    while True:
        select.select([token], [], [])
        os.read(token, 4096)
        if os.fstat(token).st_nlink == 0:
            return say("removed")


def publish(path, service, one):
    say(registry(path).ask_to(1, names(service, one) + text("") + number(0)))


def remove(path, service, one):
    say(registry(path).ask_to(2, names(service, one)))


def remove_all(path, service):
    say(registry(path).ask_to(3, text(service) + number(0) + number(0) + text("") + number(0) + long(0)))


def subscribe(path, service):
    channel = registry(path)
    payload = channel.ask(4, text(service), 102)
    say(payload.text(39))
    fifo = payload.descriptor()
    payload.end()
    events = select.epoll()
    events.register(fifo, select.EPOLLIN | select.EPOLLET)
    while True:
        events.poll()
        try:
            while lines := os.read(fifo, 4096):
                return say(os.fsdecode(lines).splitlines()[0])
        except BlockingIOError:
            pass


def is_alive(directory, name):
    try:
        os.close(os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=directory))
        return True
    except (FileNotFoundError, OSError) as error:
        if error.errno in (6, 2):  # ENXIO, ENOENT
            return False
        raise


def lookup(path, service):
    top = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
    owner = os.fstat(top)
    services = os.stat("service", dir_fd=top, follow_symlinks=False)
    assert owner.st_uid == services.st_uid and not (owner.st_mode | services.st_mode) & 0o022
    found = []
    for uid in {0, owner.st_uid, os.geteuid()}:
        try:
            directory = os.open(f"service/{service}/{uid}", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
        except FileNotFoundError:
            continue
        for name in os.listdir(directory):
            fields = name.split(":", 6)
            if name.startswith(".") or len(fields) != 7:
                continue
            if not stat.S_ISFIFO(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode) or not is_alive(directory, name):
                continue
            _, _, netid, since, _, origin, address = fields
            address = address.replace("\\", "/").replace("\1", "\\")
            found.append((origin != "", int(since), "none" if netid == "none" else f"{netid}:{address}"))
    for _, _, address in sorted(found):
        say(address)


# --- the store and the opener


def store(path, name, lifetime):
    connect(path).greet().ask_to(1, text(name) + number(int(lifetime)) + number(1), [0])


def get(path, name, removes, waits):
    channel = connect(path).greet()
    channel.send(2, text(name) + number(removes == "remove") + number(waits == "wait"))
    if waits == "wait":
        say("ready")
    kind, payload = channel.answer()
    assert kind == 101
    fd = payload.descriptor()
    payload.end()
    read_all(fd)


def list_store(path):
    payload = connect(path).greet().ask(3, b"", 102)

    def row():
        return payload.text(127), payload.text(15), payload.text(127), payload.number(), payload.long(), payload.long()

    rows = payload.array(row, 2048)
    payload.end()
    for name, kind, address, owner, age, left in rows:
        assert age < 60000
        say(name, kind, address or "-", owner, left > 0)


def drop(path, name):
    connect(path).greet().ask_to(4, text(name))


def open_file(path, name, mode, password):
    payload = connect(path).greet().ask(1, text(name) + number(int(mode)) + text(password), 100)
    fd = payload.descriptor()
    payload.end()
    if mode == "0":
        read_all(fd)
    else:
        os.write(fd, sys.stdin.buffer.read())


# --- waiting


def netstring(s):
    s = os.fsencode(s)
    return b"%d:%b," % (len(s), s)


def wait(path, *fields):
    sock = connect(path).sock
    sock.sendall(b"".join(map(netstring, fields)))
    assert sock.recv(1) == b"\0"
    say("listening")
    data = b""
    while came := sock.recv(4096):
        data += came
    assert data, "no answer"
    while data:
        size, _, rest = data.partition(b":")
        content, comma, data = rest[: int(size)], rest[int(size) : int(size) + 1], rest[int(size) + 1 :]
        assert comma == b","
        say(os.fsdecode(content).rstrip("\n") or "(empty)")


# --- handing over


def check_identity(variables):
    if not variables:
        return True
    name, _, protocol = variables[0].partition("=")
    if name != "PROTO" or not protocol.isascii() or not protocol.isalnum() or protocol != protocol.upper():
        return False
    names = [v.partition("=")[0] for v in variables[1:] if "=" in v]
    if len(names) != len(variables) - 1 or any("\0" in v for v in variables):
        return False
    parts = tuple(protocol + part for part in ("LOCAL", "REMOTE", "CONN"))
    return all(n.startswith(parts) for n in names) and sum(len(os.fsencode(v)) + 1 for v in variables) <= 4096


def take_offer(channel, payload):
    variables = payload.array(lambda: payload.text(4096), 64)
    fd = payload.descriptor()
    payload.end()
    if not (isinstance(fd, int) and check_identity(variables)):
        return channel.send_frame(refusal(8, "not an offer"))
    channel.send(FINISHED, number(0))
    os.write(fd, "".join(sorted(v + "\n" for v in variables)).encode() + b"served\n")
    os.close(fd)


def work(kind, path, *answers):
    answers = list(answers)
    sock = socket.socket(socket.AF_UNIX, KINDS[kind])
    sock.bind(path)
    if kind == "datagram":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    else:
        sock.listen()
    say("ready")
    channel = None
    while answers:
        if not channel:
            channel = Channel(sock if kind == "datagram" else sock.accept()[0])
            if kind != "datagram":
                check_server(channel.sock)
        got = channel.receive()
        if not got:
            channel = None
            continue
        if kind == "datagram":
            assert channel.user in (0, os.geteuid()), f"offered by {channel.user}"
        offered, payload = got
        assert offered == 200
        answer = answers.pop(0)
        if answer == "take":
            take_offer(channel, payload)
            continue
        for fd in payload.descriptors:
            os.close(fd)
        channel.send_frame(refusal(17) if answer == "full" else refusal(8, answer))
        if kind != "datagram":
            channel.sock.close()
            channel = None


def offer(kind, path, *variables):
    channel = connect(path, KINDS[kind])
    assert channel.ask_to(200, array_of(text, variables) + number(1), [0]) == 0
    say("taken")


# --- the page's examples


def examples():
    one = text("1000") + array_of(text, ["718.12345678.01b3a9f7"]) + number(1)
    for message in (
        refusal(8, "busy"),
        frame(HELLO, number(0x706D0001) + number(65548)),
        frame(0, add(False, "web", "tcp:127.0.0.1:80")) + frame(100, one, 1),
        frame(200, array_of(text, ["PROTO=IPC", "IPCREMOTEEUID=1000"]) + number(1), 1) + frame(FINISHED, number(0)),
        frame(1, text("web") + number(0) + number(1), 1),
        frame(1, text("gold") + number(0) + text("")),
        b"".join(map(netstring, ("down", "ftp", "", "", "1000"))),
        b"\0" + netstring(""),
    ):
        say(message.hex())


COMMANDS = {
    "examples": examples,
    "register": register,
    "announce": announce,
    "publish": publish,
    "remove": remove,
    "remove-all": remove_all,
    "subscribe": subscribe,
    "lookup": lookup,
    "store": store,
    "get": get,
    "list": list_store,
    "drop": drop,
    "open": open_file,
    "wait": wait,
    "work": work,
    "offer": offer,
}

try:
    COMMANDS[sys.argv[1]](*sys.argv[2:])
except Refusal as refused:
    say(refused)
    sys.exit(1)
