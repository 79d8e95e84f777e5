// SPDX-License-Identifier: Apache-2.0

package prefilter

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// The prefilter is tuned to let ordinary lines pass without a look: those of access logs, which are most of what is logged, and those
// of other programs. What passes of the former costs so much more that a grouping which lets one of their time zones pass is none.
const accessWeight = 20

const accessCopies = 8

// accessText has ~ in the place of a time.
const accessText = `10.42.7.31 - user3105 [23/Nov/2026:~ +0000] "GET /api/v1/orders/482911?page=2 HTTP/1.1" 200 5316 "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36" rt=0.043
172.16.9.200 - - [23/Nov/2026:~ +0000] "GET /static/css/site.8be21f.css HTTP/1.1" 304 0 "-" "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36" rt=0.002
10.3.1.18 - user88 [23/Nov/2026:~ +0000] "POST /api/v1/login HTTP/1.1" 200 812 "-" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15" rt=0.118
198.51.100.4 - user71 [23/Nov/2026:~ +0000] "GET /api/v2/users/88123/profile HTTP/1.1" 200 1722 "-" "curl/8.5.0" rt=0.031
203.0.113.90 - - [23/Nov/2026:~ +0000] "GET /search?q=term1822 HTTP/1.1" 500 4410 "-" "curl/7.88.1" rt=0.870
10.20.0.3 - - [23/Nov/2026:~ +0000] "GET /healthz HTTP/1.1" 200 2 "-" "kube-probe/1.29" rt=0.000
192.0.2.77 - - [23/Nov/2026:~ +0100] "POST /static/js/app.3f9c1e.js HTTP/2.0" 404 153 "https://shop.example.com/cart" "kube-probe/1.28" 0.001 upstream=127.0.0.1:8080
`

const otherText = `Nov 23 04:17:02 web-7 sshd[24576]: pam_unix(sshd:session): session opened for user deploy(uid=1001) by (uid=0)
Nov  3 19:52:31 db2 kernel: [  742.103311] usb 1-1.2: new high-speed USB device number 5 using xhci_hcd
Nov 23 11:00:01 combo CRON[8112]: (root) CMD (run-parts /etc/cron.hourly)
Nov 23 11:00:04 combo systemd[1]: Started Daily apt download activities; main process exited, code=exited, status=0/SUCCESS
Nov 23 02:15:40 combo ftpd[30278]: connection from 198.51.100.9 (host-9.example.net) at Mon Nov 23 02:15:40 2026
2026-11-23T04:10:55.123456Z INFO request completed method=GET path=/healthz status=200 duration=1.234ms bytes=512 remote=10.0.3.4:51234 trace_id=4bf92f3577b34da6a3ce929d0e0e4736
2026-11-23 04:10:55,753 INFO [IPC Server handler 12 on 41270] org.apache.hadoop.ipc.Server: Progress of attempt attempt_1795144423722_0021_m_000004_0 is : 0.713
2026-11-23 04:11:42,982 - WARN  [QuorumPeer[myid=2]/0:0:0:0:0:0:0:0:2181:FastLeaderElection@774] - Notification time out: 6400
2026-11-23 04:11:42.130 WARN 7 --- [nio-8080-exec-3] c.e.shop.payment.PaymentController : Retrying call to inventory in 250 ms (attempt 2 of 5)
java.lang.IllegalStateException: Connection pool shut down
	at org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:897) ~[spring-web-5.3.20.jar:5.3.20]
	at java.base/java.util.concurrent.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:635)
Caused by: java.net.SocketTimeoutException: Read timed out
261123 041055 143 INFO dfs.DataNode$PacketResponder: Received block blk_-2417760581390274413 of size 67108864 from /10.8.14.24
261123 041103 29 INFO dfs.FSNamesystem: BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.8.73.20:50010 is added to blk_5530194482716639027
26/11/23 20:10:46 INFO executor.Executor: Finished task 3.0 in stage 12.0 (TID 492). 2087 bytes result sent to driver
26/11/23 20:10:47 INFO storage.BlockManager: Found block rdd_42_4 locally
nova-compute.log 2026-11-23 00:04:12.170 2931 INFO nova.compute.manager [req-3e2ad4a5-0b0c-4d3f-8a55-6a1c4b7f2d10 7c1be03a55f24e0b9d7a1f6620cc83e4 e09f2b7714a84d63b1c58d02f7aa6c91 - - -] [instance: 4f6d01a2-93be-4c7f-8a15-d20b7e64c9f3] VM Started (Lifecycle Event)
10.11.10.1 "GET /v2/e09f2b7714a84d63b1c58d02f7aa6c91/servers/detail HTTP/1.1" status: 200 len: 1893 time: 0.2477829
I1123 04:10:55.918211       1 controller.go:114] "Reconciling" controller="deployment" namespace="kube-system" name="coredns-5d78c9869d-x2k4p" reconcileID="7c6b5a1e-2f0d-4c58-9a37-0d6f6be31c11"
E1123 04:10:56.002731    2211 pod_workers.go:1294] "Error syncing pod, skipping" err="failed to \"StartContainer\" for \"app\" with CrashLoopBackOff: back-off 5m0s restarting failed container"
time="2026-11-23T04:10:57Z" level=error msg="Handler for GET /v1.43/containers/json returned error: context canceled" image="registry.example.com/shop/web:1.18.2"
{"level":"info","ts":1763871055.1234,"caller":"server/http.go:211","msg":"handled request","method":"PUT","uri":"/v1/items/91","status":204,"latency_ms":12,"user_agent":"Go-http-client/2.0"}
{"timestamp":"2026-11-23T04:10:58.311Z","severity":"WARNING","message":"Slow query","logger":"app.db","context":{"rows":1200,"took":1843,"query":"SELECT id, name FROM customers WHERE region = $1 ORDER BY created_at DESC"}}
2026-11-23 04:10:59.102 UTC [3121] LOG:  checkpoint complete: wrote 4213 buffers (25.7%); 0 WAL file(s) added, 0 removed, 1 recycled; write=26.931 s, sync=0.011 s
2026-11-23 04:11:00.004 UTC [3177] shop@orders ERROR:  duplicate key value violates unique constraint "orders_number_idx"
[23-Nov-2026 04:11:01] NOTICE: fpm is running, pid 17; ready to handle connections
[Mon Nov 23 04:11:02.871532 2026] [core:error] [pid 5517:tid 139931] [client 203.0.113.20:40112] AH00124: File does not exist: /var/www/html/favicon.ico
[11.23 20:45:21] chrome.exe - proxy.example.edu:5070 close, 1190 bytes (1.16 KB) sent, 1671 bytes (1.63 KB) received, lifetime 00:02
2026-11-23 04:30:45, Info                  CBS    Loaded Servicing Stack v10.0.26100.1150 with Core: C:\Windows\winsxs\amd64_microsoft-windows-servicingstack_31bf3856ad364e35_10.0.26100.1150_none_5c2e9d70b1f4a836\cbscore.dll
Linkerror event interval expired node-31 status 1795942280 1 inconsistent nodesets 0x1fffffffe <ok>
198.51.100.23 - - [23/Nov/2026:05:31:20 -0500] "GET /search?q=caf%C3%A9%20au%20lait&sort=price%2Casc&next=https%3A%2F%2Fshop.example.com%2Fcart%3Fid%3D77&back=%252Fhome%253Ftab%253D1 HTTP/1.1" 302 0
{"log":"{\"level\":\"debug\",\"component\":\"scheduler\",\"jobs\":[{\"name\":\"report\",\"state\":\"done\",\"rows\":120}]}\n","stream":"stdout"}
DEBUG:urllib3.connectionpool:https://api.example.com:443 "GET /v2/status?since=1763871055&limit=100 HTTP/1.1" 304 0
Traceback (most recent call last):
  File "/usr/lib/python3.12/site-packages/flask/app.py", line 1473, in wsgi_app
ValueError: invalid literal for int() with base 10: 'n/a'
audit: type=1400 audit(1763871055.123:4567): apparmor="DENIED" operation="open" profile="/usr/sbin/cupsd" name="/etc/ssl/openssl.cnf" pid=911 comm="cupsd" requested_mask="r" fsuid=0 ouid=0
`

// sampleText is the access lines, some times over with other times of the day and other digits, and then the others.
var sampleText = func() string {
	r := rand.New(rand.NewPCG(3, 4)) // the same sample every time
	var b strings.Builder
	for range accessCopies {
		date := false
		for _, c := range []byte(accessText) {
			switch {
			case c == '[' || c == ']':
				date = c == '['
			case c == '~':
				fmt.Fprintf(&b, "%02d:%02d:%02d", r.IntN(24), r.IntN(60), r.IntN(60))
				continue
			case c >= '0' && c <= '9' && !date:
				c = '0' + byte(r.IntN(10))
			}
			b.WriteByte(c)
		}
	}
	return b.String() + otherText
}()

// gramSet is a set of the sequences of filterWidth bytes in the sample, a bit for each.
type gramSet []uint64

func (p gramSet) add(q gramSet) {
	for i, x := range q {
		p[i] |= x
	}
}

// grams are the sequences of filterWidth bytes in the sample.
var grams = func() (g struct {
	// with are those that have a byte at a position.
	with [filterWidth][256]gramSet
	// weights are what those of a word of a gramSet count on average: they are in the order of their weights. total is the sum of all.
	weights []float64
	total   float64
},
) {
	weight := map[string]float64{}
	access := len(sampleText) - len(otherText)
	for i := range len(sampleText) - filterWidth + 1 {
		w := 1.0
		if i < access {
			w = accessWeight
		}
		weight[sampleText[i:i+filterWidth]] += w
	}
	// All lines of an hour have it in them: none may pass.
	for hour := range 24 {
		text := fmt.Sprintf("2026:%02d:", hour)
		for i := range len(text) - filterWidth + 1 {
			weight[text[i:i+filterWidth]] += accessWeight * accessCopies
		}
	}
	type gram struct {
		bytes  string
		weight float64
	}
	all := make([]gram, 0, len(weight))
	for s, w := range weight {
		all = append(all, gram{s, w})
	}
	slices.SortFunc(all, func(a, b gram) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), strings.Compare(a.bytes, b.bytes))
	})
	words := (len(all) + 63) / 64
	g.weights = make([]float64, words)
	for k := range g.with {
		for b := range g.with[k] {
			g.with[k][b] = make(gramSet, words)
		}
	}
	for n, x := range all {
		g.weights[n/64] += x.weight / 64
		g.total += x.weight
		for k := range filterWidth {
			g.with[k][x.bytes[k]][n/64] |= 1 << (n % 64)
		}
	}
	return g
}()

// InSample is how often a literal, lower case, occurs in ordinary lines, in either case.
func InSample(lit string) int { return strings.Count(strings.ToLower(sampleText), lit) }

// SetsInSample is how often the sets follow each other in ordinary lines.
func SetsInSample(sets []*Set) (n int) {
places:
	for i := range len(sampleText) - len(sets) {
		for k, s := range sets {
			if !s[sampleText[i+k]] {
				continue places
			}
		}
		n++
	}
	return n
}
