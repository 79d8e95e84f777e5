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
	stateVersion = 2

	indexKey     = "index"
	findingsKey  = "findings"
	strangersKey = "strangers"
	streamKey    = "stream/" // and the stream's id

	// What a part may hold. Beyond it the oldest is left out, as if it had fallen out of memory.
	maxSavedRanges = 256
	maxSavedMarks  = 16
	maxSavedNotes  = 64
	maxSavedGroups = 2048
	maxSavedLeaves = 16384
	maxSavedDone   = 1024 // a session
	maxSavedLost   = 4096
)

// indexState says what other parts there are.
type indexState struct {
	Version int      `json:"logseal_watch"`
	Last    bool     `json:"last"` // nothing was observed after it
	Streams []string `json:"streams"`
}

// strangersState are the records of sessions that are not known yet, under the usual policy. It is there if nothing was observed after it.
type strangersState struct {
	Version int             `json:"logseal_watch"`
	Handles []strangerState `json:"handles"`
	Lost    []string        `json:"lost,omitempty"` // handles of which records came that are not here
}

type strangerState struct {
	Handle string      `json:"handle"`
	From   Peer        `json:"from"`
	Named  bool        `json:"named,omitempty"` // one has attributes that the usual policy leaves out
	Leaves []leafState `json:"leaves"`
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
	Held      []heldState     `json:"held,omitempty"`
	Heartbeat int64           `json:"heartbeat_ms,omitempty"`
	Sealed    time.Time       `json:"sealed"`
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
	FollowsPrior    bool         `json:"follows_prior,omitempty"` // the session before it in the list
	Began           uint64       `json:"began"`
	Working         bool         `json:"working,omitempty"`
	Closed          bool         `json:"closed,omitempty"`
	ClosedAt        uint64       `json:"closed_at,omitempty"`
	End             uint64       `json:"end,omitempty"`
	Adopted         bool         `json:"adopted,omitempty"`
	Forgetful       bool         `json:"forgetful,omitempty"`
	Judged          bool         `json:"judged,omitempty"`
	Settled         rangesState  `json:"settled,omitempty"`
	Void            rangesState  `json:"void,omitempty"`
	Skipped         rangesState  `json:"skipped,omitempty"`
	Groups          []groupState `json:"groups,omitempty"`
	Leaves          []leafState  `json:"leaves,omitempty"`
	Verified        []leafState  `json:"verified,omitempty"` // the latest, to compare copies with; if nothing was observed after it
}

type groupState struct {
	Seqs    rangesState `json:"seqs"`
	Root    b32         `json:"root"`
	Prefix  []byte      `json:"prefix,omitempty"`
	Overdue bool        `json:"overdue,omitempty"`
	Lenient bool        `json:"lenient,omitempty"`
	Told    []toldState `json:"told,omitempty"`
}

type toldState struct {
	Finding uint64 `json:"finding"` // its serial
	N       uint64 `json:"n"`
}

type leafState struct {
	Seq  uint64 `json:"seq"`
	Leaf b32    `json:"leaf"`
}

type heldState struct {
	Body string `json:"body"`
	From Peer   `json:"from"`
	Told bool   `json:"told,omitempty"`
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
