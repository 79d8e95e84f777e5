// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Tokens without a form of their own, in the ways in which logs and configurations name them.
func TestContext(t *testing.T) {
	e := newEngine(t)
	for _, tt := range []struct{ name, in, secret string }{
		{"a word right before", "acme SECRET 7c4a8d09ca3762af61e59520943dc264", "7c4a8d09ca3762af61e59520943dc264"},
		{"a word right before, of regular looks", "acme TOKEN abcdefghijklmnopqrstuvwx123456", "abcdefghijklmnopqrstuvwx123456"},
		{"a UUID right behind a word", "acme secret 123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"},
		{"api key in two words", "customer.io api key 8363e3ca7e897cae7d76b8f46632e155", "8363e3ca7e897cae7d76b8f46632e155"},
		{"capitals and small letters", "acme APIKey 8363e3ca7e897cae7d76b8f46632e155", "8363e3ca7e897cae7d76b8f46632e155"},
		{"key alone, random value", "acme KEY 2k9Vh4JZ8BTG6A8l2mNK3v9J", "2k9Vh4JZ8BTG6A8l2mNK3v9J"},
		{"a vendor's UUID", "heroku=56937413-5d3e-48a1-4e02-6496265e95d9", "56937413-5d3e-48a1-4e02-6496265e95d9"},
		{"in the run itself", "acme-secret-7c4a8d09ca3762af61e59520943dc264", "7c4a8d09ca3762af61e59520943dc264"},
		{"in the run itself, in capitals", "acmePRIVATE-X1Y2Z3A4B5C6D7E8F9G0H1", "X1Y2Z3A4B5C6D7E8F9G0H1"},
		{"in the run itself, in groups", "acme-access-key-123e4567-e89b-12d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"},
		{"an unknown prefix", "using tgp_v1_HgWU7iym2128y2Pdj-7k9kX4WdMSCcIT5EhuY6SmNqc", "HgWU7iym2128y2Pdj"},
		{"an unknown prefix, one case", "csk-6nptf4w5cx36fw58t3hkx48jvm52wm693pex5tjm", "6nptf4w5cx36fw58t3hkx48"},
		{"an unknown prefix with a mark", "flb_live_1234567890abcdefGHIJ", "1234567890abcdefGHIJ"},
		{"a name that says nothing, capitals", "aletheia=FCI1W0J57R9PU3K009QBUF7OLB5ZFT03", "FCI1W0J57R9PU3K009QBUF7OLB5ZFT03"},
		{"a name that says nothing, hash arrow", "aletheia => 5us4rjh9ebxtblpi3cnw2hq0d8fqpk7s", "5us4rjh9ebxtblpi3cnw2hq0d8fqpk7s"},
		{"parts behind dots", "harvest token sMo3J4YdIq0S3bmZOmqh5dBz.dq9NIchVEHgjiBUw4T9B", "dq9NIchVEHgjiBUw4T9B"},
		{"key joined to a word", "besttime_samplekey = abc1defg2hijk3lmno4pqrs5tu", "abc1defg2hijk3lmno4pqrs5tu"},
		{"repeated characters after a sure prefix", "sk_test_BBBBBBBBBBBBBBBBBBBBBBBB", "BBBBBBBBBBBB"},
		{"one piece behind an arrow", "aws_secret_access_key => aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaa"},
		{"a numbered key", "Unseal Key 2: 0tZn+7QQCxphpHwTm7/dC3LpP5JGIbYl3PK8Sy81R+P2", "0tZn+7QQCxphpHwTm7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, _, _ := e.Text(tt.in, nil)
			assert.NotContains(t, out, tt.secret)
		})
	}
}
