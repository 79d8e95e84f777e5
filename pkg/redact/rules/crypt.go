// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

var crypt = &Detector{At: []Trigger{sets(prefilter.Bytes("$"), prefilter.Bytes("125689aypks"), prefilter.Bytes("$abyprk2"))}, Find: detectCrypt}

// hashMethods are the methods of password hashes in the form of crypt(5). The trigger takes their first two characters.
var hashMethods = set("1 2 2a 2b 2y 5 6 8 9 y apr1 argon2i argon2d argon2id scrypt pbkdf2 pbkdf2-sha1 pbkdf2-sha256 pbkdf2-sha512 krb5tgs krb5asrep")

const (
	minHash = 20
	// minJunos is the least of what Junos writes of a secret, which can be undone.
	minJunos = 8
	maxHash  = 512
	// Argon2 has the most parts: version, parameters, salt, hash.
	maxParts = 5
)

// detectCrypt examines a password hash: $method$parameters$salt$hash. Who has it can try passwords as fast as they like.
func detectCrypt(c *Context, _ ID, i int) int {
	c.Charge(costOfValue)
	s := c.S
	if ascii.Is(s, i-1, ascii.Alnum) || ascii.At(s, i-1) == '$' {
		return 0 // Outer$1$Inner
	}
	end := i + 1
	for end < len(s) && end-i < 16 && (ascii.Class[s[end]]&(ascii.Digit|ascii.LowerCase) != 0 || s[end] == '-') {
		end++
	}
	if ascii.At(s, end) != '$' || !hashMethods[s[i+1:end]] {
		return 0
	}
	part, parts := end, 0
	for end < len(s) && end-i < maxHash && (ascii.Class[s[end]]&ascii.Run != 0 || strings.IndexByte("$.,*@", s[end]) >= 0) {
		if s[end] == '$' {
			if part, parts = end, parts+1; parts > maxParts {
				return 0
			}
		}
		end++
	}
	for end > part && (s[end-1] == '.' || s[end-1] == ',') {
		end--
	}
	least := minHash
	if ascii.HasPrefixFold(s, i, "$9$") {
		least = minJunos
	}
	if end-part <= least || !Mixed(s[part:end]) {
		return 0
	}
	c.Offer(rulePassword, i, end)
	return end
}
