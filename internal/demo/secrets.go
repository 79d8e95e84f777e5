// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"math/big"
	"os"
	"path/filepath"
	"strings"
)

// planted is a secret as a program might log it.
type planted struct {
	kind, value string
	text        string // with the value in it
}

// plant makes secrets of six kinds, new ones each time: a list of known values would find old ones.
func plant() []planted {
	const (
		lower  = "abcdefghijklmnopqrstuvwxyz0123456789"
		base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
		base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	)
	token := randomText(base62, 30)
	// GitHub's tokens end in a checksum, and a detector may check it.
	github := "ghp_" + token + checksum62(crc32.ChecksumIEEE([]byte(token)), base62)
	card := withLuhn("4" + randomText("0123456789", 14))
	jwt := strings.Join([]string{
		base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)),
		base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + randomText(lower, 12) + `"}`)),
		base64.RawURLEncoding.EncodeToString([]byte(randomText(base62, 32))),
	}, ".")
	secrets := []planted{
		{kind: "password", value: randomText(lower, 16), text: "login failed for user=eve password=%s from console"},
		{kind: "AWS key", value: "AKIA" + randomText(base32, 16), text: "s3 client uses %s in eu-west-1"},
		{kind: "card number", value: card[:4] + " " + card[4:8] + " " + card[8:12] + " " + card[12:], text: "charged card %s for order 7"},
		{kind: "GitHub token", value: github, text: "git push https://x-access-token:%s@github.example/acme/app"},
		{kind: "e-mail address", value: randomText(lower[:26], 9) + "@mail.example", text: "password reset sent to %s"},
		{kind: "bearer token", value: jwt, text: "Authorization: Bearer %s"},
	}
	for i := range secrets {
		secrets[i].text = fmt.Sprintf(secrets[i].text, secrets[i].value)
	}
	return secrets
}

// secretsDrill plants secrets in the log file and looks for their bytes in everything that the archive's folder holds.
func secretsDrill(ctx context.Context, s *stage) (string, error) {
	secrets := plant()
	for range 20 {
		for _, p := range secrets {
			if err := s.writeLine(p.text); err != nil {
				return "", err
			}
		}
	}
	if err := s.awaitAll(ctx); err != nil {
		return "", err
	}
	archives, err := filepath.Glob(filepath.Join(s.Dir, "archive*"))
	if err != nil {
		return "", err
	}
	for _, path := range append(archives, s.siem.LogFile(), s.gateway.LogFile(), s.agent.LogFile()) {
		content, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		for _, p := range secrets {
			if bytes.Contains(content, []byte(p.value)) {
				return "", fmt.Errorf("a %s is in %s", p.kind, path)
			}
		}
	}
	kinds := make([]string, len(secrets))
	for i, p := range secrets {
		kinds[i] = p.kind
	}
	return fmt.Sprintf("%d lines with secrets of six kinds (%s) arrived without them; none of them is in the archive or in a collector's own log",
		20*len(secrets), strings.Join(kinds, ", ")), nil
}

func randomText(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err) // crypto/rand does not fail on Linux
		}
		b[i] = alphabet[k.Int64()]
	}
	return string(b)
}

// withLuhn appends the check digit of ISO/IEC 7812.
func withLuhn(digits string) string {
	sum := 0
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return fmt.Sprintf("%s%d", digits, (10-sum%10)%10)
}

// checksum62 is the checksum at the end of GitHub's tokens: six digits to the base 62.
func checksum62(sum uint32, alphabet string) string {
	digits := make([]byte, 6)
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = alphabet[sum%62]
		sum /= 62
	}
	return string(digits)
}
