// SPDX-License-Identifier: Apache-2.0

package siemexporter

import (
	"net"

	"golang.org/x/sys/unix"
)

// unacked returns how many bytes of a TCP connection the other side's system has not acknowledged (tcp(7), SIOCOUTQ).
func unacked(conn *net.TCPConn) (n int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	if controlErr := raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); controlErr != nil {
		return 0, controlErr
	}
	return n, err
}
