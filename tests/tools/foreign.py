#!/usr/bin/env python3
"""Hands programs a descriptor whose close waits.

foreign.py KIND[:PID[:UID]] run PROG...           runs PROG with the descriptor as descriptor 0
foreign.py KIND[:PID[:UID]] send ADDRESS COUNT    sends COUNT messages with it to a Unix socket, and ends that connection when standard input says so

KIND: linger: a TCP connection with SO_LINGER and data that its peer does not read: the last close(2) waits an hour.
      unflushed: a file of a FUSE server that does not answer process PID and its children: each close(2) and fstat(2) waits.
With UID, this user makes the connection of send.
Afterwards only PROG, or the other end of the socket, has the descriptor. The tool writes "done EXITCODE" and waits for the end of standard
input. Then it ends the FUSE server, and thereby all that waited for it.
"""
import ctypes
import os
import signal
import socket
import struct
import subprocess
import sys


def lingering():
    listener = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(listener.getsockname())
    theirs, _ = listener.accept()
    ours.setblocking(False)
    try:
        while True:
            ours.send(bytes(65536))
    except BlockingIOError:
        pass
    ours.setblocking(True)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    return ours.detach(), theirs


INIT, LOOKUP, FORGET, GETATTR, OPEN, STATFS, RELEASE, FLUSH, BATCH_FORGET = 26, 1, 2, 3, 14, 17, 18, 25, 42


def attributes(node):
    kind = 0o040777 if node == 1 else 0o100666
    return struct.pack("<6Q10I", node, 0, 0, 0, 0, 0, 0, 0, 0, kind, 1, 0, 0, 0, 512, 0)


def is_of(pid, daemon):
    try:
        # Reading /proc/PID/stat would wait for a process that closes the file while it executes a program.
        with open(f"/proc/{pid}/status") as status:
            return pid == daemon or f"PPid:\t{daemon}\n" in status.read()
    except FileNotFoundError:
        return False


def serve(device, daemon):
    """Answers the kernel. One file, of which FLUSH is not answered to the daemon."""
    while True:
        try:
            request = os.read(device, 1 << 20)
        except OSError:
            return
        _, code, unique, node, _, _, pid = struct.unpack_from("<IIQQIII", request)
        if code in (FORGET, BATCH_FORGET) or (code in (FLUSH, GETATTR, STATFS) and is_of(pid, daemon)):
            continue
        answer, error = b"", 0
        if code == INIT:
            answer = struct.pack("<IIIIHHIIHHIII6I", 7, 31, 0, 0, 8, 8, 4096, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)[:64]
        elif code == LOOKUP:
            answer = struct.pack("<QQQQII", 2, 0, 3600, 0, 0, 0) + attributes(2)
        elif code == GETATTR:
            answer = struct.pack("<QII", 0, 0, 0) + attributes(node)
        elif code == OPEN:
            answer = struct.pack("<QII", 1, 1, 0)
        elif code not in (RELEASE, FLUSH):
            error = -38  # ENOSYS
        os.write(device, struct.pack("<IiQ", 16 + len(answer), error, unique) + answer)


def unflushed(daemon):
    c = ctypes.CDLL(None, use_errno=True)
    # CLONE_NEWNS, MS_REC | MS_PRIVATE: only this process sees the mount.
    if c.unshare(0x20000) or c.mount(b"none", b"/", None, 0x44000, None):
        sys.exit(f"no mount namespace: {os.strerror(ctypes.get_errno())}")
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if c.mount(b"unflushed", b"/mnt", b"fuse", 0, options):
        sys.exit(f"no FUSE: {os.strerror(ctypes.get_errno())}")
    server = os.fork()
    if server == 0:
        os.dup2(os.open("/dev/null", os.O_RDWR), 0)
        os.dup2(0, 1)
        os.dup2(0, 2)
        os.closerange(3, device)
        os.closerange(device + 1, 100)
        signal.alarm(300)
        serve(device, daemon)
        os._exit(0)
    os.close(device)
    return os.open("/mnt/file", os.O_RDWR), server


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    kind, daemon, user = (sys.argv[1] + "::").split(":")[:3]
    server = None
    if kind == "linger":
        fd, _peer = lingering()
    else:
        fd, server = unflushed(int(daemon or 0))
    connection = None
    try:
        if sys.argv[2] == "run":
            code = subprocess.call(sys.argv[3:], stdin=fd)
        else:
            os.seteuid(int(user or os.geteuid()))
            address, count = sys.argv[3], int(sys.argv[4])
            address = "\0" + address[1:] if address.startswith("@") else address
            for kind_of_socket in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
                connection = socket.socket(socket.AF_UNIX, kind_of_socket)
                try:
                    connection.connect(address)
                    break
                except OSError as error:
                    code = error.errno
                    connection.close()
            code = 0
            try:
                for _ in range(count):
                    socket.send_fds(connection, [b"x"], [fd], socket.MSG_DONTWAIT)
            except OSError as error:
                code = error.errno
        # If the server has closed its copy already, this close would wait; a signal ends the wait.
        signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        os.close(fd)
        signal.setitimer(signal.ITIMER_REAL, 0)
        print("done", code, flush=True)
        sys.stdin.readline()
        if connection:
            connection.close()
            print("closed", flush=True)
            sys.stdin.readline()
    finally:
        os.seteuid(os.getuid())
        if server:
            os.kill(server, signal.SIGKILL)
            os.waitpid(server, 0)


main()
