// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"runtime/debug"
)

// InternalError is a fault of this program, which says nothing about the archive: something in it panicked.
type InternalError struct {
	Value any    // of the panic
	Stack []byte // of the goroutine that panicked; holds names of functions and no content of records
}

func (e *InternalError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }

// Recover, deferred, turns a panic into the function's error: an [*InternalError].
func Recover(err *error) {
	if value := recover(); value != nil {
		*err = &InternalError{value, debug.Stack()}
	}
}
