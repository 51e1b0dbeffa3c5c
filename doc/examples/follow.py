#!/usr/bin/env python3
"""Prints each change of a service, as follow.c does, with the functions of pm.h and without an extension module.

    python3 follow.py www
"""
import ctypes
import select
import sys

pm = ctypes.CDLL("libpm.so.1")
UP, DOWN, CHANGED = 1, 2, 3


class Error(ctypes.Structure):
    _fields_ = [("result", ctypes.c_int), ("code", ctypes.c_int), ("index", ctypes.c_uint32), ("limit", ctypes.c_uint32),
                ("server_user", ctypes.c_uint32), ("owner", ctypes.c_uint32), ("message", ctypes.c_char * 256)]


class Query(ctypes.Structure):
    _fields_ = [("service", ctypes.c_char_p), ("netid", ctypes.c_char_p), ("users", ctypes.POINTER(ctypes.c_uint32)),
                ("user_count", ctypes.c_size_t), ("version", ctypes.c_uint32), ("flags", ctypes.c_uint)]


class Registration(ctypes.Structure):
    _fields_ = [("service", ctypes.c_char_p), ("netid", ctypes.c_char_p), ("address", ctypes.c_char_p),
                ("executable", ctypes.c_char_p), ("id", ctypes.c_char_p), ("version", ctypes.c_uint32), ("flags", ctypes.c_uint),
                ("user", ctypes.c_uint32), ("process", ctypes.c_int)]


class Event(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int), ("source", ctypes.c_int), ("registration", ctypes.POINTER(Registration)),
                ("text", ctypes.c_char_p), ("size", ctypes.c_size_t), ("fd", ctypes.c_int),
                ("variables", ctypes.POINTER(ctypes.c_char_p))]


pm.pm_last_error.restype = ctypes.POINTER(Error)
registry, watch = ctypes.c_void_p(), ctypes.c_void_p()


def checked(result):
    if result < 0:
        sys.exit("follow.py: " + pm.pm_last_error().contents.message.decode())
    return result


checked(pm.pm_open(ctypes.byref(registry), None, 0))
checked(pm.pm_watch_open(ctypes.byref(watch)))
checked(pm.pm_watch_services(watch, registry, ctypes.byref(Query(service=sys.argv[1].encode())), 10000, -1))
event, poll = Event(), select.poll()
poll.register(pm.pm_watch_fd(watch), select.POLLIN)
while True:
    while checked(pm.pm_watch_next(watch, ctypes.byref(event), 0, -1)):
        one = event.registration.contents
        print({UP: "up", DOWN: "down", CHANGED: "changed"}[event.kind], one.service.decode(), one.address.decode(), flush=True)
    poll.poll()
