// SPDX-License-Identifier: Apache-2.0

// Package seglog is an encrypted key-value store made for queues: a log of segments on disk, and an index in memory.
//
// A [Store] is a folder that one process has to itself. Each client of it has a [Log], a folder in that folder, whose
// keys and values no other client can read or replace. A batch of operations ([Log.Apply]) is one entry of the log: it
// is there as a whole after a kill, or not at all. Space comes back a segment at a time, when nothing in a segment is in
// use any more.
//
// # Format
//
// A log's folder holds segments, NUMBER.seg with the number in 16 hexadecimal digits, and spare segments, spare-N. All
// integers are little endian. A segment's blocks are allocated when it is made, so that a full disk does not stop a
// write into it.
//
//	0       header
//	4096    the header again, in another sector
//	4352    frames, each at a multiple of 8
//	size-16 trailer of a segment that is closed: where its index is
//
// A header names what the segment's key is derived with: a random salt, the id of the store's key, the segment's number.
// HKDF-SHA256 of the store's key with that salt, and with the client's name and the number as info, gives the AES-256
// key, the mark that starts each frame, and 32 bytes that stand in the header. Those commit to the key: a segment opens
// under one key of one store, client and number only. When a segment has drained, its salt is overwritten, and what is
// left of its frames on the disk cannot be read any more, not even with the store's key.
//
// A frame is a header of 24 bytes with a checksum, a random nonce of 12 bytes, and a sealed text (AES-256-GCM). Client,
// segment, offset and the frame's header are its associated data. Frames of a segment are numbered, so that a missing one
// is noticed. The checksum is for finding the next frame behind a damaged one; what is believed, the tag decides.
//
// The text of a frame is a batch of operations; or the index of its segment, by which the next start does without
// reading the rest; or the manifest with which each segment begins: which segments there are, so that a lost one is
// noticed.
//
// # What a disk may do
//
// Whatever the files hold, [Store.Log] succeeds, reports what is lost through [Options.OnLoss], and every value that Get
// returns is one that was set under that key. What is older than the last completed sync, or of the same age, holds after
// a loss of power: with [SyncAlways] that is everything that Apply returned for.
//
// Not noticed is a folder that is put back as a whole to what it was before, or its newest entries taken away: there is
// nothing outside to compare it with.
package seglog
