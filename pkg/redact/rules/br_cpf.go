// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Brazil's number of natural persons, as it is written: 123.456.789-09.
var _ = nationalNumber("br_cpf", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Detectors: []*Detector{{
		At: []Trigger{
			behind(prefilter.Not(prefilter.Class(ascii.Alnum)), prefilter.Digits, prefilter.Digits, prefilter.Digits, prefilter.Bytes(".")),
		},
		Find: func(c *Context, rule ID, i int) int {
			const form = "ddd.ddd.ddd-dd"
			if !matchesForm(c.S, i, form) || ascii.Is(c.S, i+len(form), ascii.Alnum) || ascii.At(c.S, i-1) == '.' {
				return 0
			}
			var d [11]int
			n := 0
			for k := range len(form) {
				if form[k] == 'd' {
					d[n] = int(c.S[i+k] - '0')
					n++
				}
			}
			for check := 9; check < 11; check++ {
				sum := 0
				for k := range check {
					sum += d[k] * (check + 1 - k)
				}
				if sum*10%11%10 != d[check] {
					return 0
				}
			}
			c.Offer(rule, i, i+len(form))
			return i + len(form)
		},
	}},
	Gone:        []Example{{"cliente 529.982.247-25 ok", "529.982.247-25"}, {`{"cpf":"111.444.777-35"}`, "111.444.777-35"}},
	Stay:        []string{"529.982.247-26", "version 1.529.982.247-25", "529.982.247-25a"},
	Takes:       "Brazil's CPF: `529.982.247-25`",
	ValidatedBy: "its form, two check digits",
	Misses:      "without its punctuation",
	Source:      "Receita Federal do Brasil",
})
