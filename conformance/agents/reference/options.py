"""What a lane is made with."""

import framelane_layout as L
import pixels
from kernel import SEAL_FUTURE_WRITE, SEAL_GROW, SEAL_SHRINK, Failure, Mapping, memfd, seal
from kernel import sealed_size, seals


class Options:
    """What a lane is made with, checked."""

    def __init__(self, picture, payload_bytes, lease_budget, claims, history, lossless, access,
                 trust, memory, lease_ns, devices, layout_hash, table):
        needed = pixels.total(picture) if picture else 0
        self.picture, self.access, self.trust = picture, access, trust
        self.lease_budget, self.claims, self.history = lease_budget, claims, history
        self.lossless, self.memory, self.lease_ns = lossless, memory, lease_ns
        self.devices, self.layout_hash, self.table = devices, layout_hash, table
        self.slots = lease_budget + claims + 1 + history
        inline = memory == L.MemoryKind.INLINE
        self.payload_bytes = (payload_bytes or needed) if inline else 0
        if lease_budget < 1 or claims < 1 or self.slots > L.Limit.SLOTS:
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, f"{self.slots} slots, 3 to 64 can be")
        if inline and not self.payload_bytes:
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, "a lane needs a layout or a payload size")
        if inline and self.payload_bytes < needed:
            raise Failure(L.ErrorKind.TOO_LARGE, f"the layout needs {needed} bytes")
        self.device_bytes = [sealed_size(fd, "a device buffer") for fd in devices]

    def flags(self):
        device = self.memory != L.MemoryKind.INLINE
        chosen = {L.LaneFlag.BELL_ON_RELEASE: device or self.lossless,
                  L.LaneFlag.LOSSLESS: self.lossless,
                  L.LaneFlag.TRUSTED_ONLY: self.trust == "trusted_only",
                  L.LaneFlag.UNTRUSTED: self.trust == "untrusted"}
        return sum(flag for flag, on in chosen.items() if on)

    def writable_devices(self):
        return any(not seals(fd) & SEAL_FUTURE_WRITE for fd in self.devices)


def device_buffer(picture, number, writable):
    """A memfd that holds the picture, filled with its number as seed."""
    fd = memfd("conformance", pixels.total(picture))
    for plane, (offset, size, _, _) in enumerate(picture[3]):
        mapping = Mapping(fd, pixels.total(picture), writable=True)
        mapping.write(offset, pixels.filled(plane, number, size))
        mapping.close()
    seal(fd, SEAL_SHRINK | SEAL_GROW | (0 if writable else SEAL_FUTURE_WRITE))
    return fd
