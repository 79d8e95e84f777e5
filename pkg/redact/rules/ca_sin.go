// SPDX-License-Identifier: Apache-2.0

package rules

// Canada's social insurance number.
var _ = nationalNumber("ca_sin", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddd", "ddd-ddd-ddd", "ddd ddd ddd"},
		Cues: []string{"sin", "social insurance", "social_insurance", "socialinsurance"},
		Valid: func(d []int) bool {
			return d[0] != 0 && d[0] != 8 && validLuhn(d)
		},
	},
	Gone:        []Example{{"SIN: 130692544", "130692544"}, {`{"sin":"130692544"}`, "130692544"}, {"SIN 130-692-544", "130-692-544"}},
	Stay:        []string{"sin=130692545", "part 130-692-544"},
	Takes:       "Canada's social insurance number, behind the word",
	ValidatedBy: "first digit, Luhn",
	Source:      "Employment and Social Development Canada",
})
