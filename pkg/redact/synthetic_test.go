// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Synthetic personal data in sentences and log lines: recall by kind. The generators write numbers as people and
// programs of many countries write them, not as the detectors would like them.

type gen struct{ *rand.Rand }

func (g gen) pick(s ...string) string { return s[g.IntN(len(s))] }

// fill replaces # by a digit, % by a digit other than 0, and ? by a letter.
func (g gen) fill(pattern string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '#':
			return '0' + rune(g.IntN(10))
		case '%':
			return '1' + rune(g.IntN(9))
		case '?':
			return 'A' + rune(g.IntN(26))
		}
		return r
	}, pattern)
}

func (g gen) card() string {
	digits := g.fill(g.pick("4###############", "4############", "4##################", "51##############", "55##############", "2221############", "2720############",
		"34#############", "37#############", "6011############", "65##############", "644#############", "300###########", "36############",
		"38############", "3528############", "3589############", "213100000000###", "62##############", "5018########", "5020############",
		"6304############", "6759##########", "6763############", "2200############", "508#############", "9792############", "6362############"))
	// The check digit.
	sum := 0
	for i := range len(digits) - 1 {
		d := int(digits[len(digits)-2-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	digits = digits[:len(digits)-1] + string(rune('0'+(10-sum%10)%10))
	sep := g.pick("", "", " ", "-", ".", "\u00a0")
	if sep == "" {
		return digits
	}
	groups := []int{4, 4, 4, 4, 4}
	switch len(digits) {
	case 15:
		groups = []int{4, 6, 5}
	case 14:
		groups = []int{4, 6, 4}
	}
	var parts []string
	for _, n := range groups {
		n = min(n, len(digits))
		if n > 0 {
			parts = append(parts, digits[:n])
			digits = digits[n:]
		}
	}
	return strings.Join(parts, sep)
}

func (g gen) iban() string {
	countries := make([]string, 0, len(ibanLength))
	for c := range ibanLength {
		countries = append(countries, c)
	}
	slices.Sort(countries)
	c := countries[g.IntN(len(countries))]
	body := g.fill(strings.Repeat(g.pick("#", "#", "?#"), 40))[:ibanLength[c]-4]
	b := []byte(c + "00" + body)
	for check := range 99 {
		b[2], b[3] = '0'+byte(check/10), '0'+byte(check%10)
		if check >= 2 && mod97(b) {
			break
		}
	}
	s := string(b)
	switch g.IntN(3) {
	case 0:
		return s
	case 1:
		s = strings.ToLower(s)
	}
	var parts []string
	for len(s) > 4 {
		parts, s = append(parts, s[:4]), s[4:]
	}
	return strings.Join(append(parts, s), " ")
}

func (g gen) email() string {
	return strings.ToLower(g.fill(g.pick("????", "??.?????", "???_???##", "?-???+??", "???????%#", "??##########", "????.19##", "x?"))) + "@" +
		strings.ToLower(g.fill(g.pick("???.com", "mail.????.co.uk", "??-???.org", "?????.info", "????.museum", "sub.a.????.de", "????.example")))
}

func (g gen) ssn() string {
	for {
		if s := g.fill("###-##-####"); validSSN(s[:3], s[4:6], s[7:]) {
			return s
		}
	}
}

// phone writes a number as it is usual in one of many countries.
func (g gen) phone() string {
	return g.fill(g.pick(
		// North America
		"(%##) %##-####", "(%##)%##-####", "%##-%##-####", "%##.%##.####", "1-%##-%##-####", "+1-%##-%##-####", "+1 (%##) %##-####", "001-%##-%##-####",
		"%##-%##-####x###", "(%##)%##-####x####", "+1%##%##%###", "%#########", "+1.%##.%##.####",
		// United Kingdom, Ireland
		"020 %### ####", "0%### ######", "+44 20 %### ####", "+44 (0)20 %### ####", "(0%##) ### ####", "07### ######", "+447#########", "0117 496 0###",
		// Germany, Austria, Switzerland
		"030 %#######", "0%##/######", "+49 30 %######", "+49(0)%## ######", "0%## %######", "(0%###) ######", "0049 30 %######", "+41 44 ### ## ##", "044 ### ## ##", "01 ### ## ##",
		// France, Belgium, Spain, Italy, Portugal
		"01 ## ## ## ##", "0%.##.##.##.##", "+33 1 ## ## ## ##", "+33 (0)%## ## ## ##", "0%########", "+32 2 ### ## ##", "02 ### ## ##", "+34 9## ### ###", "+34 %########",
		"+39 06 %#######", "06 %#######", "02 %######", "+351 21 ### ####",
		// Others
		"+91 %#### #####", "+91%#########", "0%## %######", "03-####-####", "+81 3-####-####", "090-####-####", "+86 10 #### ####", "+55 11 9####-####", "(11) 9####-####",
		"+61 2 #### ####", "(02) #### ####", "04## ### ###", "+7 (9##) ###-##-##", "8 (9##) ###-##-##", "+48 ### ### ###", "+31 20 ### ####", "020-#######", "+46 8 ### ### ##", "08-### ### ##",
		"+972-5%-###-####", "05%-###-####", "+971 5# ### ####", "+52 55 #### ####", "+82-2-####-####", "02-####-####", "+358 40 #######",
	))
}

// score returns the share of n generated values of which nothing is left when they stand in the templates.
func score(t *testing.T, e *Engine, n int, value func() string, g gen, templates ...string) float64 {
	hit := 0
	missed := map[string]int{}
	for range n {
		v := value()
		in := strings.ReplaceAll(g.pick(templates...), "{}", v)
		out, _, _ := e.Text(in, nil)
		if strings.Contains(out, v) {
			if len(missed) < 25 {
				missed[in]++
			}
			continue
		}
		hit++
	}
	for m := range missed {
		t.Logf("missed: %s", m)
	}
	return float64(hit) / float64(n)
}

func TestSyntheticPersonalData(t *testing.T) {
	e := newEngine(t)
	g := gen{rand.New(rand.NewPCG(20261123, 6))}
	const n = 5000
	plain := []string{
		"{}", "my account is {} and I paid yesterday", "{\"value\":\"{}\"}", "level=info user=bob value={} ok", "Please charge {}.", "He said: {}, then left",
		"<v>{}</v>", "a;{};b", "customer 17 gave {} at 12:30:05", "'{}'", "[{}]", "key\t{}\tend",
	}
	phoneWith := []string{
		"call me at {}", "My phone number is {}", "phone: {}", "tel. {}", "Tel: {}", "mobile={}", "contact {} for details", "You can reach me on {}", "fax {}", "phone_number={}",
		"\"phone\": \"{}\"", "please contact us at {}", "whatsapp {}", "my number is {}", "text me: {}", "Call {} now", "cell {}",
	}
	phoneWithout := []string{"{}", "He said {} yesterday", "customer bob, {}, Berlin", "value={}", "\"{}\""}
	results := []struct {
		kind  string
		share float64
		min   float64
	}{
		{"cards", score(t, e, n, g.card, g, plain...), 0.98},
		{"e-mail", score(t, e, n, g.email, g, plain...), 0.98},
		{"iban", score(t, e, n, g.iban, g, plain...), 0.98},
		{"ssn", score(t, e, n, g.ssn, g, plain...), 0.98},
		{"phone, after a word", score(t, e, n, g.phone, g, phoneWith...), 0.95},
		{"phone, alone", score(t, e, n, g.phone, g, phoneWithout...), 0.80},
	}
	table := "\n"
	for _, r := range results {
		table += fmt.Sprintf("%-22s %6d %7.3f\n", r.kind, n, r.share)
		assert.GreaterOrEqual(t, r.share, r.min, r.kind)
	}
	t.Log(table)
}

// ibanLength is the registry of ISO 13616, and the countries that use the form without being in it.
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

// mod97 is the check of ISO 7064, as the standard puts it.
func mod97(iban []byte) bool {
	digits := ""
	for _, b := range append(slices.Clone(iban[4:]), iban[:4]...) {
		if b >= 'A' {
			digits += strconv.Itoa(int(b-'A') + 10)
		} else {
			digits += string(b)
		}
	}
	n, _ := new(big.Int).SetString(digits, 10)
	return n.Mod(n, big.NewInt(97)).Int64() == 1
}

// validSSN applies the rules of the Social Security Administration.
func validSSN(area, group, serial string) bool {
	return area != "000" && area != "666" && area[0] != '9' && group != "00" && serial != "0000"
}
