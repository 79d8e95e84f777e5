// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

var ruleIBAN = newID("iban")

var _ = register(ruleIBAN, Rule{
	Pack: PII,
	Detectors: []*Detector{{
		At:   []Trigger{behind(prefilter.Not(prefilter.Class(ascii.Alnum)), prefilter.Class(ascii.Alpha), prefilter.Class(ascii.Alpha), prefilter.Digits)},
		Find: detectIBAN,
	}},
	Canonical: func(b byte) (byte, bool) { return ascii.ToLower(b), ascii.Class[b]&ascii.Alnum != 0 },
	Gone: []Example{
		{"DE89 3704 0044 0532 0130 00", "3704 0044 0532 0130"}, {"pay gb82 west 1234 5698 7654 32 now", "1234 5698"}, {"pay DE89370400440532013000 now", "370400440532013000"},
	},
	Stay:        []string{"DE88370400440532013000", "DE89 3704"},
	Takes:       "all countries of the registry and those that use the form",
	ValidatedBy: "country, its length, mod 97; spaces, either case",
	Source:      "ISO 13616",
})

// ibanLength maps a country to the length of its account numbers: ISO 13616 registry, and the countries that use the
// form without being in it.
var ibanLength = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AO": 25, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BF": 28, "BG": 22, "BH": 22, "BI": 27, "BJ": 28,
	"BR": 29, "BY": 28, "CF": 27, "CG": 27, "CH": 21, "CI": 28, "CM": 27, "CR": 22, "CV": 25, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27,
	"DK": 18, "DO": 28, "DZ": 26, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GA": 27, "GB": 22, "GE": 22,
	"GI": 23, "GL": 18, "GQ": 27, "GR": 27, "GT": 28, "GW": 25, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IR": 26,
	"IS": 26, "IT": 27, "JO": 30, "KM": 27, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25,
	"MA": 28, "MC": 27, "MD": 24, "ME": 22, "MG": 27, "MK": 19, "ML": 28, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "MZ": 25, "NE": 28,
	"NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24,
	"SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SN": 28, "SO": 23, "ST": 25, "SV": 28, "TD": 27, "TG": 28, "TL": 23,
	"TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}

// ibanLengths is ibanLength by the letters' places in the alphabet.
var ibanLengths = func() (t [32][32]int) {
	for country, n := range ibanLength {
		t[country[0]&0x1f][country[1]&0x1f] = n
	}
	return t
}()

const (
	minIBAN = 15
	maxIBAN = 34
)

// detectIBAN examines an account number that starts at i: country, check digits, and as many characters as the country's
// numbers have, in groups or not.
func detectIBAN(c *Context, _ ID, i int) int {
	s := c.S
	if len(s)-i < 4 || ascii.Class[s[i]]&ascii.Alpha == 0 || ascii.Class[s[i+1]]&ascii.Alpha == 0 || ascii.Is(s, i-1, ascii.Alnum) {
		return 0
	}
	want := ibanLengths[s[i]&0x1f][s[i+1]&0x1f]
	if want == 0 {
		return 0
	}
	var buf [maxIBAN]byte
	n, j := 0, i
	for n < want && j < len(s) {
		b := s[j]
		switch {
		case ascii.Class[b]&ascii.Alnum != 0:
			if (n == 2 || n == 3) && ascii.Class[b]&ascii.Digit == 0 {
				return 0 // the check digits
			}
			if ascii.Class[b]&ascii.LowerCase != 0 {
				b &^= 0x20
			}
			buf[n] = b
			n++
		case (b == ' ' || b == '-' || b == '.' || b == '+') && n >= 2 && ascii.Is(s, j+1, ascii.Alnum):
		default:
			return 0
		}
		j++
	}
	c.look(2 * (j - i))
	if n < want || ascii.Is(s, j, ascii.Alnum) || !mod97(buf[:n]) {
		return 0
	}
	c.Offer(ruleIBAN, i, j)
	return j
}

// mod97 applies the check of ISO 7064: the first four characters moved to the end, letters as 10 to 35.
func mod97(iban []byte) bool {
	r := uint64(0)
	for _, part := range [2][]byte{iban[4:], iban[:4]} {
		for _, b := range part {
			if b >= 'A' {
				r = r*100 + uint64(b-'A') + 10
			} else {
				r = r*10 + uint64(b-'0')
			}
			// A division takes longer than all else here.
			if r >= 1<<56 {
				r %= 97
			}
		}
	}
	return r%97 == 1
}
