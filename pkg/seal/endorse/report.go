// SPDX-License-Identifier: Apache-2.0

package endorse

import (
	"errors"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

// refusals are the reasons for which a certificate does not vouch.
var refusals = []struct {
	err    error
	reason finding.Reason
}{
	{ErrNone, finding.NotEndorsed},
	{ErrKey, finding.EndorsementKey},
	{ErrSignature, finding.EndorsementSignature},
	{ErrChain, finding.EndorsementChain},
	{ErrExpired, finding.EndorsementExpired},
	{ErrUsage, finding.EndorsementUsage},
	{ErrNames, finding.EndorsementNames},
	{ErrIdentity, finding.EndorsementIdentity},
}

// Refusal says as a finding why [Check] refused a stream.
func Refusal(err error) finding.Reason {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return finding.EndorsementChain
}

// StreamName is what reports call an endorsed stream. Its own name is any that its host took, and others may have taken it.
func StreamName(identity string, open *seal.Seal) string {
	if identity == "" {
		return open.Name + " (" + open.StreamID + ")"
	}
	return identity + " (" + open.Name + ", " + open.StreamID + ")"
}
