// SPDX-License-Identifier: Apache-2.0

// Package export reads what a log store's search gives back, and finds the sealed records in it, so that they can be verified without the
// archive.
//
// A store keeps no OTLP. What it gives back of a record are fields: names changed, types gone, times cut. So what is verified is the
// record's original (package original), which stands in one of the fields: as the event itself, where `siem` sent it so, or in
// base64 in the attribute [seal.OriginalKey], where the stamp carries it. Seals need none: what counts of a seal is its text. A record that came
// without original is UNCHECKABLE, and the finding says what the store has lost. That is never ALTERED: nobody can tell an attacker's
// edit from the store's.
//
// A store is a file here: a [layout] that says where in its JSON the records stand and what it calls things, and nothing else. json.go reads JSON
// of any length, row.go one record of it, original.go finds what was sealed in a row.
//
// What is wrong within a file is a finding, as in package archive. An error says that a file is no export of that store.
package export
