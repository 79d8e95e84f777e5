// SPDX-License-Identifier: Apache-2.0

package rules

// Control is the rule that escapes characters. It has no detector: the prefilter notes what there is to escape.
var Control = newID("control")

var _ = register(Control, Rule{
	Gone:        []Example{{"a\x1b[2Jb", "\x1b"}, {"a\nb", "\n"}, {"a\u202eb", "\u202e"}},
	Stay:        []string{"a\tb", "é", "日本語"},
	Takes:       "CR, LF, C0, DEL, C1, line and paragraph separators, bidirectional overrides: written as `\\n`, `\\x1b`, `\\u202e`; the tab stays",
	OverMatches: "line breaks in multi-line bodies: switch it off where these must stay",
	Source:      "OWASP ASVS 5.0, V16.4.1; Unicode TR36",
})
