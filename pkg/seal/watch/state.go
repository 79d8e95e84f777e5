// SPDX-License-Identifier: Apache-2.0

package watch

// Part is a piece of the state, under a key of its own, for a key-value store.
type Part struct {
	Key   string // of a-z, 0-9 and "/"
	Value []byte // nil to delete the key
}
