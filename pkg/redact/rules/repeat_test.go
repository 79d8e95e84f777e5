// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logseal/logseal/pkg/redact"
	"github.com/logseal/logseal/pkg/redact/rules"
)

// operandCommands are commands whose last word is to be a password.
var operandCommands = strings.Split(`mysqladmin -u root password
etcdctl user add bob:
bundle config gems.example.org bob:
composer config http-basic.example.org bob
composer config github-oauth.github.com
isql prod bob
pdftk in.pdf user_pw
db2 connect to sample user bob using
neo4j-admin set-initial-password
mc alias set minio https://minio.example.org bob
mkpasswd -m sha-512
vboxmanage guestproperty setcredentials bob
ansible-vault encrypt_string
rasdial vpn bob
cargo login
radtest bob
net user bob
net use \\srv\share
openssl passwd -1
htpasswd -b /etc/users bob
redis-cli config set requirepass
aws configure set aws_secret_access_key
gcloud config set auth/password
nmcli dev wifi connect home password
nmcli con modify home wifi-sec.psk
snap set app db-password
uci set wireless.key
iscsiadm -m node -o update -n node.session.auth.password -v
rabbitmqctl add_user bob
wpa_passphrase home
dscl . -passwd /Users/bob
bw login bob@example.org
bw unlock
samba-tool user create bob
rclone obscure
rclone config create remote sftp pass
vault login
heroku config set token
consul kv put app/password
racadm set idrac.users.2.password`, "\n")

// ordinaryWords stand behind the password of a command and are none.
var ordinaryWords = strings.Fields("ifname wlan0 name h private hidden ipv4.method auto --instance x --project p y --region eu-west-1 Nov s d 0 8 i t z " +
	"-T iqn.2025-01.x --portal 10.0.0.1 --verbose root db host in.pdf out.pdf app https://example.org/x /srv/data level=info rc=0 no yes 443")

// What stands in the place of a password is not taken for the name of another by the passes that follow: whatever words are behind, the command
// is not withheld, a second call changes nothing, and the words stay.
func TestCommandsKeepWordsBehind(t *testing.T) {
	e, err := redact.New(redact.DefaultConfig())
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(18, 4))
	words, kept, all := 0, 0, 0
	check := func(command string) string {
		behind := make([]string, 5+random.IntN(4))
		for i := range behind {
			behind[i] = ordinaryWords[random.IntN(len(ordinaryWords))]
		}
		text := command + " " + strings.Join(behind, " ")
		out, _, _ := e.Text(text, nil)
		all++
		if assert.NotContains(t, out, "[REDACTED:limit]", "%q", text) {
			again, _, _ := e.Text(out, nil)
			assert.Equal(t, out, again, "%q", text)
		}
		stay := 0
		for stay < len(behind) && strings.HasSuffix(out, " "+strings.Join(behind[len(behind)-stay-1:], " ")) {
			stay++
		}
		words, kept = words+len(behind), kept+stay
		if stay < len(behind) {
			t.Logf("%d of %d words stay: %q -> %q", stay, len(behind), text, out)
		}
		return out
	}
	const token = "8PZAdgsJtew9tQ4mX2bLcR7v"
	values := strings.Fields(token + " kettle Apfelmus2025 aB3$x9!k hunter2-west 491827364 s.3kPq8vZw1x")
	for _, v := range values {
		for _, o := range rules.ClientOptions() {
			words := o.Client + " "
			if o.Within != "" {
				words += strings.Fields(o.Within)[0] + " "
			}
			if o.Joined {
				check(words + o.Option + o.User + v)
			}
			if o.Next {
				check(words + o.Option + " " + o.User + v)
			}
		}
		for _, command := range operandCommands {
			if !strings.HasSuffix(command, ":") {
				command += " "
			}
			out := check(command + v)
			if v == token { // the others are too plain for some
				assert.NotContains(t, out, v)
			}
		}
	}
	t.Logf("%d commands, %d of %d words kept", all, kept, words)
	assert.GreaterOrEqual(t, float64(kept), 0.98*float64(words), "words behind that are kept")
}
