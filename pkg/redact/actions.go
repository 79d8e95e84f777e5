// SPDX-License-Identifier: Apache-2.0

package redact

import "github.com/logseal/logseal/pkg/redact/rules"

// Packs of rules.
const (
	PackSecrets = rules.Secrets // credentials of people and machines
	PackPCI     = rules.PCI     // payment card data
	PackPII     = rules.PII     // data about people
)

// action is what happens to a match.
type action uint8

// In order of severity: of two rules that overlap, the more severe action is taken on both.
const (
	actionOff action = iota
	actionPartial
	actionPseudonymize
	actionMask
	actionDropField
	actionDropRecord
	numActions
)

var actionNames = [numActions]string{"off", "partial", "pseudonymize", "mask", "drop_field", "drop_record"}

func (a action) String() string { return actionNames[a] }

// rule is a built-in or custom rule as configured.
type rule struct {
	id                  string
	builtin             *rules.Rule // nil for a custom rule
	action              action
	keepFirst, keepLast int
	mask                string // "[REDACTED:id]"
	pseudonym           *pseudonymizer
	allow               []string // globs, lower case
}
