// SPDX-License-Identifier: Apache-2.0

package sealer

import "time"

// Reading is what the clocks of a host show.
type Reading struct {
	Time   time.Time     // the wall clock, which may step
	Uptime time.Duration // since boot, suspend included; never steps
	BootID [16]byte
}

// Clock reads the clocks of a host.
type Clock func() Reading
