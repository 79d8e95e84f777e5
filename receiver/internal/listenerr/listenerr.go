// SPDX-License-Identifier: Apache-2.0

// Package listenerr says what to do about an address that a receiver cannot listen on.
package listenerr

import (
	"errors"
	"fmt"
	"syscall"
)

// Explain returns err with the key that the address stands under, and with the remedy where there is one.
func Explain(key string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s: %w: end the process that listens there (`ss -lnp` shows it), or write another port", key, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s: %w: write an address that this host has, or 0.0.0.0 for all of them", key, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s: %w: write a port from 1024 on, or give the process CAP_NET_BIND_SERVICE", key, err)
	}
	return fmt.Errorf("%s: %w", key, err)
}
