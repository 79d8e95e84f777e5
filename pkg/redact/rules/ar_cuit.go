// SPDX-License-Identifier: Apache-2.0

package rules

// Argentina's number of tax payers, which holds that of the identity card.
var _ = nationalNumber("ar_cuit", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Forms: []string{"dd-dddddddd-d"},
		Cued:  []string{"ddddddddddd"},
		Cues:  []string{"cuit", "cuil"},
		Valid: func(d []int) bool {
			switch kind := numberOf(d[:2]); kind {
			case 20, 23, 24, 27, 30, 33, 34:
			default:
				return false
			}
			return (11-weighted(d, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)%11)%11 == d[10]
		},
	},
	Gone:        []Example{{"titular 20-05536168-2 alta", "20-05536168-2"}, {`{"cuil":"20055361682"}`, "20055361682"}},
	Stay:        []string{"20-05536168-3", "pid 20055361682", "25-05536168-2"},
	Takes:       "Argentina's CUIT and CUIL: 20-05536168-2; in one piece behind the word",
	ValidatedBy: "its form, kind, check digit",
	Source:      "ARCA (AFIP), Argentina",
})
