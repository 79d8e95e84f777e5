// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"strings"

	"github.com/logseal/logseal/pkg/redact/internal/ascii"
)

// client is how programs are given a password on their command line. Options that start with a slash are known in either case.
type client struct {
	names string // of the programs
	// joined are options with the password right behind (-pX), next those with the password in the next word or behind = or a
	// colon, both those that allow either. That of maybe is the next word only if it looks like a password.
	joined, next, both, maybe string
	// account are options with user and password, separated by sep.
	account string
	sep     byte
	// bundled are letters of options without a value, which may stand before another in one word.
	bundled string
	// cookies are options with cookies, name=value; name=value, or the name of a file.
	cookies string
	// operand reports whether a word that is no option is the password.
	operand func(o *operands, word string) bool
	// once says that what follows the password is another command.
	once bool
	// pair is an option that two passwords follow.
	pair string
	// assigns says that operands are NAME=value, and the value a secret, once a word within has been.
	assigns bool
	// within are words of which one must have been an operand for the options to count. cue, which must stand anywhere behind the client's
	// name, is that of next.
	within, cue string
}

// operands are the words of a command so far that are no options.
type operands struct {
	n                   int
	first, before, prev string // the first one, and the last two
	flags               string // the last word of letters behind a dash
	seen                bool   // one of those within
	passwords           int    // found among them
}

var clients = []client{
	{names: "mysqladmin mariadb-admin", joined: "-p", maybe: "-p", operand: func(o *operands, w string) bool { return o.prev == "password" }},
	{names: "mysql mysqldump mysqlimport mysqlcheck mysqlshow mysqlpump mysqlsh mysqlslap mysqlbinlog mysql_upgrade mariadb mariadb-dump " +
		"mariadb-import mariadb-check mariadb-backup mydumper myloader xtrabackup mycli", joined: "-p", maybe: "-p"},
	{names: "curl wget2", account: "-u --user -U --proxy-user", sep: ':', bundled: "sSkLfvigGjNORJaqnZl0123461#I", next: "--pass --proxy-pass --tlspassword", cookies: "-b --cookie"},
	{names: "http https xh", account: "-a --auth", sep: ':', bundled: "vhbjf"},
	{names: "etcdctl", account: "--user", sep: ':', operand: func(o *operands, w string) bool {
		return o.first == "user" && o.prev == "add" && strings.IndexByte(w, ':') > 0
	}},
	{names: "bundle bundler", sep: ':', operand: func(o *operands, w string) bool {
		return o.first == "config" && o.n > 1 && strings.IndexByte(o.prev, '.') > 0 && strings.IndexByte(w, ':') > 0
	}},
	{names: "ctr crictl", account: "--user -u", sep: ':'},
	{names: "composer poetry", operand: func(o *operands, w string) bool {
		store, _, _ := strings.Cut(o.prev, ".")
		return strings.HasPrefix(o.before, "http-basic.") || tokenStores[store] || store == "http-basic" && tokenLike(w, minCredentials)
	}},
	{names: "ncat", account: "--proxy-auth", sep: ':'},
	{names: "ab", account: "-A -P", sep: ':'},
	{names: "wget", next: "--password --http-password --ftp-password --proxy-password"},
	{
		names: "ldapsearch ldapadd ldapmodify ldapdelete ldapwhoami ldapcompare ldapmodrdn ldapexop ldapvc",
		both:  "-w", next: "--bindpassword", bundled: "xZvncLMPWQ",
	},
	{names: "ldappasswd", both: "-w", next: "-s -a", bundled: "xZvncLMPWQ"},
	{names: "sqlcmd osql bcp tsql", both: "-P"},
	{names: "isql iusql", both: "-P", operand: func(o *operands, w string) bool { return o.n == 2 && strings.IndexByte(o.flags, 'U') < 0 && Mixed(w) }},
	{names: "vsql dsconf dsctl dsidm", next: "-w"},
	{names: "qpdf", next: "--user-password --owner-password", pair: "--encrypt"},
	{names: "pdftk", operand: func(o *operands, _ string) bool { return strings.HasSuffix(o.prev, "_pw") }},
	{names: "db2", operand: func(o *operands, _ string) bool {
		return ascii.EqualFold(o.prev, "using") || o.passwords > 0 && (ascii.EqualFold(o.prev, "new") || ascii.EqualFold(o.prev, "confirm"))
	}},
	{names: "gbak gfix gsec nbackup isql-fb fbsvcmgr", next: "-pas -pass -password -pw"},
	{names: "hdbsql pcs rabbitmqadmin twine add-user oras couchbase-cli cbq cbbackupmgr ilorest", both: "-p --password"},
	{names: "neo4j-admin", operand: func(o *operands, _ string) bool { return o.prev == "set-initial-password" }},
	{names: "mc", operand: func(o *operands, _ string) bool {
		return o.first == "alias" && o.n == 5 || o.first == "config" && o.n == 6 || o.first == "admin" && o.n == 5 && o.before != "info"
	}},
	{names: "kadmin kadmin.local", next: "-pw -w"},
	{names: "p4 knife", both: "-P", next: "--ssh-password --connection-password"},
	{names: "esxcli", both: "-p", within: "account"},
	{names: "swaks", next: "-ap --auth-password"},
	{names: "sendemail", next: "-xp"},
	{names: "mclient", both: "-P"},
	{names: "swift", next: "-K"},
	{names: "check_nt", both: "-s"},
	{names: "mkpasswd", operand: func(o *operands, _ string) bool {
		return o.n == 0 && !strings.HasSuffix(o.flags, "m") || o.n == 1 && strings.HasSuffix(o.flags, "m")
	}},
	{names: "dig nsupdate delv kdig", next: "-y"},
	{names: "vboxmanage", operand: func(o *operands, _ string) bool { return o.before == "setcredentials" }},
	{names: "ansible-vault", operand: func(o *operands, _ string) bool { return o.prev == "encrypt_string" }},
	{names: "rasdial", operand: func(o *operands, w string) bool { return o.n == 2 && w != "*" }},
	{names: "cargo", operand: func(o *operands, w string) bool {
		return o.first == "login" && o.n == 1 && tokenLike(w, minCredentials)
	}},
	{names: "conan", both: "-p", within: "login user"},
	{names: "radtest", operand: func(o *operands, _ string) bool { return o.n == 1 || o.n == 4 }},
	{names: "radclient", operand: func(o *operands, _ string) bool { return o.n == 2 }},
	{names: "kubectl", account: "--from-literal", sep: '=', within: "secret"},
	{
		names: "check_mysql check_mysql_health check_mysql_query check_pgsql check_postgres check_radius check_mssql_health check_oracle_health " +
			"check_disk_smb check_wmi_plus check_mongodb check_mongodb_health check_vmware_esx check_vmware_api check_esxi_hardware check_db2_health check_dbi",
		both: "-p --password --pass",
	},
	{names: "check_mssql check_ldap check_ldaps check_smtp check_ipmi_sensor check_jmx", both: "-P", next: "-password --pass"},
	{names: "check_http check_curl", account: "-a --authorization", sep: ':'},
	{names: "smbclient rpcclient smbget smbcacls smbtree nmblookup winexe smbpasswd", account: "-U --user", sep: '%', bundled: "LNg"},
	{names: "wmic", account: "-U --user", sep: '%', joined: "/password:"},
	{names: "wbinfo", account: "-a --authenticate", sep: '%'},
	{names: "winrs winrm", joined: "-p: -password: /password:"},
	{names: "netdom", joined: "/passwordd: /passwordo: /passwordm: /passwordt:"},
	{names: "net", account: "-U", sep: '%', operand: netPassword},
	{names: "keytool jarsigner", next: "-storepass -keypass -srcstorepass -deststorepass -srckeypass -destkeypass -new"},
	{names: "apksigner", next: "--ks-pass --key-pass"},
	{
		names: "snmpwalk snmpget snmpset snmpbulkwalk snmpbulkget snmpgetnext snmptable snmptrap snmpinform snmpdf snmpstatus snmptranslate snmpcheck snmp-check trapsess net-snmp-create-v3-user",
		both:  "-c -A -X", next: "--community --authpasswd --privpasswd",
	},
	{names: "check_snmp check_snmp_int check_snmp_load check_snmp_storage check_snmp_mem", both: "-C -A -X -U", next: "--community --authpasswd --privpasswd"},
	{names: "xfreerdp wfreerdp sdl-freerdp xfreerdp3 cmdkey", joined: "/p: /pass: /password:", both: "-p"},
	{names: "rdesktop", both: "-p"},
	{names: "7z 7za 7zr 7zz", joined: "-p"},
	{names: "rar unrar winrar", joined: "-hp -p"},
	{names: "unzip zip funzip zipcloak", both: "-P", bundled: "ojnqxruyemDTvlkXFA0123456789"},
	{names: "schtasks", next: "/rp /p"},
	{names: "openssl", next: "-k -K", joined: "pass:", operand: func(o *operands, _ string) bool {
		n := 1
		if strings.Contains(o.flags, "salt") {
			n = 2 // passwd -1 -salt SALT X
		}
		return o.first == "passwd" && o.n == n && !strings.Contains(o.flags, "stdin")
	}},
	{names: "htpasswd htdigest mosquitto_passwd", operand: func(o *operands, _ string) bool {
		n := 2
		if strings.IndexByte(o.flags, 'n') >= 0 {
			n = 1
		}
		return strings.IndexByte(o.flags, 'b') >= 0 && o.n == n
	}},
	{names: "redis-cli valkey-cli keydb-cli redis-benchmark", both: "-a --pass", operand: keyedOperand},
	{names: "docker podman buildah nerdctl crane", both: "-p --password", within: "login"},
	{names: "helm registry oc argocd heroku cf", both: "-p --password", within: "login", operand: keyedOperand},
	{names: "fly flyctl doppler", assigns: true, within: "secrets"},
	{names: "skopeo", account: "--creds --src-creds --dest-creds", sep: ':'},
	{names: "aws", next: "--value", cue: "securestring", operand: keyedOperand},
	{names: "az", next: "--value", cue: "keyvault", both: "-p --password", within: "login"},
	{names: "gcloud nmcli consul snap uci iscsiadm", operand: keyedOperand},
	{names: "sshpass", both: "-p", once: true},
	{names: "mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop", both: "-p"},
	{names: "cqlsh clickhouse cypher-shell ncftpput ncftpget ncftpls hydra medusa ncrack crackmapexec nxc netexec evil-winrm smbmap psexec psexec64 certutil ctl", both: "-p --password"},
	{names: "influx", both: "-p --password", next: "-password"},
	{names: "nodetool", next: "-pw --password"},
	{names: "mosquitto_pub mosquitto_sub mosquitto_rr ipmitool ipmipower ipmi-chassis", both: "-P", next: "--pw"},
	{names: "plink pscp psftp putty kitty winscp", next: "-pw"},
	{names: "lftp", account: "-u --user", sep: ','},
	{names: "sqlplus impdp expdp imp exp sqlldr rman sqlcl dgmgrl tkprof adrci"},
	{names: "rabbitmqctl", operand: func(o *operands, _ string) bool {
		return o.n == 2 && (o.first == "add_user" || o.first == "change_password" || o.first == "authenticate_user")
	}},
	{names: "ssh-keygen", both: "-N -P"},
	{names: "wpa_passphrase", operand: func(o *operands, _ string) bool { return o.n == 1 }},
	{names: "slappasswd", both: "-s"},
	{names: "security", both: "-p -P", next: "-w -k", within: "unlock-keychain create-keychain import add-generic-password add-internet-password set-key-partition-list set-keychain-password"},
	{names: "kdb5_util", both: "-P"},
	{names: "dscl", operand: func(o *operands, w string) bool {
		return keyedOperand(o, w) || o.flags == "" && o.n > 0 && o.n < 3 && strings.IndexByte(w, '/') < 0 // -passwd /Users/bob OLD NEW
	}},
	{names: "truecrypt veracrypt", next: "-p"},
	{names: "racadm beeline ipa-server-install ipa-client-install ipa-replica-install", both: "-p --password", next: "-a --admin-password", operand: keyedOperand},
	{names: "userconfig adduser asadm asinfo", both: "-p -P --password"},
	{names: "jenkins-cli.jar jenkins-cli", account: "-auth", sep: ':'},
	{names: "vmrun", next: "-gp"},
	{names: "dotnet nuget", both: "-p --password", next: "-k", within: "source sources dev-certs push"},
	{names: "doctl", next: "-t --access-token"},
	{names: "bw", operand: func(o *operands, _ string) bool {
		return o.n == 2 && o.first == "login" || o.n == 1 && o.first == "unlock"
	}},
	{names: "samba-tool", next: "--newpassword --adminpass", operand: func(o *operands, _ string) bool {
		return o.n == 3 && o.first == "user" && (o.before == "create" || o.before == "add" || o.before == "setpassword") && (o.flags == "" || o.flags[0] != 'H')
	}},
	{names: "rclone", next: "--password --pass", operand: func(o *operands, w string) bool {
		return o.n == 1 && o.first == "obscure" || o.first == "config" && keyedOperand(o, w)
	}},
	{names: "signtool", next: "/p"},
	{names: "vault bao", assigns: true, within: "kv write", operand: func(o *operands, w string) bool {
		return (o.first == "login" && o.n == 1 || o.prev == "unseal") && strings.IndexByte(w, '=') < 0 && tokenLike(w, 8)
	}},
	{names: "useradd usermod", next: "-p --password"},
}

// tokenStores are the settings of composer and poetry whose names go on with a host or a repository, and whose value is a token.
var tokenStores = set("github-oauth gitlab-oauth gitlab-token bearer pypi-token forgejo-token")

// netPassword is the operand of: net user NAME PASSWORD, net use [DRIVE] \\SERVER\SHARE PASSWORD.
func netPassword(o *operands, w string) bool {
	switch ascii.LowerString(o.first) {
	case "user":
		return o.n == 2 && w != "*"
	case "use":
		return o.n > 1 && (strings.HasPrefix(o.prev, `\\`) || strings.Contains(o.prev, "://")) && w != "*"
	}
	return false
}

// keyedOperand is an operand behind one that names a secret: nmcli … password X, aws configure set aws_secret_access_key X. Behind name=value
// and behind a marker of ours, which holds the name of a rule, the secret is that; set-password is followed by a user.
func keyedOperand(o *operands, w string) bool {
	name := o.prev
	if own, _, ok := strings.Cut(w, "="); ok && judge(own).Strength >= Medium {
		return false // vpn.secrets password=X: the name in front of the value leads to it
	}
	if o.n == 0 || strings.IndexByte(name, '=') >= 0 || MarkerLen(name, 0) > 0 {
		return false
	}
	if ascii.EqualFold(name, "set-password") {
		return false
	}
	return judge(name).Strength >= Medium || ascii.EqualFold(name, "requirepass") || ascii.EqualFold(name, "auth") || ascii.HasSuffixFold(name, len(name), "psk")
}

var clientByName = func() map[string]*client {
	m := map[string]*client{}
	for i := range clients {
		for n := range strings.FieldsSeq(clients[i].names) {
			m[n] = &clients[i]
		}
	}
	return m
}()

// clientStarts are the first two bytes of those names, in the five bits that tell letters apart: most words are no client's name.
var clientStarts = func() (t [32][32]bool) {
	for name := range clientByName {
		t[name[0]&31][ascii.At(name, 1)&31] = true
	}
	return t
}()
