// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/logseal/logseal/pkg/redact/internal/prefilter"
)

// Ordinary texts are what programs and people write into logs in one piece: configurations, listings, exports, dumps. Many are denser in
// names, numbers and secrets than lines of logs are, and no two entries of one are the same.

// ordinaryText returns a text of the kind and size.
func ordinaryText(kind string, size int, seed uint64) string {
	g := gen{rand.New(rand.NewPCG(seed, uint64(size)))}
	entry := ordinaryKinds[kind]
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		b.WriteString(entry(g, i))
	}
	return strings.ToValidUTF8(b.String()[:size], "")
}

// ordinaryKinds write the entry i of a text of a kind.
var ordinaryKinds = map[string]func(g gen, i int) string{
	// Environments and settings.
	"env of a container": func(g gen, _ int) string { return g.variable() + "=" + g.setting() + "\n" },
	"env of secrets":     func(g gen, _ int) string { return g.variable() + "=" + g.token(20+g.IntN(24)) + "\n" },
	"env, exported":      func(g gen, _ int) string { return "export " + g.variable() + "='" + g.setting() + "'\n" },
	"env of pods": func(g gen, _ int) string {
		return "        - name: " + g.variable() + "\n          value: \"" + g.setting() + "\"\n"
	},
	"env from secrets": func(g gen, _ int) string {
		return fmt.Sprintf("        - name: %s\n          valueFrom:\n            secretKeyRef:\n              name: %s-credentials\n              key: %s\n", g.variable(), g.word(), g.key())
	},
	"kubernetes secrets": func(g gen, i int) string {
		return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s-%d\n  namespace: %s\ntype: Opaque\ndata:\n  username: %s\n  password: %s\n  %s: %s\n---\n",
			g.word(), i, g.word(), b64(g.word()), b64(g.token(16)), g.key(), b64(g.token(24)))
	},
	"docker inspect": func(g gen, i int) string {
		return fmt.Sprintf("  {\"Id\": \"%s\", \"Created\": \"2026-11-%02dT08:15:%02d.%09dZ\", \"Path\": \"/entrypoint.sh\", \"Config\": {\"Hostname\": \"%s\", \"Env\": [\"%s=%s\", \"%s=%s\", \"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin\"], \"Image\": \"registry.example.com/%s:%d.%d.%d\"}},\n",
			g.hex(64), 1+g.IntN(28), g.IntN(60), g.IntN(1e9), g.hex(12), g.variable(), g.setting(), g.variable(), g.setting(), g.word(), g.IntN(9), g.IntN(30), g.IntN(30))
	},
	"actuator env": func(g gen, _ int) string {
		return fmt.Sprintf("\"spring.%s.%s\":{\"value\":\"%s\",\"origin\":\"class path resource [application.yml] - %d:%d\"},\"%s\":{\"value\":\"******\"},", g.word(), g.key(), g.setting(), g.IntN(300), g.IntN(40), g.variable())
	},
	"properties": func(g gen, _ int) string { return g.word() + "." + g.word() + "." + g.key() + "=" + g.setting() + "\n" },
	"helm values": func(g gen, _ int) string {
		return g.word() + ":\n  enabled: true\n  image:\n    repository: example/" + g.word() + "\n    tag: \"" + g.fill("%.%#.#") + "\"\n  auth:\n    " + g.key() + ": \"" + g.setting() + "\"\n    existingSecret: \"\"\n"
	},
	"kafka config": func(g gen, _ int) string {
		return "\t" + g.pick("ssl.keystore.password", "ssl.key.password", "ssl.truststore.location", "sasl.jaas.config", "sasl.mechanism", "bootstrap.servers", "key.serializer", "key.deserializer", "max.poll.records", "client.id", "group.id", "ssl.truststore.password", "sasl.login.callback.handler.class") + " = " + g.pick("null", "[hidden]", "PLAIN", "["+g.host()+":9092]", "class org.example."+g.word()+".Handler", g.fill("%##")) + "\n"
	},
	"terraform plan": func(g gen, _ int) string {
		return fmt.Sprintf("  # aws_%s.%s will be updated in-place\n  ~ resource \"aws_%s\" \"%s\" {\n        id       = \"%s-%s\"\n      ~ %s = \"%s\" -> \"%s\"\n      + tags     = (known after apply)\n    }\n", g.word(), g.word(), g.word(), g.word(), g.word(), g.hex(17), g.key(), g.setting(), g.setting())
	},
	"ini of services": func(g gen, _ int) string {
		return "[" + g.word() + "]\nuser = " + g.name() + "\n" + g.key() + " = " + g.setting() + "\nhost = " + g.host() + "\n\n"
	},
	"compose file": func(g gen, _ int) string {
		return fmt.Sprintf("  %s:\n    image: %s:%s\n    environment:\n      - %s=${%s}\n      - %s=%s\n    secrets:\n      - %s_password\n", g.word(), g.word(), g.fill("%#"), g.variable(), g.variable(), g.variable(), g.setting(), g.word())
	},
	"references": func(g gen, i int) string { v := g.variable(); return v + "=${" + v + "}\n" },
	"npmrc": func(g gen, _ int) string {
		return "//" + g.host() + "/:_authToken=" + g.token(36) + "\n@" + g.word() + ":registry=https://" + g.host() + "/\n"
	},
	"netrc": func(g gen, _ int) string {
		return "machine " + g.host() + " login " + g.name() + " password " + g.token(16) + "\n"
	},
	"pgpass": func(g gen, _ int) string {
		return g.host() + ":5432:" + g.word() + ":" + g.name() + ":" + g.token(14) + "\n"
	},
	"ansible inventory": func(g gen, _ int) string {
		return g.host() + " ansible_user=" + g.name() + " ansible_ssh_pass=" + g.token(12) + " ansible_become_password=" + g.token(12) + "\n"
	},
	"settings, dumped": func(g gen, _ int) string {
		return fmt.Sprintf("%sConfig{host=%s, port=%d, username=%s, %s=%s, timeout=%dms}, ", g.word(), g.host(), g.IntN(65536), g.name(), g.key(), g.setting(), g.IntN(9000))
	},
	"settings of Go": func(g gen, _ int) string {
		return fmt.Sprintf("&{Host:%s Port:%d User:%s Password:%s Token:%s TLS:<nil>} ", g.host(), g.IntN(65536), g.name(), g.token(12), g.pick("", g.token(30)))
	},

	// Web.
	"har headers": func(g gen, _ int) string {
		return fmt.Sprintf("{\"name\": \"%s\", \"value\": \"%s\"}, ", g.pick("Authorization", "Cookie", "X-Api-Key", "User-Agent", "Accept", "Referer", "X-CSRF-Token", "Host", "Set-Cookie", "Content-Type"), g.pick("Bearer "+g.token(40), "sid="+g.token(24)+"; theme=dark", g.token(32), "application/json", g.host(), "Mozilla/5.0 (X11; Linux x86_64)"))
	},
	"har cookies": func(g gen, _ int) string {
		return fmt.Sprintf("{\"name\": \"%s\", \"value\": \"%s\", \"path\": \"/\", \"domain\": \".%s\", \"expires\": \"2027-0%d-11T10:00:00.000Z\", \"httpOnly\": true, \"secure\": true}, ", g.pick("session", "_ga", "csrftoken", "JSESSIONID", "remember_token", g.word()), g.token(20+g.IntN(30)), g.host(), 1+g.IntN(9))
	},
	"cookie headers": func(g gen, _ int) string {
		return "Cookie: sid=" + g.token(32) + "; _ga=GA1.2." + g.fill("%########.%#########") + "; csrftoken=" + g.token(32) + "; lang=en\n"
	},
	"set-cookie headers": func(g gen, _ int) string {
		return "Set-Cookie: " + g.word() + "=" + g.token(28) + "; Path=/; HttpOnly; Secure; SameSite=Lax\r\n"
	},
	"requests": func(g gen, _ int) string {
		return "POST /api/v1/" + g.word() + "/" + g.fill("%###") + " HTTP/1.1\r\nHost: " + g.host() + "\r\nAuthorization: " + g.pick("Basic "+b64(g.name()+":"+g.token(10)), "Bearer "+g.token(40)) + "\r\nContent-Type: application/json\r\nContent-Length: " + g.fill("%##") + "\r\nX-Request-Id: " + g.uuid() + "\r\n\r\n"
	},
	"postman collection": func(g gen, _ int) string {
		return fmt.Sprintf("{\"name\":\"%s %s\",\"request\":{\"auth\":{\"type\":\"bearer\",\"bearer\":[{\"key\":\"token\",\"value\":\"{{accessToken}}\",\"type\":\"string\"}]},\"method\":\"POST\",\"header\":[{\"key\":\"X-Api-Key\",\"value\":\"%s\"}],\"body\":{\"mode\":\"urlencoded\",\"urlencoded\":[{\"key\":\"%s\",\"value\":\"%s\"}]},\"url\":{\"raw\":\"{{baseUrl}}/%s/:id\",\"path\":[\"%s\",\":id\"]}}},", g.word(), g.word(), g.token(32), g.key(), g.setting(), g.word(), g.word())
	},
	"access log with tokens": func(g gen, _ int) string {
		return fmt.Sprintf("%s - - [28/Nov/2026:06:%02d:%02d +0000] \"GET /%s?access_token=%s&id=%d HTTP/1.1\" 200 %d \"-\" \"curl/8.10.1\"\n", g.ip(), g.IntN(60), g.IntN(60), g.word(), g.token(32), g.IntN(1e5), g.IntN(1e5))
	},
	"access log": func(g gen, i int) string { return accessLines(1, g.Uint64(), false)[0] + "\n" },
	"urls": func(g gen, i int) string {
		return "https://" + g.host() + "/" + g.word() + "/" + g.word() + "?id=" + g.fill("%####") + "&ref=" + g.word() + "\n"
	},
	"signed urls": func(g gen, _ int) string {
		return "https://" + g.word() + ".s3.amazonaws.com/" + g.word() + "/" + g.uuid() + ".parquet?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261128T061500Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=" + g.hex(64) + "\n"
	},
	"connections": func(g gen, _ int) string {
		return g.pick("postgres", "mysql", "amqp", "redis", "mongodb+srv") + "://" + g.name() + ":" + g.token(12) + "@" + g.host() + ":5432/" + g.word() + "?sslmode=require\n"
	},
	"curl commands": func(g gen, _ int) string {
		return "curl -fsS -X POST -u " + g.name() + ":" + g.token(10) + " -H 'Authorization: Bearer " + g.token(32) + "' -H 'Content-Type: application/json' -d '{\"id\": " + g.fill("%###") + "}' https://" + g.host() + "/api/" + g.word() + "\n"
	},
	"openapi, JSON": func(g gen, _ int) string {
		return fmt.Sprintf("{\"name\":\"%s\",\"in\":\"%s\",\"description\":\"The %s of the %s\",\"required\":true,\"schema\":{\"type\":\"string\",\"format\":\"%s\",\"example\":\"%s\"}},", g.key(), g.pick("query", "header", "cookie", "path"), g.label(), g.word(), g.pick("password", "uuid", "date-time", "email"), g.word())
	},
	"openapi, YAML": func(g gen, _ int) string {
		return fmt.Sprintf("  /%s/{%s}:\n    post:\n      operationId: %s%s\n      security:\n        - apiKeyAuth: []\n      parameters:\n        - name: %s\n          in: header\n          schema:\n            type: string\n            format: password\n      responses:\n        '401':\n          description: %s is missing or wrong\n", g.word(), g.word(), g.word(), g.key(), g.key(), g.label())
	},
	"json schema": func(g gen, _ int) string {
		return fmt.Sprintf("\"%s\": {\"type\": \"string\", \"description\": \"%s of the %s\", \"minLength\": %d, \"maxLength\": %d, \"pattern\": \"^[A-Za-z0-9]{8,64}$\", \"default\": \"\"},\n", g.key(), g.label(), g.word(), g.IntN(9), 10+g.IntN(90))
	},
	"graphql": func(g gen, _ int) string {
		return fmt.Sprintf("{\"name\":\"%s\",\"description\":\"%s\",\"args\":[],\"type\":{\"kind\":\"NON_NULL\",\"name\":null,\"ofType\":{\"kind\":\"SCALAR\",\"name\":\"String\",\"ofType\":null}},\"isDeprecated\":false,\"deprecationReason\":null},", g.key(), g.label())
	},
	"html form": func(g gen, _ int) string {
		k := g.key()
		return fmt.Sprintf("<div class=\"field\"><label for=\"%s\">%s</label><input type=\"password\" id=\"%s\" name=\"%s\" placeholder=\"%s\" value=\"\" autocomplete=\"off\"></div>\n", k, g.label(), k, k, g.label())
	},
	"minified JS": func(g gen, _ int) string {
		return fmt.Sprintf("function %s(t,e){var n=t.%s||e.%s;if(!n)throw new Error(\"%s\");return this.%s=n,{headers:{Authorization:\"Bearer \"+n,\"%s\":t.id},body:JSON.stringify({%s:e.%s})}}", g.fill("?"), g.key(), g.key(), g.label(), g.key(), "X-"+g.word(), g.key(), g.key())
	},
	"form bodies": func(g gen, _ int) string {
		return "grant_type=password&client_id=" + g.word() + "&client_secret=" + g.token(32) + "&username=" + g.name() + "%40example.com&password=" + g.token(10) + "%21&scope=openid\n"
	},
	"saml": func(g gen, i int) string {
		return b64("<saml:Attribute Name=\"" + g.key() + "\"><saml:AttributeValue>" + g.setting() + "</saml:AttributeValue></saml:Attribute>" + g.word())
	},
	"soap": func(g gen, _ int) string {
		return fmt.Sprintf("<v1:item><v1:id>%s</v1:id><v1:%s>%s</v1:%s><v1:user>%s</v1:user></v1:item>\n", g.fill("%###"), "password", g.token(10), "password", g.name())
	},
	"data url":        func(g gen, _ int) string { return "data:image/png;base64," + g.base64(1800) + "\n" },
	"base64, wrapped": func(g gen, _ int) string { return g.base64(76) + "\r\n" },
	"jwt list":        func(g gen, _ int) string { return jwtOf(g) + "\n" },

	// Data.
	"users, CSV": func(g gen, i int) string {
		return fmt.Sprintf("%d,%s,%s@example.com,%s,%s,2026-11-%02d\n", i, g.name(), g.name(), g.fill("+49 30 %#######"), g.token(12), 1+g.IntN(28))
	},
	"users, JSON": func(g gen, i int) string {
		return fmt.Sprintf("{\"id\":%d,\"name\":\"%s %s\",\"email\":\"%s@example.org\",\"phone\":\"%s\",\"password\":\"%s\",\"active\":true},", i, g.name(), g.name(), g.name(), g.fill("(555) 2##-####"), g.token(14))
	},
	"payments, CSV": func(g gen, i int) string {
		return fmt.Sprintf("%d,%s,%s,%d.%02d,EUR\n", i, g.card(), g.iban(), g.IntN(1000), g.IntN(100))
	},
	"SQL dump": func(g gen, i int) string {
		return fmt.Sprintf("INSERT INTO `users` (`id`, `login`, `password`, `email`) VALUES (%d,'%s','%s','%s@example.com');\n", i, g.name(), g.token(16), g.name())
	},
	"SQL dump, hashes": func(g gen, i int) string {
		return fmt.Sprintf("(%d,'%s','$2y$10$%s','%s@example.com','2026-11-28 06:00:%02d'),\n", i, g.name(), g.token(53), g.name(), g.IntN(60))
	},
	"pg_dump COPY": func(g gen, i int) string {
		return fmt.Sprintf("%d\t%s\t%s@example.com\t$2b$12$%s\t%s\t\\N\tt\n", i, g.name(), g.name(), g.token(53), g.fill("2026-11-0% 12:##:##"))
	},
	"SQL log": func(g gen, _ int) string {
		return fmt.Sprintf("2026-11-28 06:%02d:%02d.%03d UTC [%d] LOG:  duration: %d.%03d ms  statement: UPDATE users SET %s = '%s', updated_at = now() WHERE id = %d\n", g.IntN(60), g.IntN(60), g.IntN(1000), g.IntN(30000), g.IntN(90), g.IntN(1000), g.pick("password_hash", "api_key", "token", "name"), g.token(20), g.IntN(1e6))
	},
	"LDIF": func(g gen, _ int) string {
		n := g.name()
		return fmt.Sprintf("dn: uid=%s,ou=people,dc=example,dc=com\nobjectClass: inetOrgPerson\nuid: %s\nmail: %s@example.com\ntelephoneNumber: %s\nuserPassword:: %s\n\n", n, n, n, g.fill("+1 555 2##-####"), b64("{SSHA}"+g.token(38)))
	},
	"vcards": func(g gen, _ int) string {
		n := g.name()
		return fmt.Sprintf("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:%s %s\r\nTEL;TYPE=CELL:%s\r\nEMAIL:%s@example.com\r\nEND:VCARD\r\n", n, g.name(), g.fill("+44 7### ######"), n)
	},
	"phones": func(g gen, _ int) string {
		return g.fill(g.pick("+4420########", "+1 (555) 2##-####", "0171 #######", "+33 6 ## ## ## ##", "555-2##-####")) + "\n"
	},
	"phones, one form": func(g gen, _ int) string { return g.fill("+4420########") + "," },
	"mail addresses":   func(g gen, _ int) string { return g.name() + "." + g.name() + "@" + g.host() + "\n" },
	"mail headers": func(g gen, _ int) string {
		return fmt.Sprintf("Received: from %s (%s [%s]) by %s with ESMTPS id %s for <%s@example.com>; Sat, 28 Nov 2026 06:%02d:%02d +0000 (UTC)\nDKIM-Signature: v=1; a=rsa-sha256; d=%s; s=mail; h=From:To:Subject; bh=%s=; b=%s\nFrom: %s <%s@%s>\nTo: %s@example.com\nMessage-ID: <%s@%s>\n\n", g.host(), g.host(), g.ip(), g.host(), g.token(12), g.name(), g.IntN(60), g.IntN(60), g.host(), g.token(43), g.base64(172), g.name(), g.name(), g.host(), g.name(), g.token(20), g.host())
	},
	"git log": func(g gen, _ int) string {
		n := g.name()
		return fmt.Sprintf("commit %s\nAuthor: %s %s <%s@%s>\nDate:   Sat Nov 28 06:%02d:%02d 2026 +0000\n\n    %s: fix the %s of the %s\n\n", g.hex(40), n, g.name(), n, g.host(), g.IntN(60), g.IntN(60), g.word(), g.label(), g.word())
	},
	"numbers":       func(g gen, _ int) string { return g.fill("%####.##,") + g.fill("%##########,") + g.fill("-#.######\n") },
	"coordinates":   func(g gen, _ int) string { return g.fill("[-1%#.######, 4#.######],") },
	"order numbers": func(g gen, _ int) string { return g.fill("ORD-2026-%#######  INV%######## 40##-####-####-##") + "\n" },
	"national ids": func(g gen, _ int) string {
		return g.name() + ";" + g.fill("%##-##-####;%#########;%##.###.###-##") + "\n"
	},
	"uuids":  func(g gen, _ int) string { return "\"" + g.uuid() + "\",\n" },
	"hashes": func(g gen, _ int) string { return g.hex(64) + "  ./" + g.word() + "/" + g.word() + ".tar.gz\n" },
	"hex dump": func(g gen, i int) string {
		return fmt.Sprintf("%08x  % x  % x  |................|\n", i*16, g.hex(8), g.hex(8))
	},
	"protobuf text": func(g gen, _ int) string {
		return fmt.Sprintf("%s {\n  name: \"%s\"\n  %s: \"%s\"\n  value: %d\n}\n", g.word(), g.word(), g.key(), g.setting(), g.IntN(1e6))
	},

	// Systems.
	"shadow": func(g gen, _ int) string {
		return g.name() + ":$6$" + g.token(16) + "$" + g.token(86) + ":19700:0:99999:7:::\n"
	},
	"passwd": func(g gen, i int) string {
		n := g.name()
		return fmt.Sprintf("%s:x:%d:%d:%s %s:/home/%s:/bin/bash\n", n, 1000+i, 1000+i, n, g.name(), n)
	},
	"authorized keys": func(g gen, _ int) string {
		return g.pick("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ"+g.base64(350), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"+g.base64(42)) + " " + g.name() + "@" + g.word() + "\n"
	},
	"certificates": func(g gen, _ int) string {
		s := "-----BEGIN CERTIFICATE-----\n"
		for range 18 {
			s += g.base64(64) + "\n"
		}
		return s + "-----END CERTIFICATE-----\n"
	},
	"hosts": func(g gen, _ int) string { return g.ip() + "\t" + g.host() + " " + g.word() + g.fill("-##") + "\n" },
	"crontab": func(g gen, _ int) string {
		return fmt.Sprintf("%d %d * * %d %s /usr/bin/%s --user=%s --password=%s >/dev/null 2>&1\n", g.IntN(60), g.IntN(24), g.IntN(7), g.name(), g.pick("mysqldump", "backup", "rsync"), g.name(), g.token(10))
	},
	"shell history": func(g gen, _ int) string {
		return g.pick("cd /srv/"+g.word(), "git push origin "+g.word(), "mysql -u "+g.name()+" -p"+g.token(8)+" "+g.word(), "export "+g.variable()+"="+g.setting(), "ssh "+g.name()+"@"+g.host(), "docker login -u "+g.name()+" -p "+g.token(12)+" "+g.host(), "kubectl get secret "+g.word()+" -o yaml", "psql -h "+g.host()+" -U "+g.name()) + "\n"
	},
	"ps": func(g gen, _ int) string {
		return fmt.Sprintf("%-8s %6d  0.%d  1.%d %8d %6d ?  Ssl  06:%02d   0:%02d /usr/bin/%s --config=/etc/%s.yaml --token-file=/run/%s/token -p %d -u %s\n", g.name(), g.IntN(1e5), g.IntN(10), g.IntN(10), g.IntN(1e7), g.IntN(1e5), g.IntN(60), g.IntN(60), g.word(), g.word(), g.word(), g.IntN(65536), g.name())
	},
	"ls": func(g gen, _ int) string {
		return fmt.Sprintf("-rw-r--r--  1 %s %s %7d Nov %2d 06:%02d %s_%s.%s\n", g.name(), g.name(), g.IntN(1e7), 1+g.IntN(28), g.IntN(60), g.word(), g.key(), g.pick("txt", "pem", "key", "go"))
	},
	"journal export": func(g gen, i int) string {
		return fmt.Sprintf("__CURSOR=s=%s;i=%x\n__REALTIME_TIMESTAMP=%s\n_PID=%d\n_UID=0\n_COMM=%s\n_CMDLINE=/usr/sbin/%s -D\nMESSAGE=Accepted password for %s from %s port %d ssh2\n\n", g.hex(32), i, g.fill("17%##############"), g.IntN(1e5), g.word(), g.word(), g.name(), g.ip(), g.IntN(65536))
	},
	"auth log": func(g gen, _ int) string {
		return fmt.Sprintf("Nov 28 06:%02d:%02d web-%d sshd[%d]: Failed password for invalid user %s from %s port %d ssh2\n", g.IntN(60), g.IntN(60), g.IntN(9), g.IntN(1e5), g.name(), g.ip(), g.IntN(65536))
	},
	"audit log": func(g gen, i int) string {
		return fmt.Sprintf("type=USER_AUTH msg=audit(1795845%03d.%03d:%d): pid=%d uid=0 auid=4294967295 ses=4294967295 msg='op=PAM:authentication grantors=pam_unix acct=\"%s\" exe=\"/usr/sbin/sshd\" hostname=%s addr=%s terminal=ssh res=success'\n", g.IntN(1000), g.IntN(1000), i, g.IntN(1e5), g.name(), g.host(), g.ip())
	},
	"router config": func(g gen, _ int) string {
		return g.pick("username "+g.name()+" privilege 15 secret 5 $1$"+g.token(4)+"$"+g.token(22), "snmp-server community "+g.token(8)+" RO", " neighbor "+g.ip()+" password 7 "+g.hex(16), "interface GigabitEthernet0/"+g.fill("#"), " ip address "+g.ip()+" 255.255.255.0", "tacacs-server key "+g.token(12), " description "+g.word()) + "\n"
	},
	"colours": func(g gen, i int) string {
		return fmt.Sprintf("\x1b[32mINFO\x1b[0m [%s] \x1b[36m%s\x1b[0m=%d \x1b[36muser\x1b[0m=%s\n", g.word(), g.word(), g.IntN(1000), g.name())
	},
	"windows events": func(g gen, _ int) string {
		return fmt.Sprintf("<Data Name='SubjectUserSid'>S-1-5-21-%s</Data><Data Name='TargetUserName'>%s</Data><Data Name='PasswordLastSet'>%%%%1794</Data><Data Name='IpAddress'>%s</Data><Data Name='AuthenticationPackageName'>Negotiate</Data>\r\n", g.fill("%#########-%#########"), g.name(), g.ip())
	},

	// Programs.
	"labels, properties": func(g gen, i int) string { return "label." + g.word() + "." + g.key() + "=" + g.label() + "\n" },
	"labels, JSON": func(g gen, i int) string {
		return fmt.Sprintf("  \"%s.%s%d\": \"%s\",\n", g.word(), g.key(), i, g.label())
	},
	"labels, po": func(g gen, i int) string {
		return fmt.Sprintf("#: src/%s/%s.tsx:%d\nmsgid \"%s\"\nmsgstr \"%s\"\n\n", g.word(), g.word(), i, g.label(), g.label())
	},
	"labels, XML": func(g gen, _ int) string {
		return fmt.Sprintf("    <string name=\"%s_%s\">%s</string>\n", g.word(), g.key(), g.label())
	},
	"labels, other languages": func(g gen, _ int) string {
		return fmt.Sprintf("  \"%s\": \"%s\",\n", g.key(), g.pick("Passwort vergessen?", "Mot de passe oublié", "Contraseña incorrecta", "Введите пароль", "パスワードを入力してください", "Wachtwoord wijzigen", "Hasło jest za krótkie", "请输入密码", "Geheimnis", "Clé d'accès"))
	},
	"Java trace": func(g gen, _ int) string {
		return fmt.Sprintf("\tat com.example.%s.%sService.%s(%sService.java:%d)\n", g.word(), g.word(), g.key(), g.word(), g.IntN(500))
	},
	"Python trace": func(g gen, _ int) string {
		return fmt.Sprintf("  File \"/usr/lib/python3/site-packages/%s/%s.py\", line %d, in %s\n    return self.%s(%s=%s, timeout=timeout)\n", g.word(), g.word(), g.IntN(900), g.word(), g.word(), g.key(), g.key())
	},
	"Go trace": func(g gen, _ int) string {
		return fmt.Sprintf("goroutine %d [select]:\ngithub.com/example/%s.(*%s).%s(0xc000%s, {0x%s, 0x%d})\n\t/go/src/%s/%s.go:%d +0x%s\n", g.IntN(9000), g.word(), g.word(), g.key(), g.hex(6), g.hex(6), g.IntN(99), g.word(), g.word(), g.IntN(900), g.hex(3))
	},
	"Go source": func(g gen, _ int) string {
		return fmt.Sprintf("\tif cfg.%s == \"\" {\n\t\treturn nil, fmt.Errorf(\"%%w: %s is required\", err)\n\t}\n\tc.%s = os.Getenv(\"%s\")\n", g.key(), g.label(), g.key(), g.variable())
	},
	"Python source": func(g gen, _ int) string {
		return fmt.Sprintf("def %s(self, user, password=None, token=None):\n    \"\"\"%s of the %s.\"\"\"\n    self.%s = password or settings.%s\n    return self.client.post(url, data={'%s': token})\n", g.word(), g.label(), g.word(), g.key(), g.variable(), g.key())
	},
	"tests of logins": func(g gen, i int) string {
		return fmt.Sprintf("ok %d - %s rejects a wrong %s (%s expired)\n", i, g.word(), strings.ToLower(g.label()), g.key())
	},
	"source map": func(g gen, _ int) string {
		return g.pick("AAAA", "IAAI", "GAAG") + "," + g.fill("????") + ";" + "SAAS," + g.fill("??A?") + ","
	},
	"go.sum": func(g gen, _ int) string {
		return "github.com/" + g.word() + "/" + g.word() + g.fill(" v%.#.# h1:") + g.base64(43) + "=\n"
	},
	"package lock": func(g gen, _ int) string {
		return fmt.Sprintf("    \"node_modules/%s\": {\"version\": \"%s\", \"resolved\": \"https://registry.example.org/%s/-/%s.tgz\", \"integrity\": \"sha512-%s==\", \"license\": \"MIT\"},\n", g.word(), g.fill("%.#.#"), g.word(), g.word(), g.base64(86))
	},
	"prose about logins": func(g gen, _ int) string {
		return g.pick("Users who forgot their password can request a new token. ", "The key is stored in the vault, and the secret is rotated every night. ", "Please do not share your credentials or your API key with anyone. ", "An access token expires after an hour; the refresh token is valid for "+g.fill("%#")+" days. ", "Call support if your account is locked. ")
	},
	"JSON in JSON": func(g gen, i int) string {
		return fmt.Sprintf(`{\"id\":%d,\"user\":\"%s\",\"%s\":\"%s\",\"tags\":[\"%s\"]},`, i, g.name(), g.key(), g.setting(), g.word())
	},
	"JSON lines": func(g gen, i int) string {
		return fmt.Sprintf("{\"ts\":\"2026-11-28T06:%02d:%02dZ\",\"level\":\"info\",\"msg\":\"%s %s\",\"user\":\"%s\",\"token_id\":\"%s\",\"ip\":\"%s\",\"took\":%d}\n", g.IntN(60), g.IntN(60), g.word(), g.label(), g.name(), g.uuid(), g.ip(), g.IntN(900))
	},
	"logfmt": func(g gen, i int) string {
		return fmt.Sprintf("ts=2026-11-28T06:%02d:%02dZ level=info msg=\"%s\" key=%s secret=%s token=%s user=%s\n", g.IntN(60), g.IntN(60), g.label(), g.word(), g.word(), g.token(24), g.name())
	},
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func jwtOf(g gen) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256","typ":"JWT","kid":"`+g.token(8)+`"}`)) + "." + enc([]byte(fmt.Sprintf(`{"sub":"%s","iss":"https://%s","exp":%d}`, g.name(), g.host(), 1795845000+g.IntN(1e6)))) + "." + g.token(86)
}

const (
	latin     = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	alnum     = latin + "0123456789"
	hexDigits = "0123456789abcdef"
)

func (g gen) of(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[g.IntN(len(alphabet))]
	}
	return string(b)
}

func (g gen) token(n int) string  { return g.of(alnum, n) }
func (g gen) hex(n int) string    { return g.of(hexDigits, n) }
func (g gen) base64(n int) string { return g.of(alnum+"+/", n) }
func (g gen) uuid() string {
	return g.hex(8) + "-" + g.hex(4) + "-4" + g.hex(3) + "-9" + g.hex(3) + "-" + g.hex(12)
}

func (g gen) ip() string {
	return fmt.Sprintf("%d.%d.%d.%d", 1+g.IntN(223), g.IntN(256), g.IntN(256), 1+g.IntN(254))
}

func (g gen) host() string {
	return g.word() + g.pick("-1", "-2", "") + "." + g.word() + g.pick(".com", ".org", ".svc.cluster.local", ".example.net")
}

func (g gen) name() string {
	return g.pick("ana", "bob", "eve", "jo", "kim", "lena", "mina", "noor", "olaf", "petra", "quinn", "rosa", "sven", "tariq", "uma", "viktor", "wanda", "yusuf", "zoe")
}

func (g gen) word() string {
	return g.pick("billing", "orders", "gateway", "search", "catalog", "frontend", "worker", "cache", "mailer", "reports", "ingest", "scheduler", "profile", "inventory", "shipping",
		"metrics", "audit", "storage", "cluster", "session", "payment", "checkout", "notify", "export", "import", "analytics", "images", "tenant", "broker", "registry")
}

// key is a name as in programs.
func (g gen) key() string {
	return g.pick("password", "passwordConfirm", "apiKey", "api_key", "accessToken", "access_token", "secret", "clientSecret", "client_secret", "userName", "forgotPassword", "authCode", "refresh_token",
		"private_key", "url", "timeout", "enabled", "region", "keyId", "token", "credentials", "passphrase", "signingKey", "email", "phone", "sessionId", "db_password", "cacheKey", "title", "description")
}

// variable is a name as in environments.
func (g gen) variable() string {
	return strings.ToUpper(g.word()) + "_" + g.pick("PASSWORD", "API_KEY", "TOKEN", "SECRET", "SECRET_KEY", "URL", "HOST", "PORT", "USER", "DB_PASSWORD", "TIMEOUT", "LOG_LEVEL", "ACCESS_KEY_ID", "REGION", "CLIENT_SECRET", "DSN", "ENABLED", "PATH")
}

// setting is a value as in environments.
func (g gen) setting() string {
	return g.pick(g.token(8+g.IntN(32)), g.token(16), g.word(), g.host(), "https://"+g.host()+"/"+g.word(), g.fill("%###"), "true", "postgres://"+g.name()+":"+g.token(10)+"@"+g.host()+"/"+g.word(), "/var/lib/"+g.word(), "info", g.uuid(), g.hex(40))
}

func (g gen) label() string {
	return g.pick("Password", "Confirm password", "API key", "Access token", "Secret", "User name", "Forgot your password?", "Two-factor code", "Your session has expired", "Invalid credentials", "Phone number",
		"The password must have at least 8 characters", "Remember me", "Sign in", "Private key", "Security code", "Card number", "Enter the code that we sent to your phone", "Passwords do not match", "Cancel")
}

// BenchmarkOrdinary prints, with -v, what ordinary texts take: the share of the work that is allowed, and CPU time a byte.
func BenchmarkOrdinary(b *testing.B) {
	e := newEngine(b)
	w := newWorker(e)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for b.Loop() {
		table := ""
		for _, kind := range slices.Sorted(maps.Keys(ordinaryKinds)) {
			table += fmt.Sprintf("%-24s", kind)
			for _, size := range ordinarySizes {
				text := ordinaryText(kind, size, 1)
				out, _, _ := e.Text(text, nil)
				best := int64(math.MaxInt64)
				w.work = math.MaxInt / 2
				w.pass(text)
				steps := math.MaxInt/2 - w.work
				for range max(3, 1<<15/size) {
					w.work = math.MaxInt / 2
					start := threadTime(b)
					w.pass(text)
					best = min(best, threadTime(b)-start)
				}
				mark := " "
				if out == markLimit {
					mark = "!"
				}
				table += fmt.Sprintf("  %5.2f%s %5.1f %4.1f", float64(steps)/float64(prefilter.WorkFor(len(text))), mark, float64(best)/float64(size), float64(steps)/float64(size))
			}
			table += "\n"
		}
		b.Log("\n" + table)
	}
}

var ordinarySizes = []int{1 << 10, 1 << 12, 1 << 14, 1 << 16, 1 << 18}
