// SPDX-License-Identifier: Apache-2.0

// Package flood decides which records of which source pass when there are too many, and keeps account of those that do
// not.
//
// A source is whatever a [Key] names: a file, a pod, a client. Each has a budget of its own, and all of them share the
// total. Both are token buckets of records and of bytes that may be overdrawn by one record: a record larger than a
// bucket would otherwise never pass.
//
// # Fairness
//
// The total is divided as it becomes available, so that nobody's share depends on what others ask for: with N sources known
// (newcomers together are one of them), E of them for longer than a minute, a source gets total/2/N of every second, and
// one that is known for longer than a minute total/2/E beside it. What a source leaves unused for a second goes back, and
// ten times a second it is divided evenly among those that lacked it: max-min fairness, as in Bertsekas and Gallager, Data
// Networks, section 6.5.2.
//
// A source has a state of its own while there is room for one. The state of a source that has owed nothing and said nothing
// for ten minutes makes room for another (ten seconds, if it never came back after its first batch). While there is no room,
// all that have no state share one budget, that of a single source. So inventing keys gains one share, and no debt is
// forgotten: a state with a debt is not given up.
//
// # Account
//
// For every source received = kept + shed + held, counted when a batch is settled: what the next consumer refused was not
// received, for it comes again.
package flood
