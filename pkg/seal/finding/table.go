// SPDX-License-Identifier: Apache-2.0

package finding

// Code says what is the case: of a record, of a run of records, of seals or of a stream. It is stable, for programs.
type Code string

// Something is wrong.
const (
	Altered       Code = "ALTERED"
	Unresolved    Code = "UNRESOLVED"
	Missing       Code = "MISSING"
	Inserted      Code = "INSERTED"
	Conflict      Code = "CONFLICT"
	Unstamped     Code = "UNSTAMPED"
	Orphan        Code = "ORPHAN"
	Malformed     Code = "MALFORMED"
	Late          Code = "LATE"
	MissingSeal   Code = "MISSING_SEAL"
	BadSeal       Code = "BAD_SEAL"
	Absent        Code = "ABSENT"
	UnknownStream Code = "UNKNOWN_STREAM"
	FurtherStream Code = "FURTHER_STREAM"
	Forked        Code = "FORKED"
	BrokenChain   Code = "BROKEN_CHAIN"
	Unsupported   Code = "UNSUPPORTED"
	Silent        Code = "SILENT"

	IdentityMismatch Code = "IDENTITY_MISMATCH" // while watching only
	NotPostQuantum   Code = "NOT_POST_QUANTUM"  // with --require-post-quantum only
)

// Nothing is wrong, but something cannot be known.
const (
	Unsealed        Code = "UNSEALED"
	OpenEnd         Code = "OPEN_END"
	Doubt           Code = "DOUBT"
	Voided          Code = "VOIDED"
	StateRolledBack Code = "STATE_ROLLED_BACK"
	Truncated       Code = "TRUNCATED"
	Before          Code = "BEFORE"
	Unchecked       Code = "UNCHECKED"    // while watching only
	Uncheckable     Code = "UNCHECKABLE"  // of a store's export only
	NotExported     Code = "NOT_EXPORTED" // likewise

	NotPostQuantumYet Code = "NOT_POST_QUANTUM_YET" // with --require-post-quantum only
)

// Reason says which of a code's cases it is. It is stable, for programs, and belongs to one code.
type Reason string

// The reasons, under their codes. The table has a sentence for each.
const (
	DigestDiffers Reason = "digest_differs"
	ShownDiffers  Reason = "shown_differs"
	OtherRecord   Reason = "other_record"

	GroupDiffers  Reason = "group_differs"
	PolicyUnknown Reason = "policy_unknown"

	RecordMissing Reason = "record_missing"

	BeyondEnd         Reason = "beyond_end"
	CoveredByNoSeal   Reason = "covered_by_no_seal"
	UncoveredAtTheEnd Reason = "uncovered_at_the_end"

	OtherBacked  Reason = "other_backed"
	NoneBacked   Reason = "none_backed"
	NotBacked    Reason = "not_backed"
	NotSealedYet Reason = "not_sealed_yet"
	TooMany      Reason = "too_many"

	NoID Reason = "no_id"

	SessionUnknown Reason = "session_unknown"

	AnchorAlone Reason = "anchor_alone"

	SealGap Reason = "seal_gap"

	NotASeal   Reason = "not_a_seal"
	UnknownKey Reason = "unknown_key"
	PassedSeal Reason = "passed_seal"

	MLDSAMissing  Reason = "ml_dsa_missing"
	MLDSAOtherKey Reason = "ml_dsa_other_key"

	NoStream    Reason = "no_stream"
	NoFirstSeal Reason = "no_first_seal"
	NoSeal      Reason = "no_seal"

	NotTrusted Reason = "not_trusted"
	NameTaken  Reason = "name_taken"

	NotEndorsed          Reason = "not_endorsed"
	EndorsementKey       Reason = "endorsement_key"
	EndorsementSignature Reason = "endorsement_signature"
	EndorsementChain     Reason = "endorsement_chain"
	EndorsementExpired   Reason = "endorsement_expired"
	EndorsementUsage     Reason = "endorsement_usage"
	EndorsementNames     Reason = "endorsement_names"
	EndorsementIdentity  Reason = "endorsement_identity"

	NotClosedBefore Reason = "not_closed_before"

	NoMLDSAKeys      Reason = "no_ml_dsa_keys"
	LineWithoutMLDSA Reason = "line_without_ml_dsa"
	Ed25519Alone     Reason = "ed25519_alone"
	NewerThanAnchor  Reason = "newer_than_anchor"

	NumberTwice Reason = "number_twice"
	OtherBefore Reason = "other_before"

	KeyNotNamed       Reason = "key_not_named"
	AnchorUnsigned    Reason = "anchor_unsigned"
	AnchorRenamed     Reason = "anchor_renamed"
	TreeDiffers       Reason = "tree_differs"
	TreeJumps         Reason = "tree_jumps"
	SessionNotOpened  Reason = "session_not_opened"
	SessionWasClosed  Reason = "session_was_closed"
	AdoptsLate        Reason = "adopts_late"
	HandleOfNoNonce   Reason = "handle_of_no_nonce"
	HandleChanged     Reason = "handle_changed"
	FirstOpensNothing Reason = "first_opens_nothing"
	SessionBegun      Reason = "session_begun"
	OpenedTwice       Reason = "opened_twice"
	AdoptsAtFirst     Reason = "adopts_at_first"
	AdoptsOther       Reason = "adopts_other"
	AdoptsClosed      Reason = "adopts_closed"
	SettledTwice      Reason = "settled_twice"
	ClosedUnsettled   Reason = "closed_unsettled"

	VersionUnknown Reason = "version_unknown"

	EndsEarly       Reason = "ends_early"
	HeartbeatMissed Reason = "heartbeat_missed"

	OtherIdentity Reason = "other_identity"

	SealMissing    Reason = "seal_missing"
	NewerThanSeals Reason = "newer_than_seals"
	NotAdoptedYet  Reason = "not_adopted_yet"
	PowerLost      Reason = "power_lost"

	RunningAtEnd Reason = "running_at_end"

	OnItsWay Reason = "on_its_way"

	VoidID Reason = "void_id"

	StorageBehind Reason = "storage_behind"

	LineUnfinished    Reason = "line_unfinished"
	MessageUnfinished Reason = "message_unfinished"
	FileUnfinished    Reason = "file_unfinished"

	RecordBefore Reason = "record_before"
	SealBefore   Reason = "seal_before"

	BeyondLimit Reason = "beyond_limit"
	NotWatched  Reason = "not_watched"
	NotLookedAt Reason = "not_looked_at"
	CameAgain   Reason = "came_again"

	NotRebuilt      Reason = "not_rebuilt"
	OriginalCut     Reason = "original_cut"
	GroupNotRebuilt Reason = "group_not_rebuilt"

	FirstMinute         Reason = "first_minute"
	PageMissing         Reason = "page_missing"
	SealPageMissing     Reason = "seal_page_missing"
	LatePageMissing     Reason = "late_page_missing"
	KeyPageMissing      Reason = "key_page_missing"
	SessionPageMissing  Reason = "session_page_missing"
	PolicyPageMissing   Reason = "policy_page_missing"
	StreamPageMissing   Reason = "stream_page_missing"
	SealsPagesMissing   Reason = "seals_pages_missing"
	EndorsedPageMissing Reason = "endorsed_page_missing"
	ClosedPageMissing   Reason = "closed_page_missing"
	AnchorPageMissing   Reason = "anchor_page_missing"
	EndsBefore          Reason = "ends_before"
	BeginsBehind        Reason = "begins_behind"

	// Of MALFORMED: why a record, or what is around it, is not readable in one way only.
	AttributeRepeated  Reason = "attribute_repeated"
	MemberRepeated     Reason = "member_repeated"
	FieldRepeated      Reason = "field_repeated"
	MemberUnknown      Reason = "member_unknown"
	FieldUnknown       Reason = "field_unknown"
	EntityRefs         Reason = "entity_refs"
	ValueTwice         Reason = "value_twice"
	WrongType          Reason = "wrong_type"
	BadID              Reason = "bad_id"
	BadTraceID         Reason = "bad_trace_id"
	BadNumber          Reason = "bad_number"
	NumberOutOfRange   Reason = "number_out_of_range"
	BadBase64          Reason = "bad_base64"
	BadEscape          Reason = "bad_escape"
	ControlCharacter   Reason = "control_character"
	InvalidUTF8        Reason = "invalid_utf8"
	TooDeep            Reason = "too_deep"
	TooLong            Reason = "too_long"
	NoObject           Reason = "no_object"
	BrokenJSON         Reason = "broken_json"
	DataBehind         Reason = "data_behind"
	BrokenProtobuf     Reason = "broken_protobuf"
	CompressionDamaged Reason = "compression_damaged"
)

// Entry is what the table says of a code.
type Entry struct {
	Code    Code
	Verdict Verdict // the class: what the finding means for the whole
	Case    string  // what is the case
	Remedy  string  // what to do
	Lead    string  // begins every sentence of the code
	Reasons []Row
}

// Row is what the table says of a reason.
type Row struct {
	Reason  Reason
	Section string // of docs/stamp-format.md
	// Sentence is a predicate: of the record, the seals or the stream. Names in braces stand for what [Detail] holds.
	Sentence string
}

// Table returns the table: what is wrong first. It must not be changed.
func Table() []Entry { return table }

var table = []Entry{
	{
		Code: Altered, Verdict: Tampered,
		Case:   "The record is not the one that was sealed under its id.",
		Remedy: `The content at that place is not to be trusted. Look for the same id in another copy (gateway, backup): the genuine one verifies. Attributes that were added on the way do this too: see "Excluded attributes".`,
		Reasons: []Row{
			{DigestDiffers, "8.3", "is not the record that was sealed under this id"},
			{ShownDiffers, "3", "is not shown by the store as its original says: {lost} is another"},
			{OtherRecord, "3", "is given back with the original of another record in the place of its own"},
		},
	},
	{
		Code: Unresolved, Verdict: Tampered,
		Case:   "The record belongs to a group of up to 16 that were sealed together, and the group's hash does not match: one of them is missing or altered. This one may be untouched.",
		Remedy: "Treat it as not proven. Find the ALTERED or MISSING member from another copy: with it the group verifies. Where no member is named, one of them was edited so that its short digest agrees.",
		Reasons: []Row{
			{GroupDiffers, "8.3", "is one of the {n} records {group}, which were sealed together and whose hash does not match: one or more of them are missing or were altered"},
			{PolicyUnknown, "8.3", "cannot be checked: the open seal of its session is missing, which says what attributes do not count"},
		},
	},
	{
		Code: Missing, Verdict: Tampered,
		Case:   "A record was sealed, and is not there.",
		Remedy: "Deleted, or lost after the host had sent it: look whether exporters gave up, queues overflowed or retention ran then. If nothing explains it, it was deleted.",
		Reasons: []Row{
			{RecordMissing, "8.3", "was sealed and is not here: it was deleted, or lost after the host had sent it"},
		},
	},
	{
		Code: Inserted, Verdict: Tampered,
		Case:   "The host never gave out the id: it is past the end of its session, or no seal of a session that has ended covers it.",
		Remedy: "Somebody made the record.",
		Reasons: []Row{
			{BeyondEnd, "8.3", "has an id that its session, which was closed, never gave out"},
			{CoveredByNoSeal, "8.3", "has an id that no seal of its session covers, which was closed"},
			{UncoveredAtTheEnd, "8.3", "has an id that no seal of its session covers, which has ended"},
		},
	},
	{
		Code: Conflict, Verdict: Tampered,
		Case:   "Another record has the same id and says something else. The finding says which one the seal backs.",
		Remedy: "The one that the finding is on was made or changed; the other is genuine if the finding says so.",
		Lead:   "has the id of another record that says something else",
		Reasons: []Row{
			{OtherBacked, "8.3", "; the seal backs the other one, at {other}"},
			{NoneBacked, "8.3", ", and the seal backs neither"},
			{NotBacked, "8.3", ", and no seal backs this one"},
			{NotSealedYet, "8.3", ", and no seal tells which is genuine"},
			{TooMany, "8.3", "; there are more with this id than are looked at"},
		},
	},
	{
		Code: Unstamped, Verdict: Tampered,
		Case:   "The record has no id.",
		Remedy: "A source that does not go through `stamp`, or an inserted record. Verify only what is stamped, or give the source a stamp.",
		Reasons: []Row{
			{NoID, "8.3", "has no logseal.id: it was not stamped, or the stamp was taken off"},
		},
	},
	{
		Code: Orphan, Verdict: Tampered,
		Case:   "The id is of a session that no authentic seal knows.",
		Remedy: "A stream without a trust line (there is UNKNOWN_STREAM then), a session whose seals are all missing, or an invented id.",
		Reasons: []Row{
			{SessionUnknown, "8.3", "has an id of a session that no authentic seal knows"},
		},
	},
	{
		Code: Malformed, Verdict: Tampered,
		Case:   "Two readers would read this record in different ways: a member twice, an unknown field, equal attribute keys, invalid UTF-8, data after the object; or the file is damaged there.",
		Remedy: "See the place. A writer that is not ours, a damaged disk, or somebody who wants to show you something other than what the SIEM shows.",
		Lead:   "cannot be read in one way only: ",
		Reasons: []Row{
			{AttributeRepeated, "3.1", "two attributes of one map have the same key"},
			{MemberRepeated, "3.1", "a JSON member is repeated"},
			{FieldRepeated, "3.1", "a protobuf field is repeated"},
			{MemberUnknown, "3.1", "an unknown JSON member"},
			{FieldUnknown, "3.1", "an unknown or deprecated protobuf field"},
			{EntityRefs, "3.1", "the resource has entity references, which a digest does not cover"},
			{ValueTwice, "3.1", "a value that is two things at once"},
			{WrongType, "3.1", "a member has a value of the wrong type"},
			{BadID, "2", "its logseal.id is not an id"},
			{BadTraceID, "3.1", "a trace or span id of the wrong length, or that is not hexadecimal"},
			{BadNumber, "3.1", "a number that is not written as one"},
			{NumberOutOfRange, "3.1", "a number out of range"},
			{BadBase64, "3.1", "malformed base64"},
			{BadEscape, "3.1", "a string escape that is unknown, or no valid Unicode"},
			{ControlCharacter, "3.1", "an unescaped control character in a string"},
			{InvalidUTF8, "3.1", "invalid UTF-8"},
			{TooDeep, "3.1", "values nest deeper than 64"},
			{TooLong, "3.1", "a line or message of more than 64 MiB"},
			{NoObject, "3.1", "no JSON object"},
			{BrokenJSON, "3.1", "broken JSON"},
			{DataBehind, "3.1", "data behind the JSON object"},
			{BrokenProtobuf, "3.1", "broken protobuf"},
			{CompressionDamaged, "3.1", "the compressed data is damaged, or of more than 64 MiB; the rest of it cannot be read"},
		},
	},
	{
		Code: Late, Verdict: Tampered,
		Case:   "The record is what was sealed, but seals before that seal are missing, and only a later one vouches for it.",
		Remedy: "Whoever had the host in between could have rewritten it. Find the missing seals; with them the record verifies.",
		Reasons: []Row{
			{AnchorAlone, "8.1", "is what was sealed, but seals before that seal, {seal}, are missing or not genuine, and the next thing that vouches for it is seal {by}: whoever took the host before that was made could have changed it"},
		},
	},
	{
		Code: MissingSeal, Verdict: Tampered,
		Case:   "Seals with these numbers are not there.",
		Remedy: "As MISSING. The numbers say how many; `UNSEALED` and `LATE` findings say what they cost.",
		Reasons: []Row{
			{SealGap, "8.1", "lacks {seals}: what was covered there cannot be verified, and whether anything was is not known; what comes behind rests on an anchor's key that was on the host meanwhile"},
		},
	},
	{
		Code: BadSeal, Verdict: Tampered,
		Case:   "Something looks like a seal, but no key that is known signed it. Anybody can write such a record, so it is not held against the stream it names.",
		Remedy: "Beside MISSING_SEAL: a seal was edited, or the seals that name its key are missing. Alone: somebody tries to forge seals.",
		Reasons: []Row{
			{NotASeal, "6", "look like seals, but their text is not that of one"},
			{UnknownKey, "8.1", "look like seals of stream {stream_id}, but no key that is known signed them: they were forged or edited, or the seals that name their keys are missing"},
			{MLDSAMissing, "8.1", "look like seals of stream {stream_id} that must be signed with an ML-DSA key, and carry no such signature that holds: it was cut off, or the Ed25519 ones were forged"},
			{MLDSAOtherKey, "8.1", "look like seals of stream {stream_id}, but carry another ML-DSA key than the one that is named for them: they were forged"},
			{PassedSeal, "8.5", "look like seals of stream {stream_id} that were made just now, but have numbers that it passed long ago: its state was rolled back or copied, or they were forged"},
		},
	},
	{
		Code: Absent, Verdict: Tampered,
		Case:   "A trusted stream has no authentic seal in the archive.",
		Remedy: "The stream was deleted, or the archive is another one, or it does not begin where the stream begins.",
		Reasons: []Row{
			{NoStream, "8.4", "there is no authentic seal of a trusted stream in the archive, so nothing in it is verified"},
			{NoFirstSeal, "8.4", "has no authentic seal here: {n} seals name it, but without its first seal, number 0, and those after it none of them can be authenticated"},
			{NoSeal, "8.4", "is trusted, and there is no seal of it here at all"},
		},
	},
	{
		Code: UnknownStream, Verdict: Tampered,
		Case:   "There are seals of a stream that nobody trusts.",
		Remedy: "A host that was enrolled anew (its key file or state was lost), or one that is not yours. Find out which before you trust its line.",
		Reasons: []Row{
			{NotTrusted, "7", `are seals of stream {stream_id}, which is not in the trust file; if it is yours, add the line that "logseal enroll" printed for it`},
			{NameTaken, "8.5", "are seals of stream {stream_id}, which gives itself the name of another stream that is known: its host was enrolled anew, or somebody takes its place"},
			{NotEndorsed, "7.1", "are seals of stream {stream_id}, which is not in the trust file, and whose first seal is not here or carries no endorsement"},
			{EndorsementKey, "7.1", "are seals of stream {stream_id}, whose endorsement is by a kind of key that does not count: Ed25519, ECDSA P-256 and P-384, and RSA of at least 2,048 bits do"},
			{EndorsementSignature, "7.1", "are seals of stream {stream_id}, whose endorsement is not signed by the certificate's key, or was made for another stream"},
			{EndorsementChain, "7.1", "are seals of stream {stream_id}, whose endorsement is by a certificate that does not lead to a trusted CA"},
			{EndorsementExpired, "7.1", "are seals of stream {stream_id}, whose endorsement is by a certificate that was not valid when the stream began"},
			{EndorsementUsage, "7.1", "are seals of stream {stream_id}, whose endorsement is by a certificate that is not for client authentication"},
			{EndorsementNames, "7.1", "are seals of stream {stream_id}, whose endorsement is by a certificate with a name that its CA must not give"},
			{EndorsementIdentity, "7.1", "are seals of stream {stream_id}, whose endorsement is by a certificate that names nobody"},
		},
	},
	{
		Code: FurtherStream, Verdict: Tampered,
		Case:   "With `--trust-ca`, or while watching with `ca_file`: a stream has the identity and the name of another that was not closed before it began.",
		Remedy: "A host that lost its keys, or was set up anew without a stop, begins another stream; so does whoever has stolen its certificate. Ask the host's operator. What the earlier stream holds is not touched by it.",
		Reasons: []Row{
			{NotClosedBefore, "7.1", "has the identity and the name of stream {stream_id}, which was not closed before this one began: the host lost its keys, or somebody else has its certificate"},
		},
	},
	{
		Code: Forked, Verdict: Tampered,
		Case:   "Two authentic seals have one number.",
		Remedy: "The host's state was copied or restored from a snapshot, two processes used it, or somebody has its keys. From that seal on the stream proves nothing.",
		Reasons: []Row{
			{NumberTwice, "8.1", "has two authentic seals with the number {seal}: the stream's state was copied or rolled back, or somebody has its key; the one at this place is not followed"},
			{OtherBefore, "8.1", "has two authentic seals with the number {seal}: seal {by} goes on from another one than the one that is here"},
		},
	},
	{
		Code: BrokenChain, Verdict: Tampered,
		Case:   "Authentic seals contradict each other.",
		Remedy: "No host that is in order does this. Treat the host as taken over, from the seal that is named.",
		Lead:   "does what no host does that is in order: seal {seal} is authentic, but ",
		Reasons: []Row{
			{KeyNotNamed, "8.1", "is not signed with the key that the seal before it names"},
			{AnchorUnsigned, "8.1", "is not signed with the Ed25519 and ML-DSA keys that earlier seals name for it, though later ones vouch for it"},
			{AnchorRenamed, "8.2", "names another key for seal {by} than an earlier seal does"},
			{TreeDiffers, "8.2", "its checkpoint is not that of the blocks so far"},
			{TreeJumps, "8.2", "its checkpoint does not follow from the one before"},
			{SessionNotOpened, "6.1", "it belongs to another session than the seal before, and does not open it"},
			{SessionWasClosed, "6.1", "it goes on with a session that was closed"},
			{AdoptsLate, "6.1", "it adopts records, which only the first seals of a session may"},
			{HandleOfNoNonce, "8.2", "its session's handle does not belong to its nonce"},
			{HandleChanged, "8.2", "its session's handle is not that of the session's other seals"},
			{FirstOpensNothing, "6.1", "it is the first of the stream and opens no session"},
			{SessionBegun, "6.1", "its session has begun already"},
			{OpenedTwice, "8.2", "its session has an open seal already"},
			{AdoptsAtFirst, "6.3", "it adopts records, and its session is the first"},
			{AdoptsOther, "6.3", "it adopts records of a session that is not the one before"},
			{AdoptsClosed, "6.3", "it adopts records of a session that was closed"},
			{SettledTwice, "6.3", "settles records that an earlier seal has settled already; it is not followed in that"},
			{ClosedUnsettled, "6.3", "it closes a session of which not every id was settled, or more than all"},
		},
	},
	{
		Code: Unsupported, Verdict: Tampered,
		Case:   "Seals of a format version that this program does not know.",
		Remedy: "Use a newer `logseal`. If nothing of yours writes that version, somebody edited it.",
		Reasons: []Row{
			{VersionUnknown, "6", "are seals of a stamp format version that this program does not know"},
		},
	},
	{
		Code: Silent, Verdict: Tampered,
		Case:   "The stream ends before the time of `--until`; while watching: it does not seal as often as its open seal promises, and was not closed.",
		Remedy: `The tail was lost or taken away, or the host was off. The stream is proven up to "complete as of". While watching: look whether the host runs and reaches the gateway.`,
		Reasons: []Row{
			{EndsEarly, "8.4", "ends with its seal of {time}, before the time up to which it must be complete: what came after was lost or taken away, or the host was silent"},
			{HeartbeatMissed, "8.5", "is silent: its seal of {time} was neither followed by the next, which was promised, nor closed the stream"},
		},
	},
	{
		Code: IdentityMismatch, Verdict: Tampered,
		Case:   "While watching: records or seals of a stream come with another client certificate than its first ones.",
		Remedy: "A host whose certificate has a new name, a relay that was put between, or somebody who sends in its name. What the seals say of the records holds either way.",
		Reasons: []Row{
			{OtherIdentity, "8.5", "come from a client with another identity than the one that the stream is bound to"},
		},
	},
	{
		Code: NotPostQuantum, Verdict: Tampered,
		Case:   "With `--require-post-quantum`: nothing but Ed25519 vouches for the stream, or for seals of it.",
		Remedy: "A stream that began without ML-DSA keys, or a trust line that does not name them: begin a stream with `post_quantum: true`, and trust the whole line. Where seals are missing, find them.",
		Reasons: []Row{
			{NoMLDSAKeys, "8.1", "is signed with Ed25519 alone"},
			{LineWithoutMLDSA, "8.1", "is trusted without its ML-DSA key: by a trust line that does not name it, by a certificate, or on first use"},
			{Ed25519Alone, "8.1", "has {seals} for which nothing vouches but Ed25519: anchors are missing, or seals between them"},
		},
	},
	{
		Code: Unsealed, Verdict: Incomplete,
		Case:   "No seal covers the record yet, or the seal that did is missing, or the host lost power before it made one.",
		Remedy: "At the end of an archive that is being written: wait, or verify an archive that ends later.",
		Reasons: []Row{
			{SealMissing, "8.3", "the seal that covered it may be one of those that are missing"},
			{NewerThanSeals, "8.3", "is newer than the last seal that settles records of its session"},
			{NotAdoptedYet, "8.3", "was on a host that crashed, and the archive ends before the next session has taken over what that left"},
			{PowerLost, "8.3", "its host lost power or its storage before the record was sealed"},
		},
	},
	{
		Code: OpenEnd, Verdict: Incomplete,
		Case:   "The stream was running at its last seal, and what came then is not here.",
		Remedy: "Say with `--until` how far the archive must reach.",
		Reasons: []Row{
			{RunningAtEnd, "8.4", "was running at its last seal, {time}, and what came after that is not here; say with --until up to when it must be complete"},
		},
	},
	{
		Code: Doubt, Verdict: Incomplete,
		Case:   "The record was on its way when the host stopped, and is not here. It may never have left the host.",
		Remedy: "Nothing: the report of a crash.",
		Reasons: []Row{
			{OnItsWay, "8.3", "was on its way when the host stopped, and is not here: it may never have left the host"},
		},
	},
	{
		Code: Voided, Verdict: Incomplete,
		Case:   "Records have ids that the host declared void, because the next stage refused them; each was sent again under an id of its own.",
		Remedy: "Do not rely on what they say. A stage that took a batch and answered with an error leaves some; anybody could have put them there.",
		Reasons: []Row{
			{VoidID, "8.3", "has records under ids that the host declared void, since it could not pass them on: nothing vouches for what they say, and anybody could have put them there"},
		},
	},
	{
		Code: StateRolledBack, Verdict: Incomplete,
		Case:   "The host says that its storage had fallen behind its keys.",
		Remedy: "Expected after a loss of power. Otherwise somebody restored a snapshot. It excuses nothing: what is missing is reported as missing.",
		Reasons: []Row{
			{StorageBehind, "6.4", "says in seal {seal} that its storage had fallen behind its keys, as after a loss of power or when a snapshot is restored: records that were not sealed by then are lost or cannot be verified"},
		},
	},
	{
		Code: Truncated, Verdict: Incomplete,
		Case:   "A file ends within a line or a message. It is still being written, or its end was cut off.",
		Remedy: "Verify it again when it is written. A file that is not written to any more has lost its end: what was sealed and stood there is reported as MISSING.",
		Lead:   "ends within what it holds: ",
		Reasons: []Row{
			{LineUnfinished, "3.1", "its last line is the beginning of a JSON object"},
			{MessageUnfinished, "3.1", "its last message is shorter than its length says"},
			{FileUnfinished, "3.1", "its compressed data is cut off"},
		},
	},
	{
		Code: Before, Verdict: Incomplete,
		Case:   "It is from before the seal that `--from-seal` names, and is not judged.",
		Remedy: "It was judged by the verification of what came before, if that had it. If nothing explains why it is here again, verify the whole from the stream's first seal.",
		Lead:   "is from before the seal from which the stream is verified: ",
		Reasons: []Row{
			{RecordBefore, "8.3", "an earlier seal covers or voids its id, or its session ended before"},
			{SealBefore, "8.1", "a seal with a lower number, whose authenticity is not known here"},
		},
	},
	{
		Code: NotPostQuantumYet, Verdict: Incomplete,
		Case:   "With `--require-post-quantum`: the last seals are newer than the last anchor, and nothing but Ed25519 vouches for them yet.",
		Remedy: "Verify again when there are 64 seals more. Of a stream that has ended this is how it ends.",
		Reasons: []Row{
			{NewerThanAnchor, "8.1", "has {seals} behind its last anchor, for which nothing vouches but Ed25519 yet"},
		},
	},
	{
		Code: Unchecked, Verdict: Incomplete,
		Case:   "While watching: it could not be looked at, or only after what it is compared with was forgotten.",
		Remedy: "Verify the archive with `logseal verify`, which forgets nothing. If it goes on: more memory (`max_pending_records`), or a gateway with less to do.",
		Reasons: []Row{
			{BeyondLimit, "8.5", "waited for its seal, or the seal for it, and there were more than are kept"},
			{NotWatched, "8.5", "is of a time that was not watched: the watcher was not running, or lost what it knew of it"},
			{NotLookedAt, "8.5", "passed while there was too much to look at"},
			{CameAgain, "8.5", "came again, after what was verified under its id has been forgotten: whether it is the same is not known"},
		},
	},
	{
		Code: Uncheckable, Verdict: Incomplete,
		Case:   "Of a store's export (`--from`): the record is here, but not as it was sealed, and cannot be rebuilt from what the store gives back.",
		Remedy: "Nothing says that it was altered, and nothing proves it. Send originals (`siem` with `splunk_hec` or `syslog`) or carry them (`stamp: {carry: true}`), and let the search return that field whole: docs/export.md. An archive that has the record proves it.",
		Reasons: []Row{
			{NotRebuilt, "3", "cannot be rebuilt from what the store gave back: {lost}"},
			{OriginalCut, "3", "cannot be rebuilt: its original is cut off"},
			{GroupNotRebuilt, "8.3", "is one of the {n} records {group}, which were sealed together, and cannot be checked without the others, some of which are not here or cannot be rebuilt"},
		},
	},
	{
		Code: NotExported, Verdict: Incomplete,
		Case:   "Of a store's export (`--from`): it was sealed, or what tells how to judge it was, and the export does not cover that.",
		Remedy: "Export what is asked for: the page that is missing; records from some minutes before the interval on; all seals from the stream's first one on, those behind the interval too.",
		Reasons: []Row{
			{FirstMinute, "8.3", "was sealed in the first minute of the interval and is not here: the search began too late for it, or it was deleted"},
			{PageMissing, "8.3", "was sealed and is not here, and the export says that it has more pages than are here"},
			{LatePageMissing, "8.1", "is what was sealed, but seals before that seal, {seal}, are not here; the export says that it has more pages than are here"},
			{SealPageMissing, "8.1", "lacks {seals}, and the export says that it has more pages than are here"},
			{KeyPageMissing, "8.1", "look like seals of stream {stream_id}, and the seals that name their keys are not here; the export says that it has more pages than are here"},
			{SessionPageMissing, "8.3", "has an id of a session whose seals are not here; the export says that it has more pages than are here"},
			{PolicyPageMissing, "8.3", "cannot be checked: the open seal of its session is not here, which says what attributes do not count; the export says that it has more pages than are here"},
			{StreamPageMissing, "8.4", "has no seal here that can be authenticated: its first one, number 0, is not here; the export says that it has more pages than are here"},
			{SealsPagesMissing, "8.4", "there is no authentic seal of a trusted stream here, so nothing is verified; the export says that it has more pages than are here"},
			{EndorsedPageMissing, "7.1", "are seals of stream {stream_id}, which is not in the trust file, and whose first seal is not here or carries no endorsement; the export says that it has more pages than are here"},
			{ClosedPageMissing, "7.1", "has the identity and the name of stream {stream_id}, and that this was closed before is not here; the export says that it has more pages than are here"},
			{AnchorPageMissing, "8.1", "has {seals} for which nothing here vouches but Ed25519; the export says that it has more pages than are here"},
			{EndsBefore, "8.4", "ends with its seal of {time}, before the end of the interval: the search of the seals ended before the next one, or the host was silent"},
			{BeginsBehind, "8.4", "is verified from its seal of {time} on, behind the beginning of the interval, and what was sealed before that is not judged"},
		},
	},
}

// Of the table: by code, and for each reason its code and row.
var (
	entries = map[Code]*Entry{}
	codes   = map[Reason]Code{}
	rows    = map[Reason]*Row{}
)

func init() {
	for i := range table {
		e := &table[i]
		entries[e.Code] = e
		for j := range e.Reasons {
			codes[e.Reasons[j].Reason], rows[e.Reasons[j].Reason] = e.Code, &e.Reasons[j]
		}
	}
}

var unknown = Entry{Verdict: Tampered}

// entry returns what the table says; of a code that is not in it, that something is wrong.
func (c Code) entry() *Entry {
	if e := entries[c]; e != nil {
		return e
	}
	return &unknown
}

// Verdict returns the code's class.
func (c Code) Verdict() Verdict { return c.entry().Verdict }

// Code returns the code that the reason belongs to.
func (r Reason) Code() Code { return codes[r] }

// sentence returns the reason's, without its code's lead.
func (r Reason) sentence() string {
	if row := rows[r]; row != nil {
		return row.Sentence
	}
	return string(r)
}

// Describe returns the reason's sentence as it stands in the table.
func (r Reason) Describe() string { return r.Code().entry().Lead + r.sentence() }
