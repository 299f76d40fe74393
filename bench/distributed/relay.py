"""A wire between two network namespaces that takes its time: relay.py NAMESPACE NAMESPACE MILLISECONDS, as root, until it is killed.

It makes a tun device in each namespace, named wire, and passes packets on after a delay. Linux' netem does the same, where a kernel has it.
Packets are large, as network cards hand them over (GRO), so that the relay itself takes little of the processors.
"""

import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
MTU = 32_000

first, second, delay = sys.argv[1], sys.argv[2], float(sys.argv[3]) / 1000


def tun(namespace: str, address: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    made = fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"wire%d", IFF_TUN | IFF_NO_PI))
    name = made[:16].rstrip(b"\0").decode()
    run = lambda *command: subprocess.run(command, check=True)
    run("ip", "link", "set", name, "netns", namespace)
    inside = ("ip", "-n", namespace)
    run(*inside, "link", "set", name, "name", "wire")
    run(*inside, "addr", "add", f"{address}/24", "dev", "wire")
    run(*inside, "link", "set", "wire", "mtu", str(MTU), "txqueuelen", "1000", "up")
    run(*inside, "link", "set", "lo", "up")
    return device


ends = [tun(first, "10.77.0.1"), tun(second, "10.77.0.2")]
other = {ends[0]: ends[1], ends[1]: ends[0]}
waiting: deque = deque()
print("ready", flush=True)
while True:
    left = None if not waiting else max(0.0, waiting[0][0] - time.perf_counter())
    readable, _, _ = select.select(ends, [], [], left)
    now = time.perf_counter()
    for end in readable:
        try:
            while True:
                waiting.append((now + delay, other[end], os.read(end, 65_536)))
        except BlockingIOError:
            pass  # All that was there is read.
    while waiting and waiting[0][0] <= time.perf_counter():
        _, end, packet = waiting.popleft()
        try:
            os.write(end, packet)
        except BlockingIOError:
            pass  # A full queue drops packets, as a switch does.
