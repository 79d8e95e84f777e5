// SPDX-License-Identifier: Apache-2.0

package decode

import (
	"strconv"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// EntityLen returns the length of the character reference at s[i], or 0.
func EntityLen(s string, i int) int {
	n, _ := entity(s, i)
	return n
}

// IsEntity reports whether a character reference stands at s[i].
func IsEntity(s string, i int) bool {
	n, _ := entity(s, i)
	return n > 0
}

// entity reads a character reference of HTML or XML at i. It returns its length, or 0, and the character.
func entity(s string, i int) (n int, r rune) {
	if ascii.At(s, i+1) == '#' {
		return numericEntity(s, i)
	}
	end := i + 1
	for end < len(s) && end-i < maxEntity && ascii.Class[s[end]]&ascii.Alnum != 0 {
		end++
	}
	name := s[i+1 : end]
	if ascii.At(s, end) == ';' {
		if r := namedEntities[name]; r > 0 {
			return end + 1 - i, r
		}
		return 0, 0
	}
	// The oldest names are also read without their semicolon.
	for _, old := range [...]string{"nbsp", "shy"} {
		if strings.HasPrefix(name, old) {
			return 1 + len(old), namedEntities[old]
		}
	}
	return 0, 0
}

func numericEntity(s string, i int) (n int, r rune) {
	end := strings.IndexByte(s[i:min(len(s), i+maxEntity)], ';')
	if end < 3 {
		return 0, 0
	}
	base, digits := 10, s[i+2:i+end]
	if ascii.ToLower(digits[0]) == 'x' {
		base, digits = 16, digits[1:]
	}
	v, err := strconv.ParseUint(digits, base, 21)
	if err != nil {
		return 0, 0
	}
	return end + 1, rune(v)
}

const maxEntity = 20

// namedEntities are the names of HTML for what is ASCII, or folded to it, or a letter of a name in Latin script.
var namedEntities = func() map[string]rune {
	m := map[string]rune{"Tab": '\t', "NewLine": '\n', "shy": 0xad, "zwnj": 0x200c, "zwj": 0x200d, "lrm": 0x200e, "rlm": 0x200f, "ZeroWidthSpace": 0x200b, "NoBreak": 0x2060}
	for _, name := range strings.Fields("nbsp NonBreakingSpace ensp emsp emsp13 emsp14 numsp puncsp thinsp ThinSpace hairsp VeryThinSpace MediumSpace") {
		m[name] = 0xa0
	}
	for _, name := range strings.Fields("hyphen dash ndash mdash horbar minus") {
		m[name] = 0x2010
	}
	names := strings.Fields("excl ! quot \" QUOT \" num # dollar $ percnt % amp & AMP & apos ' lpar ( rpar ) ast * plus + comma , period . sol / colon : semi ; " +
		"lt < LT < equals = gt > GT > quest ? commat @ lsqb [ lbrack [ bsol \\ rsqb ] rbrack ] Hat ^ lowbar _ UnderBar _ grave ` lcub { lbrace { " +
		"verbar | vert | VerticalLine | rcub } rbrace } middot · centerdot · CenterDot · " +
		"Agrave À Aacute Á Acirc Â Atilde Ã Auml Ä Aring Å AElig Æ Ccedil Ç Egrave È Eacute É Ecirc Ê Euml Ë Igrave Ì Iacute Í Icirc Î Iuml Ï " +
		"Ntilde Ñ Ograve Ò Oacute Ó Ocirc Ô Otilde Õ Ouml Ö Oslash Ø Ugrave Ù Uacute Ú Ucirc Û Uuml Ü Yacute Ý szlig ß " +
		"agrave à aacute á acirc â atilde ã auml ä aring å aelig æ ccedil ç egrave è eacute é ecirc ê euml ë igrave ì iacute í icirc î iuml ï " +
		"ntilde ñ ograve ò oacute ó ocirc ô otilde õ ouml ö oslash ø ugrave ù uacute ú ucirc û uuml ü yacute ý yuml ÿ")
	for k := 0; k < len(names); k += 2 {
		for _, r := range names[k+1] {
			m[names[k]] = r
		}
	}
	return m
}()
