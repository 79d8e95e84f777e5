// SPDX-License-Identifier: Apache-2.0

package flood

// sources finds the state of a key. Of names there are a handful, those of the configuration, so they are looked through; only the value
// is hashed. A record costs one look, so this is most of what a batch of mixed sources costs.
type sources []named

type named struct {
	name    string
	byValue map[string]*source
}

// of returns the source with that key, or nil.
func (all sources) of(key Key) *source {
	for i := range all {
		if all[i].name == key.Name {
			return all[i].byValue[key.Value]
		}
	}
	return nil
}

func (all *sources) add(s *source) {
	for _, n := range *all {
		if n.name == s.key.Name {
			n.byValue[s.key.Value] = s
			return
		}
	}
	*all = append(*all, named{s.key.Name, map[string]*source{s.key.Value: s}})
}

func (all sources) remove(s *source) {
	for _, n := range all {
		if n.name == s.key.Name {
			delete(n.byValue, s.key.Value)
		}
	}
}
