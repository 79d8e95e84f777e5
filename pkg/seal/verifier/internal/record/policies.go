// SPDX-License-Identifier: Apache-2.0

package record

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/canonical"
)

// Digest is a record's digest once it is computed, and under which policy. The zero value is ready.
type Digest struct {
	policy *seal.Policy // nil while it was not
	leaf   seal.Hash
}

// under computes the digest under a policy, unless that has been done. Section 3.
func (d *Digest) under(policy *seal.Policy, r *canonical.Record) *seal.Hash {
	if d.policy != policy {
		d.policy, d.leaf = policy, r.Digest(policy)
	}
	return &d.leaf
}

// policies knows what the sessions of each handle exclude: for goroutines that digest records ahead, too.
type policies struct {
	usual    *seal.Policy // what is assumed of a session whose open seal is not known: see [seal.Usual]
	interned []*seal.Policy

	mu       sync.Mutex // for writers of byHandle
	byHandle atomic.Pointer[map[string]*seal.Policy]
}

func newPolicies() *policies {
	usual := seal.Usual()
	p := &policies{usual: &usual, interned: []*seal.Policy{&usual}}
	p.byHandle.Store(&map[string]*seal.Policy{})
	return p
}

// intern returns the one pointer for equal policies.
func (p *policies) intern(policy seal.Policy) *seal.Policy {
	for _, known := range p.interned {
		if known.Equal(&policy) {
			return known
		}
	}
	p.interned = append(p.interned, &policy)
	return &policy
}

// get returns what is known of a handle, nil if nothing. It may be called from several goroutines at once.
func (p *policies) get(handle string) *seal.Policy { return (*p.byHandle.Load())[handle] }

// publish makes known what a session of a handle excludes.
func (p *policies) publish(handle string, policy *seal.Policy) {
	if policy == p.usual && p.get(handle) == nil {
		return // it is assumed
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := maps.Clone(*p.byHandle.Load())
	next[handle] = policy
	p.byHandle.Store(&next)
}

// assumption is what was digested under the usual policy before the session's own was known.
type assumption struct {
	made  bool
	names bool // and a record has what the usual policy leaves out
}

// note takes in a record that was.
func (a *assumption) note(r *canonical.Record, usual *seal.Policy) {
	a.made, a.names = true, a.names || r.LeavesOut(usual)
}

// wrong reports whether that was wrong for records of a session with this policy.
func (a *assumption) wrong(policy, usual *seal.Policy) bool {
	return a.made && policy != usual && (a.names || !policy.Plain())
}
