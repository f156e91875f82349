# SPDX-License-Identifier: Apache-2.0
"""Real failures on loopback, by a process of a given name (hex bytes) after a
given idle time: resets.py NAME_HEX IDLE_SECONDS KIND... Prints its pid first."""
import ctypes
import os
import socket
import struct
import sys
import time

PR_SET_NAME = 15
HERE = ('127.77.1.1', 0)  # apart from whatever else fails on this host


def connected(idle):
    """Both ends of a connection that has asked, answered and rested."""
    with socket.create_server(HERE) as listener:
        client = socket.create_connection(listener.getsockname(),
                                          source_address=HERE)
        server, _ = listener.accept()
    client.send(b'question')
    server.recv(100)
    server.send(b'answer')
    client.recv(100)
    time.sleep(idle)
    return client, server


def told(client):
    try:
        client.recv(100)
    except ConnectionResetError:
        pass
    client.close()


def linger(idle):
    client, server = connected(idle)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack('ii', 1, 0))
    server.close()
    told(client)


def unread(idle):
    client, server = connected(idle)
    client.send(b'nobody reads this')
    server.close()
    told(client)


def exit_(idle):
    client, server = connected(idle)
    client.send(b'nobody reads this')
    child = os.fork()
    if not child:
        client.close()
        os.kill(os.getpid(), 9)
    server.close()
    os.waitpid(child, 0)
    told(client)


def refused(_):
    with socket.create_server(HERE) as listener:
        address = listener.getsockname()
    try:
        socket.create_connection(address, source_address=HERE)
    except ConnectionRefusedError:
        pass


KINDS = {'linger': linger, 'unread': unread, 'exit': exit_, 'refused': refused}

name = bytes.fromhex(sys.argv[1])
ctypes.CDLL(None).prctl(PR_SET_NAME, ctypes.c_char_p(name), 0, 0, 0)
print(os.getpid(), flush=True)
for kind in sys.argv[3:]:
    KINDS[kind](float(sys.argv[2]))
