// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a seal. They keep its text below [MaxNoteSize], and a verifier's work
// on a forged one bounded.
const (
	MaxBlock      = 1024 // leaves of a block
	MaxDoubtBlock = 128  // leaves of a block of doubt, which are listed whole
	MaxVoidRanges = 512
	// AnchorEvery is the distance of the seals that are signed by an anchor key too.
	AnchorEvery = 64
)

const (
	originPrefix = "logseal.v1/"
	timeLayout   = "2006-01-02T15:04:05.000000000Z"
	// MaxDuration bounds uptimes and intervals to what 64-bit nanoseconds hold
	// with room to add: a hundred years.
	MaxDuration = 100 * 365 * 24 * time.Hour
)

// Kind is what a seal is for.
type Kind string

// The kinds of seals.
const (
	KindOpen      Kind = "open"      // starts a session, declares its policy
	KindAdopt     Kind = "adopt"     // covers what the session before stamped and did not seal
	KindBlock     Kind = "block"     // covers what was settled since the last block
	KindHeartbeat Kind = "heartbeat" // nothing to cover, and still here
	KindClose     Kind = "close"     // ends a session: everything it stamped is settled
)

// Seal is what the signed text of a seal says. Which fields a kind uses is said
// beside them; the others are zero.
type Seal struct {
	StreamID string // 16 hex digits
	Size     uint64 // blocks of the stream so far, this seal's included
	Root     Hash   // RFC 6962 root over the roots of these blocks

	Number  uint64 // of this seal in the stream, across sessions
	Kind    Kind
	Handle  string   // of the session
	Nonce   [16]byte // of the session
	Time    time.Time
	Uptime  time.Duration // since the host's boot, in whole milliseconds
	BootID  [16]byte
	Covered Ranges // adopt, block: the seqs under the block's leaves
	Void    Ranges // adopt, block, heartbeat, close: seqs that were never forwarded

	Name      string        // open: the operator's name for the stream
	Key       PublicKey     // open: pk0, the stream's first key, for who has no trust line
	Software  string        // open: program/version
	Interval  time.Duration // open: between seals while records flow, in whole milliseconds
	Heartbeat time.Duration // open: between seals when idle, in whole milliseconds
	Exclude   []string      // open: see [NewPolicy]
	// ExcludeResource is the same of resource attributes.
	ExcludeResource []string
	RolledBack      bool   // open: storage was behind the key file
	RollbackTo      uint64 // open, if RolledBack: the seal that storage would have made next
	// Endorsement is what seal 0 may carry; nil if there is none.
	Endorsement *Endorsement

	Adopts string // adopt: handle of the session whose seqs are settled here
	Doubt  bool   // adopt: the covered records may never have left the host

	End uint64 // close: how many seqs the session gave out

	Groups   []Hash // if Covered: the root of each group of leaves (GroupSize; 1 if Doubt)
	Prefixes []byte // if Covered and not Doubt: the first 2 bytes of each leaf hash

	Prev    Hash // SHA-256 of the signed text of seal Number-1; zero and unused in seal 0
	Next    PublicKey
	Anchors []Anchor // ascending; see [AnchorsAfter]

	// Of seal 0 and of anchors of a post-quantum stream: an ML-DSA-44 public key that signs the seal too; and of its anchors, the
	// Ed25519 key, which other streams' seals name as it is.
	MLDSA     []byte
	OwnAnchor PublicKey
}

// Anchor is a later seal that will be signed by a second key, and that key; in a post-quantum stream by a second and a third.
type Anchor struct {
	Number uint64
	Key    AnchorKey
}

// Origin returns the stream's checkpoint origin, which is the name of its keys too.
func (s *Seal) Origin() string { return originPrefix + s.StreamID }

// GroupSize returns how many leaves one of the seal's group roots stands for.
func (s *Seal) GroupSize() int {
	if s.Doubt {
		return 1
	}
	return GroupSize
}

// AnchorsAfter returns the numbers of the anchors that seal n names, ascending:
// the next two multiples of 64, so that losing one anchor does not break the chain,
// and the next of 4,096 and of 262,144, so that losing hours of seals does not.
func AnchorsAfter(n uint64) []uint64 {
	near := nextMultiple(n, AnchorEvery)
	numbers := []uint64{near, near + AnchorEvery, nextMultiple(n, 4096), nextMultiple(n, 262144)}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// AnchorKey returns the key that the seal names for an anchor.
func (s *Seal) AnchorKey(number uint64) (AnchorKey, bool) {
	for i := range s.Anchors {
		if s.Anchors[i].Number == number {
			return s.Anchors[i].Key, true
		}
	}
	return AnchorKey{}, false
}

// nextMultiple returns the first multiple of m above n.
func nextMultiple(n, m uint64) uint64 { return (n/m + 1) * m }

// Text returns the text that is signed, with its final newline. It does not
// check the seal; [ParseSeal] takes exactly what a well-formed seal writes.
func (s *Seal) Text() string {
	b := make([]byte, 0, s.textSize())
	line := func(parts ...string) {
		for i, p := range parts {
			if i > 0 {
				b = append(b, ' ')
			}
			b = append(b, p...)
		}
		b = append(b, '\n')
	}
	line(s.Origin())
	line(decimal(s.Size))
	line(b64(s.Root[:]))
	line("seal", decimal(s.Number))
	line("kind", string(s.Kind))
	line("session", s.Handle, hex.EncodeToString(s.Nonce[:]))
	line("time", s.Time.UTC().Format(timeLayout))
	ms := s.Uptime.Milliseconds()
	line("uptime", fmt.Sprintf("%d.%03d", ms/1000, ms%1000), "boot", hex.EncodeToString(s.BootID[:]))
	covers := ""
	switch s.Kind {
	case KindOpen:
		line("name", s.Name)
		line("key", b64(s.Key[:]))
		line("software", s.Software)
		line("interval", decimal(uint64(s.Interval.Milliseconds())))
		line("heartbeat", decimal(uint64(s.Heartbeat.Milliseconds())))
		for _, name := range s.Exclude {
			line("exclude", name)
		}
		for _, name := range s.ExcludeResource {
			line("exclude-resource", name)
		}
		if s.RolledBack {
			line("rollback", decimal(s.RollbackTo))
		}
		if e := s.Endorsement; e != nil {
			line("endorsement", b64(e.Signature))
			for _, der := range e.Certificates {
				line("certificate", b64(der))
			}
		}
	case KindAdopt:
		line("adopt", s.Adopts)
		covers = "sent"
		if s.Doubt {
			covers = "doubt"
		}
	case KindBlock:
		covers = "block"
	case KindClose:
		line("end", decimal(s.End))
	}
	if len(s.Covered) > 0 {
		line(covers, s.Covered.String())
	}
	if len(s.Void) > 0 {
		line("void", s.Void.String())
	}
	if len(s.Covered) > 0 {
		groups := make([]byte, 0, MaxBlock/GroupSize*HashSize) // on the stack
		for i := range s.Groups {
			groups = append(groups, s.Groups[i][:]...)
		}
		b = append(base64.StdEncoding.AppendEncode(append(b, "groups "...), groups), '\n')
		if !s.Doubt {
			b = append(base64.StdEncoding.AppendEncode(append(b, "digests "...), s.Prefixes), '\n')
		}
	}
	if s.Number > 0 {
		line("prev", b64(s.Prev[:]))
	}
	s.appendKeys(line)
	return string(b)
}

// textSize returns how long the text is about, and not less as a rule.
func (s *Seal) textSize() int {
	return 1024 + 2*len(s.MLDSA) + 16*(len(s.Covered)+len(s.Void)) + base64.StdEncoding.EncodedLen(len(s.Groups)*HashSize) + base64.StdEncoding.EncodedLen(len(s.Prefixes))
}

// ParseSeal parses the signed text of a seal. A text has one spelling: anything
// that [Seal.Text] would not write is an error. A parsed seal is well-formed, not
// genuine: see [Note.SignedBy]. The error wraps [ErrText], or [ErrUnsupported].
func ParseSeal(text string) (*Seal, error) {
	p := parser{rest: text}
	s := p.seal()
	if p.err != nil {
		if errors.Is(p.err, ErrUnsupported) {
			return nil, p.err
		}
		return nil, fmt.Errorf("%w: line %d: %w", ErrText, p.lines, p.err)
	}
	if s.Text() != text {
		return nil, fmt.Errorf("%w: it is not in its one form", ErrText)
	}
	return s, nil
}

// ErrText is wrapped by errors about a text that is not as that of a seal is.
var ErrText = errors.New("not the text of a seal")

// ErrUnsupported is wrapped by errors about a format version other than 1.
var ErrUnsupported = errors.New("stamp format version is not supported")

// parser reads a seal's text line by line. After the first error it reads nothing.
type parser struct {
	rest  string
	lines int
	err   error
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// line returns the next line, which must end in a newline.
func (p *parser) line() string {
	if p.err != nil {
		return ""
	}
	p.lines++
	line, rest, ok := strings.Cut(p.rest, "\n")
	if !ok {
		p.fail(errors.New("the text ends too early"))
	}
	p.rest = rest
	return line
}

// has reports whether the next line is a field with the given name.
func (p *parser) has(name string) bool {
	return p.err == nil && strings.HasPrefix(p.rest, name+" ")
}

// field returns the value of the next line, which must be that field.
func (p *parser) field(name string) string {
	value, ok := strings.CutPrefix(p.line(), name+" ")
	if !ok {
		p.fail(fmt.Errorf("no %q where it belongs", name))
	}
	return value
}

func (p *parser) number(s string) uint64 {
	n, err := parseNumber(s)
	if err != nil {
		p.fail(err)
	}
	return n
}

func (p *parser) millis(s string) time.Duration {
	n := p.number(s)
	if n >= uint64(MaxDuration.Milliseconds()) {
		p.fail(errors.New("a duration is too long"))
		return 0
	}
	return time.Duration(n) * time.Millisecond
}

// seconds reads a duration written as seconds with three decimals.
func (p *parser) seconds(s string) time.Duration {
	whole, fraction, _ := strings.Cut(s, ".")
	ms, err := strconv.ParseUint(fraction, 10, 64)
	if err != nil || len(fraction) != 3 {
		p.fail(errors.New("seconds are written with three decimals"))
	}
	n := p.number(whole)
	if n >= uint64(MaxDuration/time.Second) {
		p.fail(errors.New("a duration is too long"))
		return 0
	}
	return time.Duration(n)*time.Second + time.Duration(ms)*time.Millisecond
}

func (p *parser) ranges(s string, limit int) Ranges {
	rs, err := ParseRanges(s, limit)
	if err != nil {
		p.fail(err)
	}
	return rs
}

func (p *parser) base64(s string, dst []byte) {
	raw := p.bytes(s)
	if len(raw) != len(dst) {
		p.fail(fmt.Errorf("%d bytes in base64 are wanted, not %d", len(dst), len(raw)))
	}
	copy(dst, raw)
}

func (p *parser) bytes(s string) []byte {
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		p.fail(errors.New("not standard base64 with padding"))
	}
	return raw
}

func (p *parser) hex16(s string) (id [16]byte) {
	raw, err := hex.DecodeString(s)
	if err != nil || len(raw) != len(id) {
		p.fail(errors.New("32 hex digits are wanted"))
	}
	copy(id[:], raw)
	return id
}

func (p *parser) handle(s string) string {
	if !validHandle(s) {
		p.fail(errors.New("a handle is 8 characters of a-z2-7"))
	}
	return s
}

func (p *parser) seal() *Seal {
	s := &Seal{}
	p.checkpoint(s)
	s.Number = p.number(p.field("seal"))
	s.Kind = Kind(p.field("kind"))
	handle, nonce, _ := strings.Cut(p.field("session"), " ")
	s.Handle, s.Nonce = p.handle(handle), p.hex16(nonce)
	var err error
	if s.Time, err = time.Parse(timeLayout, p.field("time")); err != nil {
		p.fail(errors.New("a time is written 2006-01-02T15:04:05.000000000Z"))
	}
	uptime, boot, _ := strings.Cut(p.field("uptime"), " boot ")
	s.Uptime = p.seconds(uptime)
	s.BootID = p.hex16(boot)
	covers := p.kind(s)
	if covers != "" && (s.Kind == KindBlock || p.has(covers)) {
		s.Covered = p.ranges(p.field(covers), MaxBlock)
	}
	if s.Kind != KindOpen && p.has("void") {
		s.Void = p.ranges(p.field("void"), MaxVoidRanges)
		if s.Void.Overlaps(s.Covered) {
			p.fail(errors.New("a seq is covered and void"))
		}
	}
	if s.Kind == KindAdopt && len(s.Covered) == 0 && len(s.Void) == 0 {
		p.fail(errors.New("an adopt seal settles nothing"))
	}
	if len(s.Covered) > 0 {
		p.block(s)
	}
	if s.Number > 0 {
		p.base64(p.field("prev"), s.Prev[:])
	}
	p.keys(s)
	if p.err == nil && p.rest != "" {
		p.fail(errors.New("there is more after the last line"))
	}
	return s
}

func (p *parser) checkpoint(s *Seal) {
	origin := p.line()
	id, ok := strings.CutPrefix(origin, originPrefix)
	switch {
	case ok && len(id) == 16 && strings.Trim(id, "0123456789abcdef") == "":
		s.StreamID = id
	case !ok && strings.HasPrefix(origin, "logseal.v"):
		p.fail(ErrUnsupported)
	default:
		p.fail(errors.New("not the origin of a stream"))
	}
	s.Size = p.number(p.line())
	p.base64(p.line(), s.Root[:])
}

// kind reads the lines that only one kind of seal has, and returns the name of
// the line that says which seqs it covers.
func (p *parser) kind(s *Seal) (covers string) {
	switch s.Kind {
	case KindOpen:
		p.open(s)
	case KindAdopt:
		s.Adopts = p.handle(p.field("adopt"))
		s.Doubt = p.has("doubt")
		if s.Doubt {
			return "doubt"
		}
		return "sent"
	case KindBlock:
		return "block"
	case KindHeartbeat:
	case KindClose:
		s.End = p.number(p.field("end"))
	default:
		p.fail(errors.New("not a kind of seal"))
	}
	return ""
}

func (p *parser) open(s *Seal) {
	s.Name = p.field("name")
	if err := CheckName(s.Name); err != nil {
		p.fail(err)
	}
	p.base64(p.field("key"), s.Key[:])
	if StreamID(&s.Key) != s.StreamID {
		p.fail(errors.New("the key is not that of the stream"))
	}
	s.Software = p.field("software")
	if err := CheckSoftware(s.Software); err != nil {
		p.fail(err)
	}
	s.Interval = p.millis(p.field("interval"))
	s.Heartbeat = p.millis(p.field("heartbeat"))
	for p.has("exclude") && len(s.Exclude) <= maxExcludes {
		s.Exclude = append(s.Exclude, p.field("exclude"))
	}
	for p.has("exclude-resource") && len(s.ExcludeResource) <= maxExcludes {
		s.ExcludeResource = append(s.ExcludeResource, p.field("exclude-resource"))
	}
	policy, err := NewPolicy(s.Exclude, s.ExcludeResource)
	if err != nil {
		p.fail(err)
	} else if !slices.Equal(policy.Record.names, s.Exclude) || !slices.Equal(policy.Resource.names, s.ExcludeResource) {
		p.fail(errors.New("excluded names are not in ascending order"))
	}
	if p.has("rollback") {
		s.RolledBack, s.RollbackTo = true, p.number(p.field("rollback"))
	}
	if s.Number == 0 && p.has("endorsement") {
		s.Endorsement = p.endorsement()
	}
}

// block reads what stands for the leaves.
func (p *parser) block(s *Seal) {
	leaves := s.Covered.Len()
	if leaves > MaxBlock || (s.Doubt && leaves > MaxDoubtBlock) {
		p.fail(errors.New("a block has too many leaves"))
		return
	}
	size := uint64(s.GroupSize())
	s.Groups = make([]Hash, (leaves+size-1)/size)
	raw := p.bytes(p.field("groups"))
	if len(raw) != len(s.Groups)*HashSize {
		p.fail(errors.New("the number of groups is not that of the block"))
		return
	}
	for i := range s.Groups {
		copy(s.Groups[i][:], raw[i*HashSize:])
	}
	if s.Doubt {
		return
	}
	s.Prefixes = p.bytes(p.field("digests"))
	if uint64(len(s.Prefixes)) != 2*leaves {
		p.fail(errors.New("the number of short digests is not that of the block"))
	}
}

// CheckSoftware returns an error unless name can stand in an open seal.
func CheckSoftware(name string) error {
	if name == "" || len(name) > maxNameSize {
		return fmt.Errorf("a software's name has 1 to %d characters", maxNameSize)
	}
	for i := range len(name) {
		if c := name[i]; !isAlphanumeric(c) && strings.IndexByte("._+/-", c) < 0 {
			return errors.New("a software's name is letters, digits and . _ + / -")
		}
	}
	return nil
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
