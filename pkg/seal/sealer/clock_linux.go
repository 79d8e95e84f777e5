// SPDX-License-Identifier: Apache-2.0

package sealer

import (
	"encoding/hex"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// SystemClock returns the clock of this host.
func SystemClock() Clock {
	boot := readBootID()
	return func() Reading {
		var ts unix.Timespec
		// Cannot fail: CLOCK_BOOTTIME is older than any kernel Go runs on.
		_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
		return Reading{Time: time.Now(), Uptime: time.Duration(ts.Nano()), BootID: boot}
	}
}

// readBootID returns the kernel's boot id, or zeros where it is hidden.
func readBootID() (id [16]byte) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	if err == nil {
		copy(id[:], raw)
	}
	return id
}
