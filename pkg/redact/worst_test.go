// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"math"
	"runtime"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// worst are texts made to keep detectors busy: every trigger, over and over, and starts without ends.
func worst() map[string]string {
	return map[string]string{
		"digits": "1234567890123456", "cards": "4111 1111 1111 1111 ", "groups": "4111 ", "single digits": "4 1 1 ", "dashes": "1-2-3-4-5-6-7-8-9-",
		"plus": "+1", "parens": "(1", "at signs": "@", "mail": "a@b.cc ", "mail ends": "a@", "long local part": strings.Repeat("a", 64) + "@", "dots": "a.",
		"names": "password", "pairs": "password=", "keys": "key=", "quotes": `password="`, "open brackets": "password=[", "xml": "<password>", "xml name": "<password ",
		"flags": " -p", "user flags": " -u", "curl": "curl -u ", "cookies": "cookie: a=", "bearer": "bearer ", "authorization": "authorization: basic ",
		"pem": "-----BEGIN ", "keys without end": "-----BEGIN PRIVATE KEY-----", "jwt": "eyJ.", "jwt head": "eyJhbGciOiJub25lIn0.", "hooks": "hooks.slack.com/",
		"urls": "://a:", "userinfo": "://a:b@", "slashes": "://a:b/", "phones": "tel", "phone words": "call 1", "numbers after words": "phone 12345 ",
		"countries": " DE89", "iban": "DE89370400440532013000 ", "markers": "[REDACTED:", "pseudonyms": "[ps:a:b:", "tracks": ";4111111111111111=",
		"percent": "%41", "percent signs": "%25", "backslashes": `\`, "escapes": `\u0041`, "unusual": "\u00a0", "zero-width": "\u200b", "ansi": "\x1b[", "control": "\x01",
		"continuation bytes": "\x80", "base64": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo", "base64 words": "cGFzc3dvcmQ9aHVudGVyMng= ", "hex": "0123456789abcdef",
		"prefixes": "ghp_", "github": "ghp_16C7e42F292c6912E7710c838347Ae178B4a ", "equals": "a=", "colons": ":", "spaces": " ", "random": "q7Zp2mW9xT4vK8sB1nD6fJ3h=",
		"entities": "&#64;", "cdata": "<password><![CDATA[", "hashes": "$1$.", "named runs": "key-", "short named runs": strings.Repeat("key-", 60) + "1 ", "ldapsearch": "ldapsearch ", "identified": "identified by 'a",
		"blocks": "password: |\n  ", "values before names": `"value":"a","name":"password",`, "quoted mail": `"a a"@`, "braces": "a{@",
		"tokens and dots": "token q7Zp2mW9xT4vK8sB1nD6.", "azure": "1Q~", "mixed": `{"a":"\u0041%41 4111-1111 a@b.c pass=x"}`, "everything": "password=eyJ://@4111 -p+1(2%41\\u0041key tel ",
	}
}

// Adversarial input costs at most eight times what ordinary input does, and in proportion to its length.
func TestWorstCase(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	e := newEngine(t)
	w := newWorker(e)
	// The best of several runs, in CPU time of this thread: other work on the machine only ever adds.
	cost := func(texts ...string) float64 {
		best := int64(math.MaxInt64)
		for range 15 {
			start := threadTime(t)
			for _, text := range texts {
				w.text(text)
			}
			best = min(best, threadTime(t)-start)
		}
		return float64(best) / float64(totalBytes(texts))
	}
	ordinary := cost(accessLines(400, 3, true)...)
	type row struct {
		name         string
		small, large float64
	}
	var rows []row
	for name, unit := range worst() {
		small := strings.Repeat(unit, 1<<13/len(unit))
		large := strings.Repeat(unit, 1<<16/len(unit))
		rows = append(rows, row{name, cost(small), cost(large)})
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].large > rows[j].large })
	t.Logf("ordinary: %.2f ns a byte", ordinary)
	for _, r := range rows[:12] {
		t.Logf("%-22s %6.2f ns a byte at 8 KiB, %6.2f at 64 KiB: %.1f times ordinary", r.name, r.small, r.large, r.large/ordinary)
	}
	for _, r := range rows {
		assert.Less(t, r.large, 4*r.small+20, "%s: linear", r.name)
	}
}
