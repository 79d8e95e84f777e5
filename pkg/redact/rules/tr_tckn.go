// SPDX-License-Identifier: Apache-2.0

package rules

// Turkey's number of identity.
var _ = nationalNumber("tr_tckn", Rule{
	Pack:      PII,
	Canonical: onlyDigits,
	Number: &Number{
		Cued: []string{"ddddddddddd"},
		Cues: []string{"tckn", "tc kimlik", "tckimlik", "tc_kimlik", "kimlik no", "kimlikno", "tcno"},
		Valid: func(d []int) bool {
			odd, even, sum := 0, 0, 0
			for k, x := range d[:10] {
				if sum += x; k < 9 && k%2 == 0 {
					odd += x
				} else if k < 9 {
					even += x
				}
			}
			return d[0] != 0 && (odd*7-even+100)%10 == d[9] && sum%10 == d[10]
		},
	},
	Gone:        []Example{{"TCKN: 17291716060", "17291716060"}, {`{"tcKimlik":"17291716060"}`, "17291716060"}},
	Stay:        []string{"tckn=17291716061", "id 17291716060"},
	Takes:       "Turkey's T.C. kimlik no, behind the word",
	ValidatedBy: "two check digits",
	Source:      "Nüfus ve Vatandaşlık İşleri",
})
