// SPDX-License-Identifier: Apache-2.0

//go:build unix

// Package testport gives tests ports of the loopback interface on which nothing listens, for servers that are told where to listen, or that
// stop and come back.
//
// A port that was found by listening and closing again is free for everybody: the system may give it to the next who asks, or to a
// connection that somebody makes, and the server of the test cannot have it. These are bound and not listened on: until they are released
// the system gives them to nobody, while whoever names one may listen on it, if he sets SO_REUSEADDR, as Go and nearly all servers do.
package testport

import (
	"net"
	"os"
	"strconv"
	"syscall"
)

// Hold returns a TCP port that is held until release is called.
func Hold() (port int, release func(), err error) {
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, nil, os.NewSyscallError("socket", err)
	}
	if port, err = bind(fd); err != nil {
		_ = syscall.Close(fd)
		return 0, nil, err
	}
	return port, func() { _ = syscall.Close(fd) }, nil
}

func bind(fd int) (int, error) {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, os.NewSyscallError("bind", err)
	}
	address, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	return address.(*syscall.SockaddrInet4).Port, nil
}

// test is what a testing.TB is used for here: bin/logseal, whose demonstration needs ports, is not linked with that package.
type test interface {
	Helper()
	Fatal(args ...any)
	Cleanup(f func())
}

// Address returns a loopback address with a port that is held until the test has ended.
func Address(t test) string {
	t.Helper()
	port, release, err := Hold()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
