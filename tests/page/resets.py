# SPDX-License-Identifier: Apache-2.0
"""Real resets on loopback, by a process of a given name (hex bytes) after a
given idle time: resets.py NAME_HEX IDLE_SECONDS COUNT. Prints its pid first."""
import ctypes
import os
import socket
import struct
import sys
import time

PR_SET_NAME = 15


def reset(idle):
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server, _ = listener.accept()
    client.send(b"question")
    server.recv(100)
    server.send(b"answer")
    client.recv(100)
    time.sleep(idle)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.close()
    try:
        client.recv(100)
    except ConnectionResetError:
        pass
    client.close()
    listener.close()


name = bytes.fromhex(sys.argv[1])
ctypes.CDLL(None).prctl(PR_SET_NAME, ctypes.c_char_p(name), 0, 0, 0)
print(os.getpid(), flush=True)
for _ in range(int(sys.argv[3])):
    reset(float(sys.argv[2]))
