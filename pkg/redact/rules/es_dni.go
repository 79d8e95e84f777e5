// SPDX-License-Identifier: Apache-2.0

package rules

// Spain's numbers of identity, of citizens and of foreigners.
var _ = nationalNumber("es_dni", Rule{
	Pack:      PII,
	Canonical: alnumOnly,
	Number: &Number{
		Cued: []string{"ddddddddA", "dddddddd-A", "AdddddddA", "A-ddddddd-A"},
		Cues: []string{"dni", "nie", "nif"},
		Valid: func(d []int) bool {
			n := d[:len(d)-1]
			if d[0] > 9 {
				if d[0] < 33 { // X, Y, Z
					return false
				}
				n = append([]int{d[0] - 33}, n[1:]...)
			}
			const letters = "TRWAGMYFPDXBNJZSQVHLCKE"
			return int(letters[numberOf(n)%23]-'A')+10 == d[len(d)-1]
		},
	},
	Gone:        []Example{{"DNI: 54362315K", "54362315K"}, {`{"nie":"X-2482300-W"}`, "X-2482300-W"}},
	Stay:        []string{"dni=54362315L", "build 54362315K"},
	Takes:       "Spain's DNI and NIE, behind the word",
	ValidatedBy: "check letter",
	Source:      "Ministerio del Interior",
})
