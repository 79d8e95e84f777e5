// SPDX-License-Identifier: Apache-2.0

package rules

import "github.com/logseal/logseal/pkg/redact/internal/ascii"

// Pass phrases without quotes: several words, such as those that password managers make up and wallets are restored from. A sentence
// about a password looks the same, but has words that such phrases have not.

const (
	minPhraseWords = 4
	walletWords    = 12 // of the shortest phrase of a wallet (BIP 39)
	maxPhraseWords = 24 // of the longest one
	minPhraseWord  = 3  // letters
	maxPhraseWord  = 16
)

// sentenceWords are those without which hardly a sentence about a credential is written: what joins words, what is said of credentials,
// and what they belong to.
var sentenceWords = set("a an the is are was were be been being am has have had do does did will would shall should can cannot could may might must " +
	"to of in on at by for from with without into onto over under about after before until since while during between within than then and or nor but if " +
	"because when where which who whom whose what why how that this these those it its he she they them we us our you your my me i not no none never " +
	"only again already also always any all both each either every more most much many less least same such too very yet still now here there " +
	"user users name username account accounts admin administrator root login logins logon logged signin password passwords passwd passphrase passcode secret " +
	"token key credential credentials authentication authorization session database server client host service system application app file " +
	"error errors failed failure fail fails invalid incorrect wrong bad denied rejected expired expires expire changed change changes changing reset updated " +
	"update required requires require missing mismatch match matches empty blank short long weak strong length minimum maximum characters character letters " +
	"digits digit attempt attempts retry retries retrying try tries trying enter entered entering provide provided provides given set sets unset using use used uses " +
	"configured configuration config default value values field found exist exists exceeded lock locked unlock disabled enabled allowed permitted " +
	"check checking checked validation validate validated verify verified verification policy history rotation rotated generated generate created create " +
	"new old current previous first last next request response connection connect connected refused reset read write loaded load loading stored store saved save " +
	"sent send mail email link please contact support see ok done success successful successfully accepted valid true false null nil undefined encrypted hashed masked hidden redacted")

// phraseEnd returns the end of the pass phrase at i: four words and more of small letters, or with a capital each, to the end of the line
// or of what it is quoted in; or twelve and more, whatever follows. It returns 0 if there is none.
func phraseEnd(s string, i int) int {
	words, capitals, common, end := 0, 0, 0, 0
	for k := i; words < maxPhraseWords; k = end + 1 {
		word := k
		capital := ascii.Is(s, k, ascii.UpperCase)
		if capital {
			k++
		}
		k = ascii.Span(s, k, ascii.LowerCase)
		if k-word < minPhraseWord || k-word > maxPhraseWord {
			break
		}
		if sentenceWords[ascii.LowerString(s[word:k])] {
			common++
		}
		if capital {
			capitals++
		}
		words, end = words+1, k
		if ascii.At(s, k) != ' ' || !ascii.Is(s, k+1, ascii.Alpha) {
			break
		}
	}
	switch {
	case words < minPhraseWords || capitals > 0 && capitals < words:
		return 0
	case words >= walletWords && common*3 <= words: // the list of BIP 39 has some of them: about, again, can
		return end
	case common == 0 && endsField(s, end):
		return end
	}
	return 0
}

// endsField reports whether the line, a field of a table, or what is between quotes or elements ends at i.
func endsField(s string, i int) bool {
	switch b := ascii.At(s, blanks(s, i)); b {
	case 0, '\n', '\r', '|', '<', '\\', '}':
		return true
	default:
		return ascii.Is(s, i, ascii.Quote)
	}
}
