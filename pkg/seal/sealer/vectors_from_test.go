// SPDX-License-Identifier: Apache-2.0

package sealer

// fromSeals are archives that are verified from a seal on that somebody vouches for.
func (s *vectorSet) fromSeals() {
	add := func(name, what string, v *vectorStream, number int, outcome string, verified int, want verdicts) {
		a := s.add("from-"+name+".jsonl", what, v, outcome, 5, verified, want)
		a.From = v.body(number)
	}
	add("seal", "verified from seal 1 on: what that covers, and seal 0, is from before", shortStream(s.t, "from"), 1, incomplete, 2, verdicts{"BEFORE": 4})
	add("first", "verified from seal 0 on", shortStream(s.t, "from"), 0, ok, 5, verdicts{})
	v := shortStream(s.t, "from")
	v.replace(v.record(1), "line 1", "line 9")
	add("altered-before", "the same from seal 1, and a record from before says something else: it is not judged", v, 1, incomplete, 2, verdicts{"BEFORE": 4})
	v = shortStream(s.t, "from")
	v.replace(v.record(4), "line 4", "line 9")
	add("altered", "verified from seal 1 on, and a record under seal 2 says something else: what the session excludes is not known", v, 1, tampered, 0, verdicts{"BEFORE": 4, "UNRESOLVED": 2})
	v = shortStream(s.t, "from")
	from := v.body(1)
	v.drop(v.sealLine(1))
	v.drop(v.sealLine(0))
	a := s.add("from-absent.jsonl", "verified from seal 1 on, which is not there itself, and no seal before it", v, incomplete, 5, 2, verdicts{"BEFORE": 3})
	a.From = from
}
