// SPDX-License-Identifier: Apache-2.0

package rules

// Germany's number of tax payers.
var _ = nationalNumber("de_steuer_id", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"dd ddd ddd ddd", "ddddddddddd"},
		Cues: []string{"steuer-id", "steuerid", "steuer_id"},
		Valid: func(d []int) bool {
			if d[0] == 0 {
				return false
			}
			product := 10
			for _, x := range d[:10] {
				sum := (x + product) % 10
				if sum == 0 {
					sum = 10
				}
				product = sum * 2 % 11
			}
			return (11-product)%10 == d[10]
		},
	},
	Gone:        []Example{{"Steuer-ID: 36 574 261 809", "36 574 261 809"}, {`{"steuerId":"36574261809"}`, "36574261809"}},
	Stay:        []string{"steuer-id=36574261890", "pid 36574261809"},
	Takes:       "Germany's Steuer-ID, behind the word",
	ValidatedBy: "check digit (ISO 7064)",
	Source:      "Bundeszentralamt für Steuern",
})
