// SPDX-License-Identifier: Apache-2.0

package archive

import "github.com/logseal/logseal/pkg/seal"

// parseID is [seal.ParseID] for bytes. Records of one session mostly follow one another, so the handle's string is used again.
func (d *decoder) parseID(raw []byte) (seal.ID, error) {
	const at = seal.HandleSize
	if d.handle == "" || len(raw) < at || string(raw[:at]) != d.handle {
		id, err := seal.ParseID(string(raw))
		if err == nil {
			d.handle = id.Handle
		}
		return id, err
	}
	// The handle is known to be well-formed, and the number is read by the same rules: no leading zero, at most 18 digits.
	digits := raw[at:]
	if len(digits) < 2 || digits[0] != '-' || len(digits) > 1+18 || digits[1] == '0' && len(digits) > 2 {
		return seal.ParseID(string(raw))
	}
	var n uint64
	for _, c := range digits[1:] {
		if c -= '0'; c > 9 {
			return seal.ParseID(string(raw))
		}
		n = n*10 + uint64(c)
	}
	return seal.ID{Handle: d.handle, Seq: n}, nil
}
