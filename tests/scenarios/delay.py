# SPDX-License-Identifier: Apache-2.0
"""Runs in the router: what crosses it takes MS milliseconds longer each way.
Kernels without netem have no other way. Packets are led to a TUN device and
written back after a while, in order."""
import collections
import fcntl
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000


def set_up():
    fd = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH', b'delay',
                                           IFF_TUN | IFF_NO_PI))
    for command in ('ip link set delay mtu 1500 up',
                    'sysctl -qw net.ipv4.conf.delay.rp_filter=0',
                    'sysctl -qw net.ipv4.conf.all.rp_filter=0',
                    'ip route add default dev delay table 100',
                    'ip rule add iif west lookup 100',
                    'ip rule add iif east lookup 100'):
        subprocess.run(command.split(), check=True)
    return fd


def main():
    wait = float(sys.argv[1]) / 1000
    fd = set_up()
    print('ready', flush=True)
    queue = collections.deque()
    while True:
        left = max(0, queue[0][0] - time.monotonic()) if queue else None
        if select.select([fd], [], [], left)[0]:
            queue.append((time.monotonic() + wait, os.read(fd, 65535)))
        while queue and queue[0][0] <= time.monotonic():
            os.write(fd, queue.popleft()[1])


main()
