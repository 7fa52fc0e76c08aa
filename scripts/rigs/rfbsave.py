#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Presses Bochs's save button through its RFB display, then its power button.

usage: rfbsave.py PORT FOLDER    (FOLDER exists; relative to Bochs's working folder)

Bochs offers no other way to save its state. The protocol is RFC 6143, version 3.3. Ends when Bochs
has closed the connection, which it does once the state is saved and it has powered off.
"""
import socket
import struct
import sys
import threading
import time

# The buttons of Bochs's header bar are 32 pixels wide; the second from the right edge of the screen
# is "save simulation state".
SAVE_BUTTON_FROM_RIGHT = 48
HEADER_BAR_MIDDLE = 10
RETURN = 0xFF0D


def main():
    port, folder = int(sys.argv[1]), sys.argv[2]
    rfb = socket.create_connection(("127.0.0.1", port), 10)
    rfb.settimeout(None)
    stream = rfb.makefile("rb")

    stream.read(12)
    rfb.sendall(b"RFB 003.003\n")
    if stream.read(4) != b"\0\0\0\1":
        sys.exit("rfbsave: Bochs wants a password")
    rfb.sendall(b"\1")
    width, _height = struct.unpack(">HH", stream.read(4))
    stream.read(16)
    stream.read(struct.unpack(">I", stream.read(4))[0])

    closed = threading.Event()

    def drain():
        try:
            while rfb.recv(65536):
                pass
        except OSError:
            pass
        closed.set()

    threading.Thread(target=drain, daemon=True).start()

    def pointer(buttons):
        x = width - SAVE_BUTTON_FROM_RIGHT
        rfb.sendall(struct.pack(">BBHH", 5, buttons, x, HEADER_BAR_MIDDLE))
        time.sleep(0.2)

    def key(code):
        for down in (1, 0):
            rfb.sendall(struct.pack(">BBHI", 4, down, 0, code))
            # Bochs looks at its queue, of 16 keys, about every 10 ms.
            time.sleep(0.02)

    for buttons in (0, 1, 0):
        pointer(buttons)
    time.sleep(1)
    for character in folder:
        key(ord(character))
    key(RETURN)
    # "Do you want to continue?" is asked when all is saved; until then keys go nowhere.
    try:
        while not closed.wait(1):
            key(ord("n"))
            key(RETURN)
    except OSError:
        pass


main()
