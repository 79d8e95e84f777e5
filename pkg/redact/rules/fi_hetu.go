// SPDX-License-Identifier: Apache-2.0

package rules

// Finland's personal identity code.
var _ = nationalNumber("fi_hetu", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Forms: []string{"dddddd-dddA", "ddddddAdddA"},
		Cued:  []string{"dddddd-dddd", "ddddddAdddd"},
		Cues:  []string{"hetu", "henkilötunnus", "henkilotunnus"},
		Valid: func(d []int) bool {
			const checks = "0123456789ABCDEFHJKLMNPRSTUVWXY"
			n := numberOf(d[:6])
			rest := d[6:]
			if len(rest) == 5 { // the letter tells the century
				if rest[0] > 15 && rest[0] < 30 || rest[0] == 35 || rest[0] < 10 {
					return false
				}
				rest = rest[1:]
			}
			n = n*1000 + numberOf(rest[:3])
			check := int(checks[n%31])
			if check > '9' {
				check -= 'A' - 10
			} else {
				check -= '0'
			}
			return validDay(d[2:4], d[:2]) && check == rest[3]
		},
	},
	Gone:        []Example{{"asiakas 131052-308T ok", "131052-308T"}, {`{"hetu":"131052-308T"}`, "131052-308T"}},
	Stay:        []string{"131052-308U", "991352-308T"},
	Takes:       "Finland's personal identity code; with a digit at its end behind the word",
	ValidatedBy: "date of birth, check character",
	Source:      "Digi- ja väestötietovirasto",
})
