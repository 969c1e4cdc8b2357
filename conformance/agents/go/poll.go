package main

import (
	"syscall"
	"time"
)

// Readable waits for the descriptor as a program with an epoll instance of its own does.
func readable(fd int, limit time.Duration) (int, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return 0, misunderstood("epoll_create1: %v", err)
	}
	defer syscall.Close(epoll)
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		return 0, misunderstood("epoll_ctl: %v", err)
	}
	events := make([]syscall.EpollEvent, 1)
	for deadline := time.Now().Add(limit); ; {
		left := max(time.Until(deadline), 0)
		// Rounded up, so that the last wait is not one for nothing. Go's own signals end waits.
		count, err := syscall.EpollWait(epoll, events, int((left+time.Millisecond-1)/time.Millisecond))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return 0, misunderstood("epoll_wait: %v", err)
		}
		return count, nil
	}
}
