// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// KeyLines follows a private key whose lines come one by one, behind whatever its writer puts before each: a syslog header, the name of a
// container, a number, a colour, the start of a JSON object. The zero value follows nothing; see [OpenKey].
type KeyLines struct {
	// prefix is what stood before the first line.
	prefix string
	// width is how long the first line of base64 was, and short whether a shorter one has come, which is the last.
	width int
	short bool
	// lines are those that have come, and foreign those in a row that belong to something else.
	lines, foreign int
}

const (
	maxKeyLines   = 1000 // of a key; one of RSA with 16,384 bits has some 200
	maxForeign    = 16   // lines of others in a row between those of a key
	maxKeyPrefix  = 512
	minKeyLine    = 40 // of base64, in a line that starts otherwise than the first one
	wholeKeyLine  = 60
	minKeyRest    = 8
	maxKeyLineLen = 80 // RFC 7468 has lines of 64, RFC 9580 of 76, OpenSSH of 70
)

// OpenKey returns the lines of a key that the match s[start:end] of PrivateKey leaves open at the end of the text.
func OpenKey(s string, start, end int) (k KeyLines, open bool) {
	match := s[start:end]
	switch {
	case strings.ContainsAny(strings.TrimRight(s[end:], "\r\n"), "\r\n"):
		return k, false
	case ascii.HasPrefixFold(match, 0, "putty-user-key-file"):
		open = !ascii.ContainsFold(match, "private-mac")
	case ascii.ContainsFold(match, "begin "):
		open = !ascii.ContainsFold(match, endMarks[0]) && !ascii.ContainsFold(match, endMarks[1])
	case derKey(match):
		open = len(match) <= maxKeyLineLen
		k.width = len(match)
	}
	if !open {
		return KeyLines{}, false
	}
	k.prefix = strings.Clone(s[lineStart(s, start):start])
	return k, true
}

// endMarks are in the END line: -----END, and ---- END of SSH2 (RFC 4716).
var endMarks = [...]string{"-end ", "- end "}

func lineStart(s string, i int) int {
	return strings.LastIndexByte(s[:max(0, min(i, len(s)))], '\n') + 1
}

// Next returns the part of the next line that belongs to the key, which may be empty, and whether more may follow.
func (k *KeyLines) Next(line string) (start, end int, open bool) {
	if k.lines++; k.lines > maxKeyLines {
		return 0, 0, false
	}
	for _, mark := range endMarks {
		if i := ascii.IndexFold(line, mark); i >= 0 && ascii.ContainsFold(line[i:], "key") {
			start, end = i, endLine(line, i+len(mark))
			for start > 0 && line[start-1] == '-' {
				start--
			}
			return start, end, false
		}
	}
	plain := ascii.Span(line, 0, ascii.Space)
	behind := -1
	if k.prefix != "" {
		behind = samePrefix(k.prefix, line)
	}
	for _, i := range [...]int{behind, plain} {
		if i < 0 {
			continue
		}
		if end, last, ok := k.part(line, i); ok {
			k.foreign = 0
			return i, end, !last
		}
	}
	if start, end := longestBase64(line); end-start >= minKeyLine && (end-start == k.width || end-start >= wholeKeyLine) {
		k.foreign = 0
		k.width, k.short = max(k.width, end-start), false
		return start, end, true
	}
	k.foreign++
	return 0, 0, behind < 0 && k.prefix != "" && k.foreign < maxForeign
}

// part reads a line of a key at i: base64, a header, or nothing. last says that nothing follows.
func (k *KeyLines) part(line string, i int) (end int, last, ok bool) {
	end = i
	for end < len(line) && ascii.Class[line[end]]&ascii.Run != 0 && line[end] != '-' && line[end] != '_' {
		end++
	}
	n := end - i
	switch next := ascii.At(line, end); {
	case n == 0:
		// An empty line.
		rest := strings.TrimSpace(line[i:])
		return i, false, closes(rest) && (rest == "" || i > 0 || len(rest) < minKeyRest)
	case next == ':' || next == '-':
		name := ascii.Span(line, i, ascii.Ident)
		if ascii.At(line, name) != ':' || !keyHeaders[ascii.LowerString(line[i:min(name, i+maxNameBytes)])] {
			return 0, false, false
		}
		end = name
		for end < len(line) && line[end] != '"' && line[end] != '\\' && line[end] != 0x1b && line[end] != '\r' {
			end++
		}
		k.width, k.short = 0, false
		return end, ascii.HasPrefixFold(line, i, "private-mac"), true
	case next != 0 && (ascii.Class[next]&ascii.Alnum != 0 || strings.IndexByte("._@([{/", next) >= 0):
		return 0, false, false
	case next == ' ' && n < minKeyLine && !closes(strings.TrimSpace(line[end:])):
		return 0, false, false // words
	case k.short:
		return end, false, line[i] == '=' && n == 5 // the check sum of OpenPGP
	case k.width == 0:
		k.width = n
	case n > k.width:
		return 0, false, false
	case n < k.width:
		k.short = true
	}
	return end, false, true
}

// closes reports whether rest is nothing, or begins with what closes a string, an element or a column, or with a written line end.
func closes(rest string) bool { return rest == "" || strings.IndexByte("\\\"'\x1b<|^#", rest[0]) >= 0 }

// keyHeaders are the headers in PEM (RFC 1421), OpenPGP, SSH2 and PuTTY files.
var keyHeaders = set("proc-type dek-info content-domain comment subject version hash charset messageid x-friendly-name encryption public-lines private-lines private-mac " +
	"key-derivation argon2-memory argon2-passes argon2-parallelism argon2-salt putty-user-key-file-2 putty-user-key-file-3")

// samePrefix returns where the line goes on behind what stands before another line, or -1. Numbers and the width of columns may differ.
func samePrefix(prefix, line string) int {
	if len(prefix) > maxKeyPrefix {
		return -1
	}
	p, i := 0, 0
	for p < len(prefix) {
		switch class := ascii.Class[prefix[p]]; {
		case class&ascii.Digit != 0 && ascii.Is(line, i, ascii.Digit):
			p, i = ascii.Span(prefix, p, ascii.Digit), ascii.Span(line, i, ascii.Digit)
		case class&ascii.Space != 0 && (ascii.Is(line, i, ascii.Space) || i == len(line) || p == 0):
			p, i = ascii.Span(prefix, p, ascii.Space), ascii.Span(line, i, ascii.Space)
		case p == 0 && ascii.Is(line, 0, ascii.Space) && class&ascii.Digit != 0:
			// numbers in a column
			if i = ascii.Span(line, 0, ascii.Space); !ascii.Is(line, i, ascii.Digit) {
				return -1
			}
		case i < len(line) && line[i] == prefix[p]:
			p, i = p+1, i+1
		default:
			return -1
		}
	}
	return i
}

// longestBase64 returns the longest run of base64 in the line.
func longestBase64(line string) (start, end int) {
	for i := 0; i < len(line); {
		stop := i
		for stop < len(line) && ascii.Class[line[stop]]&ascii.Run != 0 && line[stop] != '-' && line[stop] != '_' {
			stop++
		}
		if stop-i > end-start {
			start, end = i, stop
		}
		i = stop + 1
	}
	return start, end
}

// endLine returns the end of an END line whose label starts at i: the label, then dashes.
func endLine(s string, i int) int {
	for i < len(s) && (ascii.Class[s[i]]&ascii.Alnum != 0 || s[i] == ' ' && ascii.Is(s, i+1, ascii.Alnum|ascii.NumSep)) {
		i++
	}
	for ascii.At(s, i) == '-' {
		i++
	}
	return i
}

// derKey reports whether v is base64 that starts as private keys do: PKCS #1 and #8, SEC 1, OpenSSH. What it decodes to begins with the
// version and the algorithm, which a certificate or a public key does not have there.
func derKey(v string) bool {
	if len(v) < minDERKey {
		return false
	}
	switch v[:2] {
	case "MI":
		// 30 82 ? ? 02 01 00, then 02 82 or 30 0d; or with a shorter length: 30 81 ? 02 01 ...
		return v[2] == 'I' && v[6:8] == "IB" && (strings.HasPrefix(v[8:], "AAKB") || strings.HasPrefix(v[8:], "AAKC") || strings.HasPrefix(v[8:], "ADAN") || strings.HasPrefix(v[8:], "ADCC") || strings.HasPrefix(v[8:], "ADAQ")) ||
			v[4:10] == "AgEAMB" || v[4:10] == "AgEAMA" || v[4:8] == "AgEB" && v[8] == 'B'
	case "MH":
		return strings.HasPrefix(v, "MHcCAQEEI") || strings.HasPrefix(v, "MHQCAQEEI")
	case "MC", "ME":
		return strings.HasPrefix(v, "MC4CAQAwBQYDK2V") || strings.HasPrefix(v, "MEcCAQAwBQYDK2V")
	case "b3":
		return strings.HasPrefix(v, "b3BlbnNzaC1rZXktdjE")
	}
	return false
}

const minDERKey = 48
