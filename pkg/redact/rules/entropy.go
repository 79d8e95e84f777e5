// SPDX-License-Identifier: Apache-2.0

package rules

var ruleHighEntropy = newID("high_entropy")

var _ = register(ruleHighEntropy, Rule{
	Pack:        Secrets,
	Off:         true,
	Runs:        true,
	Gone:        []Example{{"x q7Zp2mW9xT4vK8sB1nD6fJ3hL5gR0cYe x", "q7Zp2mW9xT4vK8sB1nD6fJ3hL5gR0cYe"}},
	Stay:        []string{"trace 4bf92f3577b34da6a3ce929d0e0e4736"},
	Takes:       "any long random-looking run",
	ValidatedBy: "entropy ≥ 3.8 bits",
	Misses:      "hexadecimal",
	OverMatches: "ids; on only where false alarms are cheap",
	Source:      "—",
})
