// SPDX-License-Identifier: Apache-2.0

package rules

// Switzerland's number of old-age insurance.
var _ = nationalNumber("ch_ahv", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Forms: []string{"756.dddd.dddd.dd"},
		Cued:  []string{"756dddddddddd"},
		Cues:  []string{"ahv", "avs", "ahvn"},
		Valid: func(d []int) bool {
			sum := 0
			for k, x := range d[:12] {
				sum += x * (1 + k%2*2)
			}
			return (10-sum%10)%10 == d[12]
		},
	},
	Gone:        []Example{{"AHV-Nr 756.9217.0769.85 erfasst", "756.9217.0769.85"}, {"ahv=7569217076985", "7569217076985"}},
	Stay:        []string{"756.9217.0769.86", "ean 7569217076985"},
	Takes:       "Switzerland's AHV number: 756.9217.0769.85; in one piece behind the word",
	ValidatedBy: "its form, check digit",
	Source:      "Zentrale Ausgleichsstelle",
})
