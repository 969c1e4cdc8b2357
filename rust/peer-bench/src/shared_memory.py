"""multiprocessing.shared_memory with a pair of semaphores for each reader: four slots, at most two
records unread. Each reader copies a record out."""

import multiprocessing
import sys
import time
from multiprocessing import shared_memory

SLOTS = 4
UNREAD = 2
LOG = 100_000


def read(index, size, name, log_name, filled, free, orders, done):
    memory = shared_memory.SharedMemory(name)
    log = shared_memory.SharedMemory(log_name)
    times = log.buf.cast("Q")
    turn = 0
    while (count := orders.recv()) > 0:
        for record in range(count):
            filled.acquire()
            at = turn % SLOTS * size
            bytes(memory.buf[at : at + size])
            times[(1 + index) * LOG + record] = time.monotonic_ns()
            free.release()
            turn += 1
        done.release()
    times.release()
    memory.close()
    log.close()


class Contest:
    def __init__(self, size, readers, every_ns):
        context = multiprocessing.get_context("fork")
        self.size, self.readers, self.every_ns, self.turn = size, readers, every_ns, 0
        self.memory = shared_memory.SharedMemory(create=True, size=SLOTS * size)
        self.log = shared_memory.SharedMemory(create=True, size=(1 + readers) * LOG * 8)
        self.times = self.log.buf.cast("Q")
        self.filled = [context.Semaphore(0) for _ in range(readers)]
        self.free = [context.Semaphore(UNREAD) for _ in range(readers)]
        self.done = context.Semaphore(0)
        self.orders, self.processes = [], []
        for index in range(readers):
            theirs, ours = context.Pipe(duplex=False)
            arguments = (index, size, self.memory.name, self.log.name)
            arguments += (self.filled[index], self.free[index], theirs, self.done)
            self.processes.append(context.Process(target=read, args=arguments, daemon=True))
            self.processes[-1].start()
            self.orders.append(ours)
        self.sources = [bytes([number + 1]) * size for number in range(SLOTS)]

    def run(self, count, every_ns):
        for order in self.orders:
            order.send(count)
        start = time.monotonic_ns()
        for record in range(count):
            if every_ns:
                rest = start + (record + 1) * every_ns - time.monotonic_ns()
                time.sleep(max(0, rest) / 1e9)
            for free in self.free:
                free.acquire()
            self.times[record] = time.monotonic_ns()
            at = self.turn % SLOTS * self.size
            self.memory.buf[at : at + self.size] = self.sources[self.turn % SLOTS]
            for filled in self.filled:
                filled.release()
            self.turn += 1
        for _ in range(self.readers):
            self.done.acquire()
        return time.monotonic_ns() - start

    def rate(self, count):
        return count / (self.run(count, 0) / 1e9)

    def one_way(self, count):
        self.run(count, self.every_ns)
        slowest = [
            max(self.times[(1 + reader) * LOG + record] for reader in range(self.readers))
            for record in range(count)
        ]
        ways = sorted(last - self.times[record] for record, last in enumerate(slowest))
        return ways[count // 2], ways[min(count - 1, count * 99 // 100)]

    def end(self):
        for order in self.orders:
            order.send(0)
        for process in self.processes:
            process.join(2)
        self.times.release()
        for memory in (self.memory, self.log):
            memory.close()
            memory.unlink()


def main():
    contest = Contest(*map(int, sys.argv[1:4]))
    try:
        print("ready", flush=True)
        for line in sys.stdin:
            what, count = line.split()
            count = min(int(count), LOG)
            answer = (contest.rate(count),) if what == "rate" else contest.one_way(count)
            print(*answer, flush=True)
    finally:
        contest.end()


main()
