// SPDX-License-Identifier: Apache-2.0

package verifier

// LimitStrange sets how much is kept of streams that nothing vouches for yet.
func (v *Verifier) LimitStrange(bytes int) { v.strange.Max = bytes }
