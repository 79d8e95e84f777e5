// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// Expansions of the shell and of Compose: ${NAME:-default} holds a value, ${NAME:?message} does not.

// expansion is what is at i if that is ${NAME and one of :- :? and the like. It returns the default, which is empty where there is none.
func expansion(s string, i int) (v value, ok bool) {
	if ascii.At(s, i) != '$' || ascii.At(s, i+1) != '{' {
		return value{}, false
	}
	k := i + 2
	for k < len(s) && k-i < maxNameBytes && (ascii.Class[s[k]]&ascii.Alnum != 0 || s[k] == '_') {
		k++
	}
	name := k
	colon := ascii.At(s, k) == ':'
	if k == i+2 || !colon && strings.IndexByte("-=?+", ascii.At(s, k)) < 0 {
		return value{}, false
	}
	if colon {
		k++
	}
	by := ascii.At(s, k)
	if strings.IndexByte("-=?+", by) >= 0 {
		k++
	}
	start, depth, closing := k, 0, 0
	for k = start; k < len(s) && k-i < maxReference && s[k] != '\n'; k++ {
		if s[k] == '{' && s[k-1] == '$' {
			depth++
		}
		if s[k] == '}' {
			closing = k
			if depth == 0 {
				break
			}
			depth--
		}
	}
	if ascii.At(s, k) != '}' && closing > 0 {
		k = closing // the end has been cut off
	}
	if ascii.At(s, k) != '}' {
		return value{}, false // the start of a password, or of what has been cut off
	}
	switch by {
	case '?', '+':
		return value{}, true
	case '-', '=':
		for start < k && (ascii.Class[s[start]]&ascii.Quote != 0 || s[start] == '\\') {
			start++
		}
		end := k
		for end > start && (ascii.Class[s[end-1]]&ascii.Quote != 0 || s[end-1] == '\\') {
			end--
		}
		if inner, nested := expansion(s, start); nested {
			return inner, true
		}
		return value{start, end, tight}, true
	}
	if colon && isVariable(s[i+2:name]) {
		return value{name + 1, k, tight}, true // ${DB_PASSWORD:default} of Spring
	}
	return value{}, false
}
