// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package redact

import (
	"testing"
	"time"
)

var started = time.Now()

// threadTime is the time that has passed, in nanoseconds: here nothing tells what a thread has used.
func threadTime(testing.TB) int64 { return int64(time.Since(started)) }
