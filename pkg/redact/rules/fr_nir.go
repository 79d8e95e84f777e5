// SPDX-License-Identifier: Apache-2.0

package rules

// France's number of social security.
var _ = nationalNumber("fr_nir", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddddddddd"},
		Cues: []string{"nir", "insee", "sécurité sociale", "securite sociale", "securitesociale", "numero_secu"},
		Valid: func(d []int) bool {
			return (d[0] == 1 || d[0] == 2) && 97-numberOf(d[:13])%97 == numberOf(d[13:])
		},
	},
	Gone:        []Example{{"NIR: 295109912611193", "295109912611193"}, {`{"insee":"295109912611193"}`, "295109912611193"}},
	Stay:        []string{"nir=295109912611194", "ts 295109912611193"},
	Takes:       "France's NIR, behind the word",
	ValidatedBy: "sex, two check digits",
	Misses:      "those born in Corsica; in groups",
	Source:      "INSEE",
})
