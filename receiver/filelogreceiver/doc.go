// SPDX-License-Identifier: Apache-2.0

// Package filelogreceiver is the stock file_log receiver (the same type, alias and configuration), made to lose nothing
// that it has marked as read: not on SIGKILL, and not on a stop while the pipeline refuses. And made to repeat little: the
// stock file consumer saves how far it has read at the end of a poll, which is when it has caught up with its files, so that
// a kill repeats everything since. Here the positions behind accepted records are saved during the poll as well.
//
// The input operator is our own for that, because only the operator's callback learns offsets; files are found, read, told
// apart and remembered by stanza's file consumer. Its checkpoint is rewritten with the same entries and higher offsets, so
// that any version of the stock receiver can go on from it.
package filelogreceiver
