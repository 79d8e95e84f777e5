// SPDX-License-Identifier: Apache-2.0

package canonical

import (
	"crypto/sha256"
	"sync/atomic"

	"github.com/logseal/logseal/pkg/seal"
)

// Source is where records come from: their resource and scope. Records of one ScopeLogs share it, and with it the digest under a policy
// that leaves something out of the resource, as it does where a gateway names its clients.
type Source struct {
	// Encoding is canonical, with every attribute of the resource.
	Encoding []byte

	last atomic.Pointer[sourceDigest] // the one computed last
}

type sourceDigest struct {
	policy *seal.Policy
	digest seal.Hash
}

// leavesOut reports whether the resource has an attribute that the policy leaves out.
func (s *Source) leavesOut(policy *seal.Policy) bool {
	return hasAny(s.Encoding[len(sourceTag):], &policy.Resource)
}

// digest returns the source digest under a policy. It may be called from several goroutines at once.
func (s *Source) digest(policy *seal.Policy) *seal.Hash {
	d := s.last.Load()
	if d == nil || d.policy != policy {
		encoding, rest := appendPairsWithout([]byte(sourceTag), s.Encoding[len(sourceTag):], &policy.Resource)
		d = &sourceDigest{policy, sha256.Sum256(append(encoding, rest...))}
		s.last.Store(d)
	}
	return &d.digest
}
