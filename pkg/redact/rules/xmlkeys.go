// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// xmlKeys are keys in XML as .NET writes them, of which some elements are secret: <RSAKeyValue><Modulus>…</Modulus>…<D>…</D></RSAKeyValue>.
var xmlKeys = &Detector{Extra: 8, At: literals("<rsakeyvalue", "<rsaparameters", "<dsakeyvalue"), Find: detectXMLKey}

const maxXMLKey = 16384 // bytes of one: 16384 bits have 10 kB

// The secret elements (System.Security.Cryptography, RSA.ToXmlString and DSA.ToXmlString); P and Q of DSA are public.
var (
	rsaElements = set("p q dp dq inverseq d")
	dsaElements = set("x seed")
)

// detectXMLKey examines the elements of the key whose start tag is at i.
func detectXMLKey(c *Context, _ ID, i int) int {
	s, secret := c.S, rsaElements
	if ascii.HasPrefixFold(s, i, "<d") {
		secret = dsaElements
	}
	c.Charge(costOfList)
	limit := min(len(s), i+maxXMLKey)
	k := i + 1
	for k < limit {
		if s[k] != '<' {
			k++
			continue
		}
		if ascii.HasPrefixFold(s, k, "</rsa") || ascii.HasPrefixFold(s, k, "</dsa") {
			break
		}
		name := k + 1
		if k = c.span(name, ascii.Alpha); ascii.At(s, k) != '>' || !secret[asciiWord(s[name:k])] {
			continue
		}
		start := ascii.Span(s, k+1, ascii.Space)
		k = start
		for k < len(s) && k-start < maxXMLKey && ascii.Class[s[k]]&(ascii.Run|ascii.Space) != 0 && s[k] != '<' {
			k++ // XML breaks long values into lines
		}
		end := k
		for end > start && ascii.Is(s, end-1, ascii.Space) {
			end--
		}
		if end-start >= minPrinted {
			c.Offer(PrivateKey, start, end)
		}
	}
	c.look(k - i)
	return 0
}
