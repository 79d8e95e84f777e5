// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package sealer

import (
	"crypto/rand"
	"time"
)

// SystemClock returns the clock of this host. Where there is no boot id to be
// had, each process counts as a boot of its own.
func SystemClock() Clock {
	start := time.Now()
	var boot [16]byte
	rand.Read(boot[:])
	return func() Reading {
		now := time.Now()
		return Reading{Time: now, Uptime: now.Sub(start), BootID: boot}
	}
}
