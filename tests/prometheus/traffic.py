# SPDX-License-Identifier: Apache-2.0
"""Connections in a network namespace of their own, which ends with it.

traffic.py known          failures of known numbers; one line of JSON: the
                          namespace and what its kernel counted
traffic.py stale          a request on a connection that its server has just
                          closed after 5 s idle
traffic.py storm RATE     so many connections a second, every second one reset,
                          until stdin closes
"""
import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
LINGER_ZERO = struct.pack('ii', 1, 0)
LINGERS, UNREADS, UNTOLD, REFUSALS, LATE, GOOD = 12, 4, 2, 5, 3, 6
SCANNER, SCANNED, SCAN_PORTS = '127.0.0.9', '127.0.0.1', 10
KEEPALIVE = 5  # seconds, as Node.js has it


def enter_namespace():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), 'unshare')
    subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)


def tcp_counters():
    with open('/proc/thread-self/net/snmp') as f:
        names, values = (line.split()[1:] for line in f
                         if line.startswith('Tcp:'))
    return dict(zip(names, map(int, values)))


class Server:
    def __init__(self):
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.address = self.listener.getsockname()

    def pair(self):
        client = socket.create_connection(self.address, 5)
        return client, self.listener.accept()[0]


def told(client):
    """Reads until the failure is told."""
    try:
        client.recv(10)
    except ConnectionResetError:
        pass
    client.close()


def linger(server):
    client, end = server.pair()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    end.close()
    told(client)


def unread(server):
    client, end = server.pair()
    client.send(b'a question')
    end.recv(1, socket.MSG_PEEK)
    end.close()
    told(client)


def untold(server):
    """The client closes, and no call of it ever heard of the RST."""
    client, end = server.pair()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    end.close()
    client.close()


def refused(_server):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        nobody = s.getsockname()
    try:
        socket.create_connection(nobody, 5)
    except ConnectionRefusedError:
        pass


def late(server):
    """The server has closed in order; the client uses the connection still."""
    client, end = server.pair()
    end.close()
    client.recv(10)
    client.send(b'a question too late')
    try:
        for _ in range(3):
            client.send(b'and more')
    except (BrokenPipeError, ConnectionResetError):
        pass
    client.close()


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def scan():
    """SYNs to port after port, from an address that has no sockets."""
    source, target = map(socket.inet_aton, (SCANNER, SCANNED))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW,
                       socket.IPPROTO_TCP) as raw:
        raw.bind((SCANNER, 0))
        for port in range(2000, 2000 + SCAN_PORTS):
            syn = struct.pack('!HHIIBBH', 40000, port, 1, 0, 5 << 4, 2, 1024)
            pseudo = source + target + struct.pack('!HH', 6, 20)
            check = checksum(pseudo + syn + bytes(4))
            raw.sendto(syn + struct.pack('!HH', check, 0), (SCANNED, 0))


def good(server):
    client, end = server.pair()
    client.send(b'a question')
    end.recv(100)
    end.send(b'an answer')
    client.recv(100)
    client.close()
    end.recv(100)
    end.close()


def known():
    server = Server()
    for make, times in ((linger, LINGERS), (unread, UNREADS), (untold, UNTOLD),
                        (refused, REFUSALS), (late, LATE), (good, GOOD)):
        for _ in range(times):
            make(server)
    scan()
    print(json.dumps({'netns': os.stat('/proc/thread-self/ns/net').st_ino,
                      'tcp': tcp_counters()}), flush=True)


def stale():
    server = Server()
    client, end = server.pair()
    client.send(b'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    end.recv(1000)
    end.send(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    client.recv(1000)
    time.sleep(KEEPALIVE)
    end.close()
    client.send(b'GET /again HTTP/1.1\r\nHost: a\r\n\r\n')
    time.sleep(0.1)
    try:
        client.recv(1000)
    except ConnectionResetError:
        pass
    client.close()


def storm(rate):
    server = Server()
    while not select.select([sys.stdin], [], [], 2 / rate)[0]:
        linger(server)
        good(server)


enter_namespace()
if sys.argv[1] == 'known':
    known()
elif sys.argv[1] == 'stale':
    stale()
else:
    storm(float(sys.argv[2]))
