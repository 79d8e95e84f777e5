// SPDX-License-Identifier: Apache-2.0

package rules

var ruleSSN = newID("us_ssn")

var _ = register(ruleSSN, Rule{
	Pack: PII,
	Names: []Names{
		{Words: "ssn socialsecuritynumber socialsecurity", Strength: Hard},
		{Words: "number", Behind: "ssn", Strength: Hard},
		{Words: "number", Behind: "security", BehindThat: "social", Strength: Hard},
		{Words: "security", Behind: "social", Strength: Hard},
	},
	Detectors:   []*Detector{digits},
	Canonical:   onlyDigits,
	Gone:        []Example{{"SSN 536-22-8726", "536-22-8726"}, {`{"ssn":"536228726"}`, "536228726"}, {"SSN: 536 22 8726", "536 22 8726"}, {"social security no. 536 22 8726", "536 22 8726"}},
	Stay:        []string{"000-12-3456", "666-12-3456", "900-12-3456", "123-45-678"},
	Takes:       "`536-22-8726`; with spaces, dots or bare only after its name",
	ValidatedBy: "area, group, serial",
	Misses:      "ITINs",
	OverMatches: "part numbers of the same form",
	Source:      "Social Security Administration",
})

// ssn looks for a US social security number: area, group and serial, as 3-2-4 digits. Spaces and dots need the
// word for it before them.
func (c *Context) ssn(n *number, g int) int {
	s := c.S
	if g+3 > n.n {
		return g
	}
	a, b, d := n.g[g], n.g[g+1], n.g[g+2]
	if a.end-a.start != 3 || b.end-b.start != 2 || d.end-d.start != 4 || b.sep != a.sep {
		return g
	}
	if !c.freeBefore(n, g) || !c.freeAfter(n, g+2) || a.start > 0 && s[a.start-1] == '-' {
		return g
	}
	if s[a.end:a.sepEnd] != "-" && !c.wordBefore(a.start, "ssn", "social") {
		return g
	}
	if !validSSN(s[a.start:a.end], s[b.start:b.end], s[d.start:d.end]) {
		return g
	}
	c.Offer(ruleSSN, a.start, d.end)
	return g + 3
}

// validSSN applies the rules of the Social Security Administration: no area 000, 666 or above 899, no group 00, no
// serial 0000.
func validSSN(area, group, serial string) bool {
	return area != "000" && area != "666" && area[0] != '9' && group != "00" && serial != "0000"
}
