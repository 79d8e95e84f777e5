// SPDX-License-Identifier: Apache-2.0

package rules

import "strings"

// ClientOption is an option with which a client is given a password.
type ClientOption struct {
	Client, Within, Option string
	// Joined says that the password may follow in the same word, Next that it may be the next one.
	Joined, Next bool
	// User is what stands before the password in the same word.
	User string
}

// ClientOptions returns those of the whole table.
func ClientOptions() (all []ClientOption) {
	for _, cl := range clients {
		for name := range strings.FieldsSeq(cl.names) {
			within := cl.within
			add := func(options, user string, joined, next bool) {
				for o := range strings.FieldsSeq(options) {
					all = append(all, ClientOption{name, within, o, joined && (len(o) == 2 || o[len(o)-1] == ':'), next, user})
				}
			}
			add(cl.joined, "", true, false)
			if within = cl.cue; within == "" {
				within = cl.within
			}
			add(cl.next, "", false, true)
			within = cl.within
			add(cl.both, "", true, true)
			add(cl.account, "eve"+string(cl.sep), true, true)
		}
	}
	return all
}
