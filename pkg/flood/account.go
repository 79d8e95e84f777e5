// SPDX-License-Identifier: Apache-2.0

package flood

import "time"

// account is what is known of a source that sheds or holds, beside what was kept, and not reported yet.
type account struct {
	shed, held  Count
	first, last time.Time // of the records that were shed or held
	over        [TotalBytes + 1]uint64
	atLeast     bool   // what was counted last before a kill is missing
	reported    bool   // that shedding has begun, and not that it has ended
	everOver    uint64 // records shed or held, reported or not
}

// received is what is not reported yet of all that came, by definition: each record is kept, shed or held.
func (s *source) received() Count {
	c := s.kept
	c.add(s.shed.Records, s.shed.Bytes)
	c.add(s.held.Records, s.held.Bytes)
	return c
}

// busy says whether there is something to report.
func (a *account) busy() bool { return a.reported || a.shed.Records+a.held.Records > 0 }

// count counts a settled batch, and returns whether the source has begun to shed or hold with it.
func (g *Guard) count(t *touch, held bool, at time.Time) (begun bool) {
	a := &t.s.account
	over := Count{t.received.Records - t.kept.Records, t.received.Bytes - t.kept.Bytes}
	kept := t.kept
	if held {
		kept, over = Count{}, t.received
	}
	t.s.kept.add(kept.Records, kept.Bytes)
	g.stats.Kept.add(kept.Records, kept.Bytes)
	if t.s == g.newcomers {
		g.stats.WithoutState += t.received.Records
	}
	if over.Records == 0 {
		return false
	}
	begun = !a.busy()
	if held {
		a.held.add(over.Records, over.Bytes)
		g.stats.Held.add(over.Records, over.Bytes)
	} else {
		a.shed.add(over.Records, over.Bytes)
		g.stats.Shed.add(over.Records, over.Bytes)
	}
	for i, n := range t.over {
		a.over[i] += uint64(n)
	}
	if a.first.IsZero() {
		a.first = at
	}
	a.last = at
	a.everOver += over.Records
	g.changed = true
	return begun
}

// Phase of the shedding of a source.
type Phase string

// The phases, in their order.
const (
	Begin   Phase = "begin"
	Ongoing Phase = "ongoing"
	End     Phase = "end"
)

// Report is what was counted of a source since the report before.
type Report struct {
	Key                        Key
	Phase                      Phase
	Received, Kept, Shed, Held Count // Received is the sum of the others
	First, Last                time.Time
	Limit                      Limit // that most records were above
	AtLeast                    bool  // records may be missing from the counts: the process was killed

	over   [TotalBytes + 1]uint64
	source *source
}

// Begun is signalled when a source begins to shed or hold.
func (g *Guard) Begun() <-chan struct{} { return g.begun }

// Due returns the reports that are due: those that shedding has begun and, once an interval, those that it goes on or has
// ended. They are due until they are confirmed.
func (g *Guard) Due(interval bool) []Report {
	g.mu.Lock()
	defer g.mu.Unlock()
	var due []Report
	for _, s := range g.order {
		a := &s.account
		over := a.shed.Records+a.held.Records > 0
		r := Report{
			Key: s.key, Received: s.received(), Kept: s.kept, Shed: a.shed, Held: a.held, First: a.first, Last: a.last, AtLeast: a.atLeast,
			over: a.over, source: s,
		}
		for limit, n := range a.over {
			if n > a.over[r.Limit] {
				r.Limit = Limit(limit)
			}
		}
		switch {
		case over && !a.reported:
			r.Phase = Begin
		case over && interval:
			r.Phase = Ongoing
		case a.reported && interval:
			r.Phase = End
		case interval:
			// Nothing is shed: what is counted from here on is the interval in which shedding may begin.
			s.kept = Count{}
			continue
		default:
			continue
		}
		due = append(due, r)
		s.pending++ // so that it is not forgotten before it is confirmed
	}
	return due
}

// Confirm takes what was reported off the account, or leaves it there if the reports did not get through.
func (g *Guard) Confirm(reports []Report, sent bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range reports {
		a := &r.source.account
		r.source.pending--
		if !sent {
			continue
		}
		r.source.kept = r.source.kept.less(r.Kept)
		a.shed, a.held = a.shed.less(r.Shed), a.held.less(r.Held)
		for i, n := range r.over {
			a.over[i] -= n
		}
		a.reported, a.atLeast = r.Phase != End, false
		a.first = a.last
		if a.shed.Records+a.held.Records == 0 {
			a.first, a.last = time.Time{}, time.Time{}
		}
		g.changed = true
	}
}

func (c Count) less(d Count) Count { return Count{c.Records - d.Records, c.Bytes - d.Bytes} }

// State is what has to outlive the process: what was counted and not reported, and that a source is in debt.
type State struct {
	Key               Key
	Kept, Shed, Held  Count
	First, Last       time.Time
	Over              [TotalBytes + 1]uint64
	AtLeast, Reported bool
}

// States returns the states to be stored, and whether they have changed since the last call.
func (g *Guard) States() (states []State, changed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.changed {
		return nil, false
	}
	g.changed = false
	for _, s := range g.order {
		if a := &s.account; a.busy() {
			states = append(states, State{s.key, s.kept, a.shed, a.held, a.first, a.last, a.over, a.atLeast, a.reported})
		}
	}
	return states, true
}

// Unsaved says that the states of the last call could not be stored.
func (g *Guard) Unsaved() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changed = true
}

// Restore takes over what another guard has left. After a crash what it counted last is missing, and the reports say so.
// The sources begin with nothing in their budgets: a restart forgives no debt.
func (g *Guard) Restore(states []State, crashed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, state := range states {
		s := g.newcomers
		if state.Key != Newcomers {
			s = g.find(state.Key)
		}
		s.own.free, s.own.reserve = amount{}, amount{}
		a := &s.account
		s.kept.add(state.Kept.Records, state.Kept.Bytes)
		a.shed.add(state.Shed.Records, state.Shed.Bytes)
		a.held.add(state.Held.Records, state.Held.Bytes)
		for i, n := range state.Over {
			a.over[i] += n
		}
		a.everOver += state.Shed.Records + state.Held.Records
		a.first, a.last = state.First, state.Last
		a.atLeast = a.atLeast || state.AtLeast || crashed
		a.reported = a.reported || state.Reported
	}
	g.changed = true
}
