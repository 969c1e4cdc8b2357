"""A consumer: reads a lane in place, re-attaches when its producer comes again."""

import select
import time

import framelane_layout as L
from attachment import Attachment, NobodyThere
from kernel import Failure, fence, futex_wait
from ring import READY, check_name, sequence_of, slot_of, state

SLICE = 0.05  # seconds a thread sleeps before it looks at its producer
OLD_EPOCHS = 2


class Frame:
    """One lease."""

    def __init__(self, attachment, cell, token_, missed, new_epoch):
        self.attachment, self.cell, self.token = attachment, cell, token_
        self.missed, self.new_epoch = missed, new_epoch
        self.sequence = sequence_of(token_)
        self.descriptor = attachment.descriptor(slot_of(token_))

    def check(self):
        return self.attachment.check(self.token)

    def planes(self):
        """Bytes of each plane; of device memory copied first and checked afterwards."""
        count = min(self.descriptor.plane_count, L.Size.PLANES)
        data = [self.attachment.plane(slot_of(self.token), self.descriptor, number)
                for number in range(count)]
        if self.attachment.is_device() and not self.check():
            raise self.revoked()
        return data

    def plane_fd(self, number):
        """The descriptor of the buffer that a plane is in; not the caller's own."""
        return self.attachment.plane_fd(self.descriptor.planes[number])

    def revoked(self):
        return Failure(L.ErrorKind.REVOKED, f"frame {self.sequence} was taken back")

    def release(self):
        intact = not self.attachment.is_device() or self.check()
        self.attachment.release(self.cell)
        if not intact:
            raise self.revoked()


class Consumer:
    """One handle."""

    def __init__(self, lane, mode, leases, wait, reattach, writable, layout_hash, table):
        check_name(lane)
        if not 1 <= leases <= 63:
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, f"{leases} leases, 1 to 63 can be")
        self.hello = (lane, mode, leases, writable, layout_hash, table)
        self.lane, self.mode, self.reattach = lane, mode, reattach
        self.current, self.old = None, []
        self.epoll = select.epoll()
        self.closed = self.ended = False
        self.received = self.missed = 0
        self._attach_until(time.monotonic() + wait)
        self.new_epoch = False

    # Attaching

    def _attach(self):
        return Attachment(*self.hello)

    def _attach_until(self, deadline):
        while True:
            try:
                self._begin(self._attach())
                return
            except NobodyThere as error:
                if time.monotonic() >= deadline:
                    raise Failure(L.ErrorKind.NOT_FOUND, str(error)) from error
            except Failure as error:
                if error.kind != L.ErrorKind.TOO_MANY or time.monotonic() >= deadline:
                    raise
            time.sleep(0.01)

    def _begin(self, attachment):
        self.current = attachment
        self.last = 0
        self.started = self.mode == L.Mode.LOSSLESS
        if self.started:
            self.last = attachment.page._cursor - 1
        self.new_epoch = True
        for fd, events in attachment.watched():
            self.epoll.register(fd, events)

    def _lose(self):
        for fd, _ in self.current.watched():
            self.epoll.unregister(fd)
        self.current.lost = True
        self.current.abandon()
        self.old.append(self.current)
        self.current = None
        self.ended = not self.reattach

    def _settle(self):
        """Nothing to read: notices the end of the producer and looks for the next."""
        if self.current:
            self.current.drain()
            self.current.arm()
            if not self.current.is_over() or self._has_news():
                return
            self._lose()
        self._refuse()
        self.old = [epoch for epoch in self.old if epoch.held()]
        if len(self.old) >= OLD_EPOCHS:
            text = "frames of two earlier producers are still held; release them"
            raise Failure(L.ErrorKind.OLD_EPOCHS_HELD, text)
        try:
            self._begin(self._attach())
        except NobodyThere:
            pass
        except Failure as error:
            if error.kind not in (L.ErrorKind.TOO_MANY, L.ErrorKind.DISCONNECTED):
                raise

    def _refuse(self):
        if self.closed:
            raise Failure(L.ErrorKind.CLOSED, f"this consumer of {self.lane} is closed")
        if self.ended:
            raise Failure(L.ErrorKind.DISCONNECTED, f"the producer of {self.lane} is gone")

    # Reading

    def _has_news(self):
        return self.current is not None and self.current.newest() > self.last

    def _lease(self, candidate):
        """The token in a cell of ours, if the frame is READY; else None."""
        cell = self.current.free_cell()
        if cell is None:
            raise Failure(L.ErrorKind.LEASES_IN_USE, "all granted frames are held; release one")
        page = self.current.page
        fence()
        page._cells[cell] = candidate
        fence()
        slot = self.current.lane.slots[slot_of(candidate)]
        if slot._state == state(sequence_of(candidate), READY):
            frame = Frame(self.current, cell, candidate, 0, False)
            if self.current.may_deliver(frame):
                return frame
        self.current.clear(cell)
        return None

    def _borrow_newest(self, after):
        while True:
            newest = self.current.head()
            if sequence_of(newest) <= after:
                return None
            frame = self._lease(newest)
            if frame or self.current.head() == newest:
                return frame

    def _borrow_from(self, sequence):
        """The oldest frame from this one on that is still among the newest 1 + history."""
        header = self.current.lane.header
        while True:
            newest = self.current.newest()
            if newest < sequence:
                return None
            sequence = max(sequence, newest - header.history, 1)
            candidate = header._recent[sequence % 64]
            if sequence_of(candidate) == sequence:
                frame = self._lease(candidate)
                if frame:
                    return frame
            sequence += 1

    def _take(self):
        self._refuse()
        if not self._has_news():
            return None
        if self.mode == L.Mode.LATEST:
            return self._deliver(self._borrow_newest(self.last))
        newest = self.current.newest()
        frame = self._borrow_from(self.last + 1)
        if self.mode == L.Mode.LOSSLESS:
            self.current.advance(frame.sequence if frame else newest)
        return self._deliver(frame)

    def _deliver(self, frame):
        if frame and frame.sequence > self.last:
            frame.missed = frame.sequence - self.last - 1 if self.started else 0
            self.started, self.last = True, frame.sequence
            self.received += 1
            self.missed += frame.missed
            page = self.current.page
            page._received, page._missed = self.received, self.missed
            page._last_sequence = frame.sequence
        if frame:
            frame.new_epoch, self.new_epoch = self.new_epoch, False
        return frame

    def try_next(self):
        frame = self._take()
        if frame is None:
            self._settle()
            frame = self._take()
        return frame

    def next(self, seconds):
        deadline = time.monotonic() + seconds
        while True:
            frame = self._take()
            if frame or not self._wait_once(deadline):
                return frame or self._take()

    def latest(self):
        if self.mode == L.Mode.LOSSLESS:
            raise Failure(L.ErrorKind.UNSUPPORTED, "a lossless reader takes every frame")
        self._refuse()
        if not self._has_news():
            self._settle()
        if self.current is None or not self.current.newest():
            return None
        return self._deliver(self._borrow_newest(min(self.last, self.current.newest() - 1)))

    def wait(self, seconds):
        deadline = time.monotonic() + seconds
        self._refuse()
        while not self._has_news():
            if not self._wait_once(deadline):
                break
        return self._has_news()

    def _wait_once(self, deadline):
        """Sleeps once; whether to look again."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        if self.current is None:
            time.sleep(min(left, 0.01))
        else:
            self.current.sleep(min(left, SLICE), self._has_news, futex_wait)
        self._refuse()
        if not self._has_news():
            self._settle()
        return True

    def poll(self, seconds):
        """Whether the descriptor becomes readable. try_next has drained and armed it."""
        return bool(self.epoll.poll(seconds, 1))

    def close(self):
        """Held frames stay; their attachments end with the last of them."""
        self.closed = True
        if self.current:
            self.current.abandon()
            self.current = None
        self.epoll.close()
