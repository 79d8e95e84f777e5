// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"net/netip"
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

var ruleEmail = newID("email")

// atSigns finds addresses, and passwords before a host.
var atSigns = &Detector{At: literals("@"), Find: detectAt}

var _ = register(ruleEmail, Rule{
	Pack:      PII,
	Detectors: []*Detector{atSigns, {At: literals("://"), Find: detectUserinfo}},
	Canonical: folded,
	Gone: []Example{
		{"from alice@corp.example to", "alice@corp.example"}, {`from "john doe"@corp.example to`, "doe"}, {"from bob@[192.0.2.7] to", "bob"},
	},
	Stay: []string{"Created symlink getty@tty1.service", "aes128-gcm@openssh.com", "mail to ${user}@corp.example"},

	Takes:       "addresses, also international ones; quoted local parts",
	ValidatedBy: "local part, domain with a letters-only top level that is no type of systemd unit, or an address in brackets",
	OverMatches: "`user@host.domain` of kernels and shells",
	Source:      "RFC 5321, RFC 6531",
})

const (
	maxLocalPart = 64  // RFC 5321, 4.5.3.1.1
	maxDomain    = 255 // RFC 5321, 4.5.3.1.2
	maxLiteral   = 54  // [IPv6:...]
)

// localChars are the characters of an unquoted local part (RFC 5321 atext and the dot), without those that more often
// delimit an address in a log than belong to one: / = ? { } | ` ' and *.
var localChars = func() (t [256]bool) {
	for c := range 256 {
		t[c] = ascii.Class[c]&ascii.Alnum != 0 || c >= 0x80
	}
	for _, c := range "!#$%&+-_.~^" {
		t[c] = true
	}
	return t
}()

// detectAt examines the e-mail address around an at sign.
func detectAt(c *Context, _ ID, i int) int {
	s := c.S
	if end := c.credentialsBefore(i); end > 0 {
		return end
	}
	start := i
	for start > 0 && i-start < maxLocalPart && start > c.taken && localChars[s[start-1]] {
		start--
	}
	// An address starts with a letter or digit, and is not preceded by the rest of a longer one.
	for start < i && ascii.Class[s[start]]&ascii.Alnum == 0 && s[start] < 0x80 && s[start] != '_' {
		start++
	}
	if start == i {
		start = c.unusualLocalPart(i)
	}
	end := domainEnd(s, i+1)
	c.Charge(costOfValue)
	c.look(max(end, i) - start)
	c.weigh(max(0, i-start-longWord))
	if end == 0 && start < i {
		end = addressLiteral(s, i+1)
	}
	if start == i || end == 0 || sshDomains[ascii.LowerString(s[i+1:end])] || unitSuffix[asciiWord(topLevel(s, i, end))] {
		return 0
	}
	if login(s, start, i, end) {
		return 0
	}
	c.Offer(ruleEmail, start, end)
	return end
}

// topLevel returns what stands behind the last dot of the domain that ends at end, behind the at sign at i.
func topLevel(s string, i, end int) string {
	return s[i+1+strings.LastIndexByte(s[i+1:end], '.')+1 : end]
}

// accounts are those of machines, in whose names nobody gets mail.
var accounts = set("git hg svn root postgres mysql oracle ubuntu ec2-user centos debian admin deploy deployer backup rsync sftp ansible jenkins runner " +
	"vagrant docker core pi www-data nginx nobody daemon celery worker node app kernel user sshd ftp")

// hostDomains are top-level domains that are in use within networks only (RFC 6762, appendix G; RFC 9476; Kubernetes).
var hostDomains = set("internal intranet lan local localdomain svc cluster private home")

// login reports whether s[start:end] names an account on a host and no mailbox: git@github.com:acme/lib.git, bob@db1.internal,
// postgres@db-1.example.com:5432, celery@worker-1.prod.svc. The at sign is at i.
func login(s string, start, i, end int) bool {
	name := asciiWord(s[start:i])
	top := asciiWord(topLevel(s, i, end))
	if hostDomains[top] && (top != "local" || accounts[name] || strings.Contains(s[i:end], ".svc.") || strings.Contains(s[i:end], ".cluster.")) {
		return true
	}
	if numbers := strings.Count(s[i:end], "."); numbers > 1 && ascii.Is(s, i+1, ascii.Digit) {
		// The version of a package: kernel@5.15.0-91.generic
		if k := ascii.Span(s, i+1, ascii.Digit); ascii.At(s, k) == '.' && ascii.Is(s, k+1, ascii.Digit) {
			return true
		}
	}
	if ascii.At(s, end) != ':' {
		return name == "git" || accounts[name] && i >= 4 && loginCommand(s, start)
	}
	// The forms of scp and of connection strings: a path, or a port.
	next := ascii.At(s, end+1)
	return next == '/' || next == '~' || accounts[name] && ascii.Is(s, end+1, ascii.Alnum)
}

// loginCommand reports whether the word before start is a command that takes an account and a host.
func loginCommand(s string, start int) bool {
	return ascii.HasSuffixFold(s, start, "ssh ") || ascii.HasSuffixFold(s, start, "scp ") || ascii.HasSuffixFold(s, start, "sftp ") || ascii.HasSuffixFold(s, start, "rsync ")
}

// unusualLocalPart returns where the local part starts that ends before i with a character that more often delimits an address
// than belongs to one: a quoted string, or "a{b}". If there is none, it is i.
func (c *Context) unusualLocalPart(i int) int {
	s := c.S
	floor := max(c.taken, i-maxLocalPart)
	switch ascii.At(s, i-1) {
	case '"':
		slashes := 0
		for ascii.At(s, i-2-slashes) == '\\' {
			slashes++
		}
		for j := i - 2 - slashes; j >= floor && s[j] >= ' '; j-- {
			if s[j] != '"' {
				continue
			}
			// The inside of the quotes starts and ends with what a name may start and end with.
			if !ascii.Is(s, j+1, ascii.Alnum) || !ascii.Is(s, i-2-slashes, ascii.Alnum) {
				return i
			}
			return j
		}
	case '{', '}', '|', '*':
		j := i
		for j > floor && (localChars[s[j-1]] || strings.IndexByte("{}|*", s[j-1]) >= 0) {
			j--
		}
		if ascii.Is(s, j, ascii.Alnum) {
			return j
		}
	}
	return i
}

// addressLiteral returns the end of an address in brackets at i, in the place of a domain, or 0.
func addressLiteral(s string, i int) int {
	if ascii.At(s, i) != '[' {
		return 0
	}
	end := strings.IndexByte(s[i:min(len(s), i+maxLiteral)], ']')
	if end < 0 {
		return 0
	}
	text := s[i+1 : i+end]
	if ascii.HasPrefixFold(text, 0, "ipv6:") {
		text = text[len("ipv6:"):]
	}
	if _, err := netip.ParseAddr(text); err != nil {
		return 0
	}
	return i + end + 1
}

// sshDomains are the domains in names of algorithms (RFC 4251, 6), as sshd logs them: aes128-gcm@openssh.com.
var sshDomains = set("openssh.com libssh.org lysator.liu.se")

// unitSuffix are the types of systemd's units, which are no top-level domains: getty@tty1.service.
var unitSuffix = set("service socket target device mount automount swap timer path slice scope")

// domainEnd returns the end of the domain name at i: labels of letters, digits and dashes, the last one a top-level
// domain of two or more letters. It returns 0 if there is none.
func domainEnd(s string, i int) int {
	good := 0
	for j := i; j < len(s) && j-i < maxDomain; {
		k := j
		alpha := true
		for k < len(s) && k-j < 64 && (ascii.Class[s[k]]&ascii.Alnum != 0 || s[k] == '-' && k > j || s[k] >= 0x80) {
			alpha = alpha && ascii.Class[s[k]]&ascii.Digit == 0
			k++
		}
		label := k
		for label > j && s[label-1] == '-' {
			label--
		}
		if label == j {
			break
		}
		if j > i && label-j >= 2 && (alpha || ascii.HasPrefixFold(s, j, "xn--")) {
			good = label
		}
		if k != label || ascii.At(s, k) != '.' {
			break
		}
		j = k + 1
	}
	return good
}
