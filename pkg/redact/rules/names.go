// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Names are names of keys whose values a rule takes. A name is split into words at punctuation and changes of case, and what
// counts is the last one: DB_PASSWORD, dbPassword and db-password end in password. Numbers and words that add nothing (VALUE,
// PROD, old) are passed by.
type Names struct {
	// Words are such last words, and Endings what a longer last word may end with: password takes userpassword as well.
	Words, Endings string
	// Behind are the words of which one must stand before, or, with an ending, be the rest of the word; BehindThat those of which
	// one must stand before that.
	Behind, BehindThat string
	// NotBehind are the words of which none may stand there, and Except last words that only look so.
	NotBehind, Except string
	// Alone and Qualified say that no word may, or one must, stand before.
	Alone, Qualified bool
	// Inside are words that tell something also in the middle of a name whose last word says nothing of it.
	Inside   string
	Strength Strength
}

// Strength says how much a name tells about its value.
type Strength uint8

// From nothing to everything.
const (
	Nothing Strength = iota
	Weak             // the value must look like a token of some length
	Likely           // the value must have letters and digits
	Medium           // the value must look like a token, or be plainly assigned
	Hard             // any value is secret, but for names of what is kept elsewhere if it is no password
	Certain          // and those, too
)

// Verdict is what a name says about its value.
type Verdict struct {
	Rule     ID
	Strength Strength
}

const (
	maxName     = 96
	maxSegments = 16
)

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// words is a set of words, with the lengths of those that begin with a letter, by its place in the alphabet: most others are told by that.
type words struct {
	all     map[string]bool
	lengths [32]uint32
}

func newWords(list string) *words {
	w := &words{all: set(list)}
	for word := range w.all {
		w.lengths[word[0]&31] |= 1 << len(word)
	}
	return w
}

// in reports whether the word, in small letters, is in the set, whose words are no longer than maxSetWord.
func in(set *words, word string) bool {
	if word == "" || len(word) > maxSetWord || set.lengths[word[0]&31]>>len(word)&1 == 0 {
		return false
	}
	var lower [maxSetWord]byte
	for i := range len(word) {
		lower[i] = ascii.ToLower(word[i])
	}
	return set.all[string(lower[:len(word)])]
}

const maxSetWord = 32

var (
	// A sensitive word before one of these names a property of the secret, not the secret.
	properties = set("id ids type name names count counts length len size limit limits expires expiry expiration expire ttl url uri endpoint " +
		"file filename path location dir directory policy algorithm alg version status state error errors valid enabled disabled " +
		"required changed reset format index usage used provider manager service services store ref reference arn date time " +
		"timestamp at age attempts attempt label prefix rotation issuer class pattern regex strategy method mode kind source " +
		"scope scopes bucket tokens hint info exists present set field variable selector mapping renewal lifetime duration " +
		"max min source strength validation validator verified verification check checks failure failures result success handler " +
		"factory generator parser reader writer module plugin callback event events action actions operation request response " +
		"kinds list map table column row rows policyid storage backend review reviews bytes bits rate ratio cost credentialsid accessor " +
		"rule rules requirement requirements complexity history lockout lock locked hashing hasher hashers encoder encoding encryption grace day days " +
		"minutes hours seconds interval period change changes chars character characters prompt placeholder title icon visible visibility autocomplete " +
		"iterations rounds plugin page link quality validators needed expires updated created last salt server database namespace provider owner " +
		"identifier parameter parameters engine management manage sync script command helper hash_type digits window lookup loader resolver")
	// Words behind a telling name that say whose it is, or which of several: PASSWORD_ADMIN, POSTGRES_PASSWORD_RO.
	qualifiers = set("ro rw read write readonly readwrite reader admin administrator root master slave primary secondary replica standby main stage " +
		"qa uat ci local remote internal external private eu us uk de fr asia emea apac na db mysql mariadb postgres postgresql pg pgsql oracle " +
		"mssql mongo mongodb redis rabbitmq amqp kafka elastic elasticsearch es smtp mail email imap ftp sftp ssh vpn ldap ad api app web www backend frontend " +
		"aws gcp azure github gitlab bitbucket jira slack stripe openai anthropic twilio sendgrid google facebook twitter superuser su sa bot deploy " +
		"deployer jenkins grafana prometheus minio s3 nexus artifactory sonar harbor registry docker npm pypi keystore truststore wifi wlan guest " +
		"acceso acesso accesso usuario utente uzytkownika uzivatele benutzer utilisateur gebruiker " +
		"operator support preprod secreta secreto first second one two a b c next previous prev init initial")
	// Words that add nothing to a name.
	noise = set("value val string str plain text plaintext raw b64 base64 hex new old current prod dev test testing staging env var param " +
		"confirm confirmation again repeat backup default cleartext clear encoded enc live sandbox")
)

// segments splits a name at punctuation and changes of case, lower-cased into buf: userPassword is user, password;
// APIKey is api, key; x-api-key is x, api, key.
func segments(name string, buf *[maxName]byte, out *[maxSegments]string) int {
	if len(name) > maxName {
		name = name[len(name)-maxName:]
	}
	n, start := 0, 0
	flush := func(end int) {
		if end > start {
			if buf[start] >= utf8.RuneSelf || buf[end-1] >= utf8.RuneSelf || strange(name[start:end]) {
				lowerRunes(buf[start:end])
			}
			if n == maxSegments {
				copy(out[:], out[1:])
				n--
			}
			out[n] = ascii.UnsafeString(buf[start:end])
			n++
		}
		start = end
	}
	for i := range len(name) {
		b := name[i]
		buf[i] = ascii.ToLower(b)
		cl := ascii.Class[b]
		switch {
		case b < 0x80 && cl&ascii.Alnum == 0:
			flush(i)
			start = i + 1
		case cl&ascii.UpperCase != 0 && i > start:
			prev := ascii.Class[name[i-1]]
			if prev&ascii.UpperCase == 0 && prev&ascii.Alnum != 0 || prev&ascii.UpperCase != 0 && ascii.Is(name, i+1, ascii.LowerCase) && !(ascii.At(name, i+1) == 's' && !ascii.Is(name, i+2, ascii.LowerCase)) {
				flush(i)
			}
		}
	}
	flush(len(name))
	return n
}

// lowerRunes lower-cases the letters of b beyond ASCII, where that takes as many bytes.
func lowerRunes(b []byte) {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if low := unicode.ToLower(r); low != r && utf8.RuneLen(low) == size {
			utf8.EncodeRune(b[i:], low)
		}
		i += size
	}
}

// names is one of the Names of a rule, made ready for looking up.
type names struct {
	rule                                  ID
	behind, behindThat, notBehind, except map[string]bool
	Names
}

// nameTable holds the names of all rules: by last word, by ending, and those inside of a name.
type nameTable struct {
	byWord  map[string][]*names
	endings []struct {
		ending string
		names  *names
	}
	inside map[string]*names
}

var nameTables = sync.OnceValue(func() *nameTable {
	t := &nameTable{byWord: map[string][]*names{}, inside: map[string]*names{}}
	for i, r := range registered {
		for _, n := range r.Names {
			p := &names{ID(i), set(n.Behind), set(n.BehindThat), set(n.NotBehind), set(n.Except), n}
			for w := range strings.FieldsSeq(n.Words) {
				t.byWord[w] = append(t.byWord[w], p)
			}
			for w := range strings.FieldsSeq(n.Endings) {
				t.endings = append(t.endings, struct {
					ending string
					names  *names
				}{w, p})
			}
			for w := range strings.FieldsSeq(n.Inside) {
				t.inside[w] = p
			}
		}
	}
	return t
})

// judge returns what a name says about its value. In a name such as PaSsWoRd the case does not show where words start.
func judge(name string) Verdict {
	v := judgeWords(name)
	if v.Strength == Nothing && caseChanges(name)*2 >= len(name) {
		v = judgeWords(strings.ToLower(name))
	}
	return v
}

func judgeWords(name string) Verdict {
	var buf [maxName]byte
	var all [maxSegments]string
	seg := all[:segments(name, &buf, &all)]
	for len(seg) > 0 && (noise[trimDigits(seg[len(seg)-1])] || trimDigits(seg[len(seg)-1]) == "") {
		seg = seg[:len(seg)-1]
	}
	if len(seg) == 0 {
		return Verdict{}
	}
	if n := len(seg) - 1; n > 0 && submitted[seg[n]] {
		if v, _ := judgeSegments(seg[:n]); v.Rule == ruleOneTimeCode && v.Strength == Hard {
			return Verdict{v.Rule, Medium}
		}
	}
	best, known := judgeSegments(seg)
	if known || properties[trimDigits(seg[len(seg)-1])] {
		return best
	}
	if v := judgeQualified(seg); v.Strength > Nothing {
		return v
	}
	// A telling word inside a name with another head: the_secret_do_not_commit.
	for _, w := range seg[:len(seg)-1] {
		if p := nameTables().inside[w]; p != nil && p.Strength > best.Strength {
			best = Verdict{p.rule, p.Strength}
		}
	}
	for k := 1; best.Strength == Nothing && k < len(seg)-1; k++ {
		if seg[k] == "key" && keyQualifierSet[seg[k-1]] {
			best = Verdict{ruleAPIKey, Weak} // fs.azure.account.key.acme.dfs.core.windows.net
		}
	}
	return best
}

const maxQualifiers = 3

// judgeQualified judges a name by what stands before its last words, if these only qualify it. Behind a password, words that are not known
// may do so, too.
func judgeQualified(seg []string) Verdict {
	sure := true
	for k := len(seg) - 1; k > 0 && len(seg)-k <= maxQualifiers; k-- {
		w := trimDigits(seg[k])
		if properties[w] {
			break
		}
		sure = sure && (qualifiers[w] || noise[w] || w == "")
		v, _ := judgeSegments(seg[:k])
		switch {
		case v.Strength == Nothing:
		case sure:
			return v
		case v.Rule == rulePassword && v.Strength == Hard:
			return Verdict{v.Rule, Likely}
		}
	}
	return Verdict{}
}

// judgeSegments judges a name by its last word and those before it. It reports also whether that word is one that some rule knows.
func judgeSegments(seg []string) (best Verdict, known bool) {
	n := len(seg)
	last, before, beforeThat := trimDigits(seg[n-1]), "", ""
	if n > 1 {
		before = trimDigits(seg[n-2])
	}
	if n > 2 {
		beforeThat = trimDigits(seg[n-3])
	}
	consider := func(p *names, before, beforeThat string, alone bool) {
		if p.except[last] {
			return
		}
		known = true
		if p.Strength > best.Strength && p.takes(before, beforeThat, alone) {
			best = Verdict{p.rule, p.Strength}
		}
	}
	table := nameTables()
	for _, p := range table.byWord[last] {
		consider(p, before, beforeThat, n == 1)
	}
	for i := range table.endings {
		if e := &table.endings[i]; len(last) > len(e.ending) && strings.HasSuffix(last, e.ending) {
			if e.names.notBehind[before] {
				known = true
				continue
			}
			consider(e.names, last[:len(last)-len(e.ending)], before, false)
		}
	}
	return best, known
}

// takes reports whether the last word counts behind these.
func (n *names) takes(before, beforeThat string, alone bool) bool {
	switch {
	case n.Alone && !alone, n.Qualified && alone, n.notBehind[before]:
		return false
	case len(n.behind) > 0 && !n.behind[before]:
		return false
	}
	return len(n.behindThat) == 0 || n.behindThat[beforeThat]
}

func trimDigits(s string) string {
	for len(s) > 0 && ascii.Class[s[len(s)-1]]&ascii.Digit != 0 {
		s = s[:len(s)-1]
	}
	return s
}

// Namer decides about names with the configuration's lists, and remembers its verdicts. It is not safe for concurrent use.
type Namer struct {
	sensitive, ignore []string // globs, lower case
	cache             map[string]Verdict
	cues              map[string]bool
	unusual           *prefilter.Set // characters of globs that names mostly do not have, or nil
}

// A Namer remembers so many names at most, and none that is longer.
const (
	MaxCachedNames   = 4096
	MaxCachedNameLen = 128
)

// NewNamer returns a Namer for which names that match the globs, lower case, are sensitive, or say nothing.
func NewNamer(sensitive, ignore []string) *Namer {
	k := &Namer{sensitive: sensitive, ignore: ignore, cache: map[string]Verdict{}, cues: map[string]bool{}}
	for _, g := range sensitive {
		for i := range len(g) {
			if b := g[i]; b != '*' && b != '?' && ascii.Class[b]&(ascii.Ident|ascii.Latin) == 0 {
				if k.unusual == nil {
					k.unusual = prefilter.Class(ascii.Ident)
				}
				k.unusual[b] = true
			}
		}
	}
	return k
}

// unusualName returns where the name around S[start:end] is if it is one of the configuration's with characters that names mostly do not
// have, such as a space: it may go on to its quotes.
func (c *Context) unusualName(start, end int) (int, int, bool) {
	if c.names.unusual == nil {
		return 0, 0, false
	}
	s, set := c.S, c.names.unusual
	wide := func(b byte) bool { return set[b] || b >= utf8.RuneSelf }
	from, to := start, end
	for from > c.taken && start-from < maxNameBytes && wide(s[from-1]) {
		from--
	}
	for to < len(s) && to-end < maxNameBytes && wide(s[to]) {
		to++
	}
	// Of a text with spaces, the words before and behind may not belong to it.
	for a := from; a <= start; a++ {
		if a > from && wide(s[a-1]) && s[a-1] != ' ' {
			continue
		}
		for b := to; b >= end; b-- {
			if v := c.names.Decide(s[a:b]); v.Rule == SensitiveKey && v.Strength == Hard && s[b-1] != ' ' {
				return a, b, true
			}
		}
	}
	return 0, 0, false
}

// Verdict returns what a name says.
func (k *Namer) Verdict(name string) Verdict {
	if v, ok := k.cache[name]; ok {
		return v
	}
	v := k.Decide(name)
	if len(name) <= MaxCachedNameLen {
		if len(k.cache) >= MaxCachedNames {
			clear(k.cache)
		}
		k.cache[strings.Clone(name)] = v
	}
	return v
}

// Decide is Verdict, without remembering it.
func (k *Namer) Decide(name string) Verdict {
	for _, g := range k.ignore {
		if ascii.Glob(g, name) {
			return Verdict{}
		}
	}
	for _, g := range k.sensitive {
		if ascii.Glob(g, name) {
			return Verdict{SensitiveKey, Hard}
		}
	}
	return judge(name)
}

// minLiteral is the shortest word that is looked for anywhere in a text. Shorter ones must stand at the start of a word.
const minLiteral = 4

// minEnding is that of the ending of a word.
const minEnding = 3

// nameTriggers derives from names, and from globs over names, where the detector of names is called: as few places as lead to all
// of them, because it looks at the name around the place.
func nameTriggers(all []Names, globs []string) []Trigger {
	var anywhere, starts []string
	qualified := map[string]bool{} // those of starts that other words stand before
	var endings []string           // short ones
	for _, n := range all {
		for e := range strings.FieldsSeq(n.Endings) {
			if len(e) < minEnding {
				endings = append(endings, e)
			} else {
				anywhere = append(anywhere, inEitherCase(e)...)
			}
		}
	}
	for _, g := range globs {
		longest := ""
		for _, part := range strings.FieldsFunc(g, func(r rune) bool { return r == '*' || r == '?' }) {
			if len(part) > len(longest) {
				longest = part
			}
		}
		if longest != "" {
			anywhere = append(anywhere, longest)
		}
	}
	covered := func(w string) bool {
		return slices.ContainsFunc(anywhere, func(a string) bool { return strings.Contains(w, a) })
	}
	// What is led to by what stands before it comes last, when all else is known.
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Names) int { return min(len(a.Behind), 1) - min(len(b.Behind), 1) })
	for _, n := range all {
		allBefore := n.Behind != "" && !slices.ContainsFunc(strings.Fields(n.Behind), func(b string) bool { return !covered(b) && !slices.Contains(starts, b) })
		for w := range strings.FieldsSeq(n.Words + " " + n.Inside) {
			switch {
			case allBefore || covered(w):
				continue
			case n.Behind != "" && seldomer(n.Behind, w):
				for b := range strings.FieldsSeq(n.Behind) {
					if !covered(b) {
						anywhere = append(anywhere, b)
					}
				}
			case len(w) >= minLiteral:
				anywhere = append(anywhere, inEitherCase(w)...)
			default:
				starts = append(starts, w)
				if n.Qualified || n.Behind != "" {
					qualified[w] = true
				}
			}
		}
	}
	slices.Sort(anywhere)
	anywhere = slices.Compact(anywhere)
	literal := slices.DeleteFunc(slices.Clone(anywhere), func(w string) bool {
		return slices.ContainsFunc(anywhere, func(a string) bool { return a != w && strings.Contains(w, a) })
	})
	t := literals(literal...)
	slices.Sort(endings)
	for _, e := range slices.Compact(endings) {
		t = append(t, endingTrigger(e))
	}
	slices.Sort(starts)
	for _, w := range slices.Compact(starts) {
		if !covered(w) {
			t = append(t, wordTriggers(w, qualified[w] && !slices.Contains(endings, w))...)
		}
	}
	return t
}

// inEitherCase returns what leads to a word in capitals as in small letters. Letters beyond ASCII are not known in both cases: a part
// without them that is long enough does, or else each way to write the word.
func inEitherCase(w string) []string {
	if !strange(w) {
		return []string{w}
	}
	longest := ""
	for _, part := range strings.FieldsFunc(w, func(r rune) bool { return r >= utf8.RuneSelf }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	if len(longest) >= minLiteral {
		return []string{longest}
	}
	_, first := utf8.DecodeRuneInString(w)
	ways := []string{w, strings.ToUpper(w[:first]) + w[first:], strings.ToUpper(w)}
	for i := range ways {
		// What is ASCII in a literal is in small letters.
		ways[i] = strings.Map(func(r rune) rune {
			if r < utf8.RuneSelf {
				return unicode.ToLower(r)
			}
			return r
		}, ways[i])
	}
	return ways
}

// endingTrigger leads to a short ending of a longer word: bindpw, ROOTPW.
func endingTrigger(e string) Trigger {
	at := []*prefilter.Set{prefilter.Class(ascii.Alnum)}
	for i := range len(e) {
		at = append(at, prefilter.Bytes(e[i:i+1]+strings.ToUpper(e[i:i+1])))
	}
	return sets(append(at, prefilter.Not(prefilter.Class(ascii.LowerCase)))...)
}

// seldomer reports whether the words are rarer in ordinary lines than w is.
func seldomer(words, w string) bool {
	n := 0
	for b := range strings.FieldsSeq(words) {
		n += prefilter.InSample(b)
	}
	return n < prefilter.InSample(w)
}

// wordTriggers lead to a short word where a name starts, or its next word: pw, db_pw, and dbPw if words may stand before it.
func wordTriggers(w string, qualified bool) []Trigger {
	end := prefilter.Not(prefilter.Class(ascii.LowerCase))
	start := behind(prefilter.Not(prefilter.Class(ascii.Alpha)))
	camel := behind(prefilter.Class(ascii.LowerCase))
	for i := range len(w) {
		upper := w[i : i+1]
		if ascii.Is(w, i, ascii.LowerCase) {
			upper = string(w[i] - 'a' + 'A')
		}
		start.Sets = append(start.Sets, prefilter.Bytes(w[i:i+1]+upper))
		if i == 0 {
			camel.Sets = append(camel.Sets, prefilter.Bytes(upper))
		} else {
			camel.Sets = append(camel.Sets, prefilter.Bytes(w[i:i+1]))
		}
	}
	start.Sets, camel.Sets = append(start.Sets, end), append(camel.Sets, end)
	if !qualified {
		return []Trigger{start}
	}
	return []Trigger{start, camel}
}
