// SPDX-License-Identifier: Apache-2.0

package rules

// Credentials that are told by the name that they are given to: passwords, secrets, tokens, keys.

var (
	rulePassword = newID("password")
	ruleSecret   = newID("secret")
	ruleToken    = newID("token")
	ruleAPIKey   = newID("api_key")
	SensitiveKey = newID("sensitive_key")
)

const (
	passwordWords = "password passwords passwd passphrase passcode pwd pswd passwort kennwort senha contrasena contraseña " +
		"motdepasse mdp passwrd pasword wachtwoord haslo lozinka parola"
	// morePasswordWords are those of other languages, and of one kind of password.
	morePasswordWords = "hasło heslo passord salasana adgangskode kodeord geslo parool losenord lösenord " +
		"jelszo jelszó sifre şifre slaptazodis slaptažodis matkhau khẩu пароль парола κωδικός κωδικόσ 密码 密碼 口令 パスワード 비밀번호 " +
		"psk authtok bindpw rootpw masterauth primaryauth rocommunity rwcommunity trapcommunity"
	// programs are names of programs that end in such a word.
	programs        = "chpasswd gpasswd htpasswd kpasswd ldappasswd lppasswd slappasswd smbpasswd yppasswd"
	secretWords     = "secret secrets geheimnis"
	credentialWords = "credential credentials creds cred"
	// keyQualifiers are what stands before "key" in the name of a secret one, notSecretKeys what stands there in that of another.
	keyQualifiers = "api access secret private encryption encrypt encrypting decryption signing sign signature account master auth " +
		"authentication authorization shared ssh client service storage subscription license app application admin deploy " +
		"security crypto aes hmac rsa webhook consumer write bot integration symmetric provisioning insert origin ca " +
		"rest user root server project global team developer merchant ingest instrumentation x anon role functions host sas unseal recovery licence wep rad radius tacacs network"
	notSecretKeys = "public primary foreign partition cache sort routing index idempotency object map row registry hot short group " +
		"dedup unique composite natural surrogate sequence schema lookup hash range context translation i18n bucket pub event " +
		"partitioning ordering join aggregation message pressed down up issuer arrow enter escape function shift " +
		"flood" // logseal.flood.key, the source that a report of flood_guard is about
	notKeys = "monkey donkey turkey hotkey hockey jockey whiskey keykey honkey mickey"
	// notSecretTokens are what stands before "token" in the name of a harmless one.
	notSecretTokens = "next page continuation cancellation cancel sync delimiter start end special bos eos pad unexpected invalid " +
		"expected max min input output total prompt completion cached reasoning num public stop syntax last first current"
	// pinOwners are what a PIN opens, or whose it is.
	pinOwners = "door unlock lock gate safe alarm sim security access login device parental phone mobile wallet bank account customer " +
		"debit credit payment voicemail bluetooth pairing setup admin master secret old new current confirm entry garage vault"
	passwordOwners = "db user my root admin smtp ftp mail ldap sql pg redis mongo rabbitmq mysql ssh imap app http proxy login sudo ora " +
		"vpn wifi wlan bind store key trust keystore truststore ssl require master auth become su rcon svn nexus jdbc p12 pfx wallet enable snmp " +
		"smb crypt old new remote local"
)

var (
	keyQualifierSet = set(keyQualifiers)
	notSecretKeySet = set(notSecretKeys)
)

var _ = register(rulePassword, Rule{
	Pack: Secrets,
	Names: []Names{
		{Words: passwordWords + " " + morePasswordWords, Strength: Hard},
		{Words: "pass pw psw", Qualified: true, Strength: Hard},
		{Words: "pass pw psw", Alone: true, Strength: Medium}, // also how tests are counted: pass=12
		{Endings: "password passwd pwd passphrase passwort kennwort wachtwoord passord salasana heslo haslo losenord lösenord senha contrasena contraseña " +
			"adgangskode motdepasse passcode пароль 密码 密碼 口令 パスワード", Except: programs, Strength: Hard},
		{Endings: "pass pw", Behind: passwordOwners, Strength: Hard},
		{Endings: "psk", Strength: Hard},
		{Words: "psksecret", Strength: Hard},
		{Words: "pskvalue passhash", Strength: Hard},
		{Words: "auth", Behind: "redis rediscli sst", Strength: Hard},
		{Words: "passe", Behind: "de palavra", Strength: Hard},
		{Words: "sandi", Behind: "kata", Strength: Hard},
		{Words: "community", Behind: "snmp ro rw read write trap", Strength: Hard},
		{Words: "community", Strength: Likely},
		{Words: "answer", Behind: "security secret", Strength: Hard},
		{Words: "clave", Strength: Likely},
		{Words: "phrase word", Behind: "pass", Strength: Hard},
		{Words: "phrase", Behind: "seed recovery mnemonic backup wallet secret", Strength: Hard},
		{Words: "mnemonic", Strength: Weak},
		{Words: "content", Behind: "key", Strength: Likely}, // netsh wlan show profile key=clear
		{Words: "hash", Behind: passwordWords + " pass pw psw " + secretWords, Strength: Hard},
		{Words: "pin", Behind: "card user atm code " + pinOwners, Strength: Weak},
		{Words: "pin", Alone: true, Strength: Weak},
	},
	Detectors: []*Detector{
		identified, inserts, procedures, calls, crypt, commandLines, piped, audited, authCommands, passCommands, imapLogins, prompted, aclUsers, nickserv, operators, randomPasswords, attempted, snmpLines, ipsecSecrets, secureStrings, deviceLines, pgpassLines,
		snmpdLines, ntpKeys, pppSecrets, relayLogin, passwdLine, ntHashes, cleartext, statementParameters, newValues, hexdumps, logins, printedPairs, echoed, databaseLogins, queryPasswords, expected, saslPlain, simpleBinds, consoles, dialScripts, schemed, ntlmHashes, proxyLogins, boundValues, authCalls, databaseKeys,
	},
	Gone: []Example{
		{"login password=Tr0ub4dor&3 ok", "Tr0ub4dor&3"},
		{`{"userPassword": "hunter2x"}`, "hunter2x"},
		{"run --password hunter2x --host h", "hunter2x"},
		{"<password>hunter2x</password>", "hunter2x"},
		{"'password' => 'hunter2x'", "hunter2x"},
		{"mysql -u root -phunter2x db", "hunter2x"},
		{"curl -u bob:hunter2x https://h/", "hunter2x"},
		{"CREATE USER bob IDENTIFIED BY 'hunter2x' REQUIRE SSL", "hunter2x"},
		{"hash $2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW ok", "R9h/cIPz0gi.URNNX3kh2O"},
		{"kennwort=hunter2x", "hunter2x"},
		{"DB_PW=hunter2x", "hunter2x"},
		{"DB_PASSWORD=${DB_PASSWORD:-hunter2x}", "hunter2x"},
		{".pgpass: db1:5432:*:bob:hunter2x", "hunter2x"},
		{`["zip","-P","hunter2x","f"]`, "hunter2x"},
		{"POSTGRES_PASSWORD_RO=hunter2x", "hunter2x"},
		{"пароль=hunter2x", "hunter2x"},
		{"username bob password 7 0822455D0A16", "0822455D0A16"},
		{"root password is generated for root@localhost: hun,ter2x", "hun,ter2x"},
	},
	Stay: []string{
		"Password: incorrect", "password changed for user bob", "${DB_PASSWORD:?DB_PASSWORD must be set}", "password=${DB_PASSWORD} token=$TOKEN", "author=james pass=0/10 compass=north bypass=true",
		"PWD=/home/deploy ; USER=root", "password_policy=strong", "pin=2048 password_changed_at=2026-11-28T09:00:00Z",
		"username bob privilege 15 secret *", "crypto key generate rsa modulus 2048", "ConvertTo-SecureString $env:PW -AsPlainText -Force",
		"250-AUTH PLAIN LOGIN CRAM-MD5", "PASS src/App.test.js", "lost connection after AUTH from unknown[10.0.0.1]",
	},
	Takes: "the value of a password-like name: `name=value`, JSON, YAML, XML, `=>`, `--name value`, `name is value`, `\"value\": …, \"key\": name`; " +
		"passwords in the options and operands of some hundred clients (`mysql -p`, `curl -u`, `ldapadd -w`, `net user`), and of any program that is given a user, too (`-u bob -p x`), also in lists of words and the fields of auditd; what `secret set` and the like give, and what `echo` pipes into a program that reads a password; the default in `${NAME:-default}`; lines of `.pgpass`; AUTH, LOGIN, PASS and the like in dialogues of SMTP, IMAP, POP3, FTP, Redis, IRC; what servers print at their first start; columns of CSV and tables below the name, and cells of HTML behind it; arguments of calls whose name says that they log in or take a password (`login('bob', 'x')`, `new UsernamePasswordCredentials(\"bob\", \"x\")`), in stack traces and in SQL; messages of SASL PLAIN; rows of an `INSERT` into a table of users; parameters that PostgreSQL, MyBatis, Hibernate, SQLAlchemy, Entity Framework and others log apart from the statement; lines of snmpd.conf, chap-secrets, NTP's keys, sasl_passwd, passwd; NT hashes as pwdump prints them; pass phrases of four words and more; secrets, keys and communities in the commands of network devices, also as their logs and prompts show them, ipsec.secrets, `ConvertTo-SecureString`; `IDENTIFIED BY` in SQL; block scalars of YAML; password hashes in the form of crypt(5); quotes respected, and brackets, quotes and marks in a value without quotes, which ends at a blank, at what closes something that was opened before it, or before the next pair",
	Placed:      "its place: an option or operand of a command, an argument, a statement's value, an answer in a dialogue, a field of a file or a form of hashes",
	ValidatedBy: "the name (split at case and punctuation; `PASSWORD_ADMIN` and `password2` are passwords, `password_policy` is none); a value that equals its name (`password=password`) is one, as such passwords are in use; behind a word that is not known letters and digits; not a variable, a mask, a working directory (`PWD=/…`), or a word such as `incorrect` after a colon",
	Misses:      "passwords in free prose; a value with spaces and no quotes loses its first word only, unless all of it is words that no sentence about passwords has; of one without quotes what stands behind the look of a next pair (`x;host=y`)",
	OverMatches: "words after `password:` in prose that are not in the list",
	Source:      "names in the field's software; crypt(5)",
})

var _ = register(ruleSecret, Rule{
	Pack: Secrets,
	Names: []Names{
		{Words: secretWords, Strength: Hard},
		{Words: "secret secrets", Behind: "jwt session cookie nextauth client shared signing hmac oauth consumer refresh encryption app", Strength: Certain},
		{Endings: "secret", Strength: Hard},
		{Words: "cookie", Behind: "erlang", Strength: Hard},
		{Words: "id", Behind: "secret", Strength: Weak},
		{Words: "secretid", Strength: Weak},
		{Words: credentialWords, Strength: Medium},
		{Words: "auth oauth srt contribsys", Strength: Weak},
		{Words: "com", Behind: "contribsys", Strength: Weak},
		{Inside: secretWords + " " + passwordWords + " apikey", Strength: Weak},
	},
	Gone: []Example{
		{`client_secret: "bP88Qrc8BcYjzzOhg1Hnn76"`, "bP88Qrc8BcYjzzOhg1Hnn76"},
		{"secret_do_not_commit=q7Zp2mW9xT4vK8sB1nD6", "q7Zp2mW9xT4vK8sB1nD6"},
		{"AWS_CREDENTIALS=q7Zp2mW9xT4vK8sB", "q7Zp2mW9xT4vK8sB"},
	},
	Stay:        []string{"failed to list *v1.Secret: secrets is forbidden", "secretName: db", "Secret: not found"},
	Takes:       "the same for secrets, credentials",
	ValidatedBy: "the name; medium names need a token-like value",
	Misses:      "short dictionary words",
	OverMatches: "names of Kubernetes secrets that look like tokens",
	Source:      "names in the field's software",
})

var _ = register(ruleToken, Rule{
	Pack: Secrets,
	Runs: true,
	Names: []Names{
		{Words: "token jwt sessid phpsessid jsessionid sessionid", NotBehind: notSecretTokens, Strength: Medium},
		{Words: "ticket samlresponse", Strength: Weak},
		{Words: "response", Behind: "saml", Strength: Weak},
		{Endings: "token jwt", NotBehind: notSecretTokens, Strength: Medium},
		{Words: "sid", Behind: "connect session cookie", Strength: Medium},
		{Words: "session", Behind: "gitlab", Strength: Medium},
		{Words: "login", Behind: "sonar dsonar", Strength: Likely},
	},
	Gone: []Example{
		{"access_token=2YotnFZFEjr1zCsicMWpAA", "2YotnFZFEjr1zCsicMWpAA"},
		{"acme SECRET 7c4a8d09ca3762af61e59520943dc264", "7c4a8d09ca3762af61e59520943dc264"},
		{"acme_live_q7Zp2mW9xT4vK8sB1nD6fJ", "q7Zp2mW9xT4vK8sB1nD6fJ"},
	},
	Stay:  []string{"max_tokens=4096 input_tokens: 1234567", "token_type=bearer expires_in=3600", "token=Token{kind=a, id=7}", "commit 9fceb02d0ae598e95dc970b74767f19372d61af8"},
	Takes: "the same for tokens; random values right after a word such as TOKEN, SECRET KEY, or near one of 840 vendors' names; given to a name that says nothing; joined to the word (`acme-secret-1a2b…`); with a short prefix of words that is no known kind of identifier (`acme_live_…`)",

	Placed:      "it looks random, and stands near a word for credentials or a vendor's name, has a prefix like those of tokens, or is given to a name that says nothing",
	ValidatedBy: "shape: length, letters and digits, entropy; not a hash, version, path, identifier (`cus_…`, ULID); a UUID only right after the word",
	Misses:      "hexadecimal values of unknown names (they look like hashes and trace ids); tokens under 20 characters without a telling name",
	OverMatches: "random ids given to unknown names (not in the parameters of URLs)",
	Source:      "names in the field's software",
})

var _ = register(ruleAPIKey, Rule{
	Pack: Secrets,
	Names: []Names{
		{Words: "key keys", Behind: keyQualifiers, Strength: Medium},
		{Words: "key keys", NotBehind: notSecretKeys, Strength: Weak},
		{Endings: "apikey secretkey accesskey privatekey accountkey encryptionkey authkey signingkey masterkey", Strength: Medium},
		{Endings: "key", Behind: keyQualifiers, Except: notKeys, Strength: Medium},
		{Words: "apikey", Strength: Medium},
		{Endings: "key", NotBehind: notSecretKeys, Except: notKeys, Strength: Weak},
	},
	Gone: []Example{
		{"x-api-key: 8f14e45fceea167a5a36dedd", "8f14e45fceea167a5a36dedd"},
		{"besttime_samplekey = abc1defg2hijk3lmno4pqrs5tu", "abc1defg2hijk3lmno4pqrs5tu"},
	},
	Stay:        []string{"public_key=9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC", "cache key=user:1234:profile hit", "monkey=george"},
	Takes:       "API, access, signing, encryption keys given to a name",
	ValidatedBy: "as above; `primary_key`, `public_key`, `cache_key` are not",
	Misses:      "`key=` with a short value",
	OverMatches: "cache keys that look random",
	Source:      "names in the field's software",
})

// The names of this rule are those in the configuration; see Namer.
var _ = register(SensitiveKey, Rule{
	Pack:   Secrets,
	Takes:  "values of `keys.sensitive`, in text as in keys",
	Source: "the configuration",
})
