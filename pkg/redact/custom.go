// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// customRule is a rule with a regular expression.
type customRule struct {
	id      rules.ID
	re      *regexp.Regexp
	scanAll bool
}

const (
	minLiteral  = 2
	maxLiterals = 64
	maxRegex    = 2000
)

// runCustom redacts all matches of a custom rule. The prefilter has seen one of its literals, so this is rare; the
// whole text is searched, because where a match starts before its literal cannot be told from the outside.
func (c *scan) runCustom(i int) {
	r := &c.w.e.custom[i]
	for _, m := range r.re.FindAllStringIndex(c.S, -1) {
		c.Context.Offer(r.id, m[0], m[1])
	}
}

// checkRegex reports what is wrong with the expression of a custom rule.
func checkRegex(expr string, scanAll bool) error {
	if len(expr) > maxRegex {
		return fmt.Errorf("is longer than %d bytes; split it into several rules", maxRegex)
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		var se *syntax.Error
		if errors.As(err, &se) {
			return fmt.Errorf("is not valid: %s; the syntax is that of Go (RE2): no look-around, no back-references", se.Code)
		}
		return err
	}
	if re.MatchString("") {
		return errors.New("matches the empty text; make it match at least one character")
	}
	if lits := requiredLiterals(expr); len(lits) == 0 && !scanAll {
		return fmt.Errorf("has no fixed text of at least %d characters that every match holds, so it would be run on every text; "+
			"add such text, or accept the cost with scan_all: true", minLiteral)
	}
	return nil
}

// requiredLiterals returns literals, lower case, of which every match of the expression holds at least one; none if there
// is no such set.
func requiredLiterals(expr string) []string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	return required(re.Simplify())
}

func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return literal(re)
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		// Of the parts, all of which are there, the one with the longest shortest literal tells most.
		var best []string
		for _, sub := range re.Sub {
			if lits := required(sub); shortest(lits) > shortest(best) {
				best = lits
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			lits := required(sub)
			if len(lits) == 0 {
				return nil
			}
			all = append(all, lits...)
		}
		slices.Sort(all)
		if all = slices.Compact(all); len(all) <= maxLiterals {
			return all
		}
	}
	return nil
}

// literal returns the longest part of a literal that does not depend on Unicode's case folding: (?i)k also matches the
// Kelvin sign, which the prefilter does not know.
func literal(re *syntax.Regexp) []string {
	folds := re.Flags&syntax.FoldCase != 0
	var best, cur []rune
	for _, r := range append(slices.Clone(re.Rune), -1) {
		if r < 0 || folds && (r >= 0x80 || strings.ContainsRune("kKsS", r)) {
			if len(string(cur)) > len(string(best)) {
				best = cur
			}
			cur = nil
			continue
		}
		cur = append(cur, r)
	}
	lit := string(best)
	if len(lit) < minLiteral || strings.ContainsRune(lit, '\uFFFD') {
		return nil
	}
	b := []byte(lit)
	for i := range b {
		b[i] = ascii.ToLower(b[i])
	}
	return []string{string(b)}
}

func shortest(lits []string) int {
	if len(lits) == 0 {
		return 0
	}
	n := len(lits[0])
	for _, l := range lits {
		n = min(n, len(l))
	}
	return n
}
