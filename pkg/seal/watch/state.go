// SPDX-License-Identifier: Apache-2.0

package watch

import (
	"encoding/base64"
	"errors"
	"time"

	"github.com/logseal/logseal/pkg/seal"
	"github.com/logseal/logseal/pkg/seal/finding"
)

var errState = errors.New("it is damaged, or of another program")

// Part is a piece of the state, under a key of its own, for a key-value store.
type Part struct {
	Key   string // of a-z, 0-9 and "/"
	Value []byte // nil to delete the key
}

const (
	stateVersion = 3

	indexKey     = "index"
	findingsKey  = "findings"
	strangersKey = "strangers"
	streamKey    = "stream/" // and the stream's id

	// settling is how long a record waits before a state holds it: most are sealed by then.
	settling = 3 * time.Second

	// What a part may hold. Beyond it the oldest is left out, as if it had fallen out of memory.
	maxSavedRanges = 256
	maxSavedMarks  = 16
	maxSavedNotes  = 64   // unless nothing was observed after it
	maxSavedGroups = 2048 // a session
	maxSavedLeaves = 16384
	maxSavedDone   = 1024 // a session
	maxSavedLost   = 4096

	maxLastGroups = 8 * maxSavedGroups // instead, if nothing was observed after it
)

// indexState says what other parts there are.
type indexState struct {
	Version int      `json:"logseal_watch"`
	Last    bool     `json:"last"` // nothing was observed after it
	Streams []string `json:"streams"`
	Gap     bool     `json:"gap,omitempty"`   // not long before it there was a time that was not watched, if nothing was observed after it
	Blind   bool     `json:"blind,omitempty"` // not long before it something passed without being looked at, likewise
}

// strangersState are the records of sessions that are not known yet, under the usual policy. It is there if nothing was observed after it.
type strangersState struct {
	Version int             `json:"logseal_watch"`
	Handles []strangerState `json:"handles"`
	Lost    []string        `json:"lost,omitempty"`  // handles of which records came that are not here
	Early   []heldState     `json:"early,omitempty"` // seals of streams that are not known
}

type strangerState struct {
	Handle string      `json:"handle"`
	From   Peer        `json:"from"`
	Named  bool        `json:"named,omitempty"` // one has attributes that the usual policy leaves out
	Leaves []leafState `json:"leaves"`
	Blind  []leafState `json:"blind,omitempty"` // of records that nobody has compared with others yet
	handleState
}

// handleState is what a handle has beside its records.
type handleState struct {
	Skipped rangesState `json:"skipped,omitempty"`
	Broken  rangesState `json:"broken,omitempty"`
	Rival   []toldState `json:"rival,omitempty"` // of further records
}

// streamState is a stream.
type streamState struct {
	Version   int             `json:"logseal_watch"`
	Learned   *learnedState   `json:"learned,omitempty"`
	Host      string          `json:"host,omitempty"`
	Identity  string          `json:"identity,omitempty"`
	Head      *tipState       `json:"head,omitempty"`
	Tree      *treeState      `json:"tree,omitempty"`
	Marks     []markState     `json:"marks,omitempty"`
	Anchors   []anchorState   `json:"anchors,omitempty"`
	Sessions  []*sessionState `json:"sessions,omitempty"`
	Former    []string        `json:"former,omitempty"`
	Missing   rangesState     `json:"missing,omitempty"`
	Unwatched rangesState     `json:"unwatched,omitempty"`
	Gaps      []gapState      `json:"gaps,omitempty"`
	Held      []heldState     `json:"held,omitempty"`
	Owed      []owedState     `json:"owed,omitempty"`
	Silent    uint64          `json:"silent,omitempty"`   // serial of the finding, 0 if there is none
	NoFirst   uint64          `json:"no_first,omitempty"` // likewise
	Heartbeat int64           `json:"heartbeat_ms,omitempty"`
	Sealed    time.Time       `json:"sealed"`
	Resumed   *resumedState   `json:"resumed,omitempty"`
}

// resumedState says that it is not known yet what came between an earlier state and the restart with it.
type resumedState struct {
	Away    int64 `json:"away_ms"`
	Until   int64 `json:"until_ms,omitempty"`
	From    int64 `json:"from_ms,omitempty"`
	Boot    b16   `json:"boot"`
	Overran bool  `json:"overran,omitempty"`
}

type learnedState struct {
	Trust string    `json:"trust"`
	When  time.Time `json:"when"`
	From  Peer      `json:"from"`

	Endorsed string `json:"endorsed,omitempty"` // the identity of the certificate that vouches for it
}

type tipState struct {
	Number  uint64        `json:"number"`
	Hash    b32           `json:"hash"`
	Next    b32           `json:"next"`
	Anchors []anchorState `json:"anchors"`
	Size    uint64        `json:"size"`
	Root    b32           `json:"root"`
	Kind    seal.Kind     `json:"kind"`
	Nonce   b16           `json:"nonce"`
	Time    time.Time     `json:"time"`
	Uptime  int64         `json:"uptime_ms"`
	Boot    b16           `json:"boot"`
}

// gapState is where seals are missing that may still come.
type gapState struct {
	Low       tipState    `json:"low"`
	Upper     heldState   `json:"upper"`
	Copies    []heldState `json:"copies,omitempty"`
	Anchor    uint64      `json:"anchor"`
	Cause     uint64      `json:"cause,omitempty"` // serial of the finding, 0 if there is none
	Lates     []toldState `json:"lates,omitempty"`
	Unwatched bool        `json:"unwatched,omitempty"`
}

type treeState struct {
	Size     uint64 `json:"size"`
	Subtrees []b32  `json:"subtrees"`
}

type markState struct {
	Number uint64 `json:"number"`
	Text   b32    `json:"text"`
	Key    anchor `json:"key"`
	Anchor bool   `json:"anchor,omitempty"`
}

// owedState is an anchor that lacks signatures.
type owedState struct {
	Number uint64 `json:"number"`
	Text   b32    `json:"text"`
	Key    anchor `json:"key"`
	Cause  uint64 `json:"cause,omitempty"` // serial of the finding
}

type anchorState struct {
	Number uint64 `json:"number"`
	Key    anchor `json:"key"`
}

type sessionState struct {
	Handle          string       `json:"handle"`
	Nonce           b16          `json:"nonce"`
	Exclude         []string     `json:"exclude,omitempty"`
	ExcludeResource []string     `json:"exclude_resource,omitempty"`
	Opened          bool         `json:"opened"`
	OpenNumber      uint64       `json:"open_number"`
	BootID          b16          `json:"boot"`
	RolledBack      bool         `json:"rolled_back,omitempty"`
	First           uint64       `json:"first"`
	Last            uint64       `json:"last"`
	Prior           int          `json:"prior,omitempty"` // the session before it, by its place in the list, from 1; 0 if that is not known
	Took            int          `json:"took,omitempty"`  // that of which it adopts records while Prior is not known, likewise
	Began           uint64       `json:"began"`
	Working         bool         `json:"working,omitempty"`
	Closed          bool         `json:"closed,omitempty"`
	ClosedAt        uint64       `json:"closed_at,omitempty"`
	End             uint64       `json:"end,omitempty"`
	Adopted         bool         `json:"adopted,omitempty"`
	Forgetful       bool         `json:"forgetful,omitempty"`
	Judged          bool         `json:"judged,omitempty"`
	LenientFor      int64        `json:"lenient_for_ms,omitempty"`
	Unsealed        []toldState  `json:"unsealed,omitempty"` // of leaves that are told, of those of holes, and of lost ones
	Holes           []toldState  `json:"holes,omitempty"`
	Lost            []toldState  `json:"lost,omitempty"`
	Settled         rangesState  `json:"settled,omitempty"`
	Void            rangesState  `json:"void,omitempty"`
	Groups          []groupState `json:"groups,omitempty"`
	Left            rangesState  `json:"left,omitempty"` // the records of the groups that are not here, unless nothing was observed after it
	Leaves          []leafState  `json:"leaves,omitempty"`
	Verified        []leafState  `json:"verified,omitempty"` // the latest, to compare copies with; if nothing was observed after it
	handleState
}

type groupState struct {
	Seqs    rangesState `json:"seqs"`
	Root    b32         `json:"root"`
	Prefix  []byte      `json:"prefix,omitempty"`
	Overdue bool        `json:"overdue,omitempty"`
	Lenient bool        `json:"lenient,omitempty"`
	Gap     int         `json:"gap,omitempty"` // the gap above which its seal is, by its place in the list, from 1; 0 if there is none
	Told    []toldState `json:"told,omitempty"`
}

// toldState is a contribution to a finding.
type toldState struct {
	Finding uint64 `json:"finding"` // its serial
	N       uint64 `json:"n"`
}

type leafState struct {
	Seq  uint64 `json:"seq"`
	Leaf b32    `json:"leaf"`
	Told bool   `json:"told,omitempty"` // it is in the finding on what no seal covers
	Hole bool   `json:"hole,omitempty"` // it waits, and is in the finding on what missing seals may have covered
	Lost bool   `json:"lost,omitempty"` // it does not, and it is in the finding on what missing seals may cover
}

type heldState struct {
	Body string `json:"body"`
	From Peer   `json:"from"`
	Told uint64 `json:"told,omitempty"` // serial of the finding that it is not authentic, 0 if there is none
}

// findingsState are the findings that are open.
type findingsState struct {
	Version  int            `json:"logseal_watch"`
	Findings []findingState `json:"findings"`
}

type findingState struct {
	Serial    uint64           `json:"serial"`
	Reason    finding.Reason   `json:"reason"`
	Further   []finding.Reason `json:"further,omitempty"`
	Sub       string           `json:"sub,omitempty"`
	Stream    string           `json:"stream,omitempty"`
	Name      string           `json:"name,omitempty"`
	Current   bool             `json:"current"`
	Remaining uint64           `json:"remaining"`
	Counted   uint64           `json:"counted"`
	UID       string           `json:"uid"`
	Count     uint64           `json:"count"`
	Place     string           `json:"place,omitempty"`
	Detail    finding.Detail   `json:"detail"`
	Host      string           `json:"host,omitempty"`
	From      Peer             `json:"from"`
	FirstSeen time.Time        `json:"first_seen"`
	LastSeen  time.Time        `json:"last_seen"`
	EventTime time.Time        `json:"event_time"`
	Evidence  []evidenceState  `json:"evidence,omitempty"`
	Changed   bool             `json:"changed,omitempty"` // since it was told
	Untold    bool             `json:"untold,omitempty"`

	Orphans map[string]uint64 `json:"orphans,omitempty"` // by handle: how many records of it are in the finding until a seal knows it
}

type evidenceState struct {
	Handle string        `json:"handle,omitempty"`
	First  uint64        `json:"first,omitempty"`
	Last   uint64        `json:"last,omitempty"`
	Seals  finding.Seals `json:"seals"`
	Count  uint64        `json:"count"`
}

// rangesState is a set of numbers, as a seal writes it; empty for none.
type rangesState string

func (r rangesState) ranges(limit int) (seal.Ranges, error) {
	if r == "" {
		return nil, nil
	}
	return seal.ParseRanges(string(r), limit)
}

// b32 is a hash or a key in Base64, anchor what an anchor's key is named by, and b16 a nonce or the like: arrays are lists of numbers in JSON.
type (
	b32    [32]byte
	anchor seal.AnchorKey
	b16    [16]byte
)

// MarshalText implements encoding.TextMarshaler, and UnmarshalText its counterpart.
func (a anchor) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, a[:]), nil }

// UnmarshalText is described at MarshalText.
func (a *anchor) UnmarshalText(text []byte) error { return fixed(a[:], text) }

// MarshalText implements encoding.TextMarshaler, and UnmarshalText its counterpart.
func (b b32) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, b[:]), nil }

// UnmarshalText is described at MarshalText.
func (b *b32) UnmarshalText(text []byte) error { return fixed(b[:], text) }

// MarshalText implements encoding.TextMarshaler, and UnmarshalText its counterpart.
func (b b16) MarshalText() ([]byte, error) { return base64.StdEncoding.AppendEncode(nil, b[:]), nil }

// UnmarshalText is described at MarshalText.
func (b *b16) UnmarshalText(text []byte) error { return fixed(b[:], text) }

func fixed(dst, text []byte) error {
	raw, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil || len(raw) != len(dst) {
		return errState
	}
	copy(dst, raw)
	return nil
}
