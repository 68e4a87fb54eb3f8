/** One reported fault, or one demand of those who reported it, and a test that shows what holds now. */
export interface ReportedFault {
  readonly fault: string
  /** Test file, from the root. */
  readonly file: string
  /** A part of the test's name as its file writes it. */
  readonly name: string
}

const fault = (said: string, file: string, name: string): ReportedFault => ({
  fault: said,
  file: `${file}.test.ts`,
  name,
})

/**
 * What outsiders found, by public report (G1 to G15) and by area, and the test of each. `npm test --
 * reported-faults` holds every name to its file.
 */
export const REPORTED_FAULTS: readonly ReportedFault[] = [
  // Public reports
  fault(
    'G1 compressed bodies read as text',
    'packages/runtime/test/public-reports',
    'G1 compressed bytes as',
  ),
  fault('G2 CPU of one body', 'packages/inspect/test/inspection-guard', 'a request may take so much CPU'),
  fault(
    'G2 nobody is served meanwhile',
    'packages/inspect/test/inspection-guard',
    'gives way between slices',
  ),
  fault('G3 X-HTTP-Method-Override', 'packages/runtime/test/public-reports', 'in X-HTTP-Method-Override'),
  fault('G4 loopback redirect addresses', 'packages/runtime/test/public-reports', 'G4 a native client'),
  fault(
    'G5 forms of Java frameworks',
    'packages/runtime/test/public-reports',
    'G5 a form of a Java framework',
  ),
  fault('G6 passwords with symbols', 'packages/runtime/test/public-reports', 'G6 the password'),
  fault('G7 archives and texts with code', 'packages/runtime/test/public-reports', 'G7 an upload of'),
  fault('G8 origins of bouncers', 'packages/remediate/test/crowdsec/crowdsec', 'G8 what scenarios detected'),
  fault('G9 lists of addresses', 'packages/access-log/test/access-log', 'G9 in JSON as'),
  fault('G10 syslog prefixes', 'packages/access-log/test/access-log', 'G10 is taken off'),
  fault('G11 PgBouncer', 'packages/cli/test/pooler', 'a gateway behind PgBouncer'),
  fault(
    'G13 refusals without CORS headers',
    'packages/postern/test/other-origins',
    'can be read by the page',
  ),
  fault('G13 preflights use up limits', 'packages/postern/test/other-origins', 'never counted'),
  fault(
    'G14 range= of a wider ban',
    'packages/remediate/test/crowdsec/crowdsec',
    'G14 finds what holds a range',
  ),
  fault('G15 one URL of a Redis Cluster', 'packages/cli/test/store-outage', 'one address of a Redis Cluster'),

  // Bans that hit honest clients
  fault(
    'twelve refused saves ban',
    'packages/scenarios/test/behaviour/behaviour',
    'is not made of requests that Postern refused',
  ),
  fault(
    'a sync client reads its notes',
    'packages/scenarios/test/behaviour/behaviour',
    'own notes are read so',
  ),
  fault(
    'a page makes browsers ask',
    'packages/scenarios/test/scenario-detector',
    'browsers are challenged before',
  ),
  fault(
    'explain of a ban',
    'packages/postern/test/explain-apply',
    'of a ban by a scenario names the scenario',
  ),
  fault('library of sessions', 'packages/runtime/test/honest-sessions', 'times its speed'),
  fault('attack tools are stopped', 'e2e/attack-tools', 'sqlmap, looking for SQL injection'),

  // Starting, stopping, failing
  fault('Redis down at the start', 'packages/cli/test/store-outage', 'is reported once, the gateway serves'),
  fault('a deployment during an outage', 'packages/cli/test/store-outage', 'does not reject in a process'),
  fault('a failed start ends', 'packages/cli/test/store-outage', 'the start fails, and the process ends'),
  fault('Sentinel', 'packages/store/test/redis', 'of a Sentinel leads to the primary'),
  fault(
    'PostgreSQL down at the start',
    'packages/postern/test/postgres-away',
    'keeps no audit log from being started',
  ),
  fault('a ban behind a pooler', 'packages/store/test/pooler', 'within two seconds'),
  fault('read-only file system', 'packages/cli/test/memory-only', 'a gateway protects, and writes nothing'),
  fault('expired certificate', 'packages/cli/test/certificate', 'that has expired is a warning'),
  fault('standard output is closed', 'packages/cli/test/store-outage', 'nobody reads its output any more'),
  fault('git add -A stages a key', 'packages/store/test/data-directory', 'is created for its owner alone'),
  fault(
    'leases end while a stream lives',
    'packages/throttle/test/throttle',
    'for as long as the answer is open',
  ),
  fault('quiet streams count as busy', 'packages/throttle/test/throttle', 'streams of events are free'),

  // Behind proxies, in front of browsers
  fault('all users share one limit', 'packages/postern/test/behind-proxies', 'is warned about once'),
  fault(
    'doctor --request',
    'packages/postern/test/behind-proxies',
    'shows whom a described request counts against',
  ),
  fault('presets of platforms', 'packages/postern/test/behind-proxies', 'which is enough'),
  fault('one rule for three forms of override', 'packages/postern/test/method-override', 'passes by default'),
  fault('a designed page of a refusal', 'test/refusal-page', 'fits, and axe finds nothing'),
  fault('own pages', 'packages/postern/test/refusal-pages', 'is the page of a file'),
  fault(
    'pages through nginx',
    'packages/http/test/forward-auth/forward-auth-nginx',
    'the page of the refusal',
  ),
  fault(
    'connections after unread bodies',
    'packages/http/test/adapter/unread-bodies',
    'leaves the connection usable',
  ),
  fault('middleware is silent', 'packages/postern/test/behind-proxies', 'one line when it starts'),
  fault('allow and block', 'packages/postern/test/who-may-come', 'refuse by network and by user agent'),
  fault('ranges in exempt', 'packages/postern/test/who-may-come', 'takes ranges'),
  fault('combined keys', 'packages/postern/test/who-may-come', 'each combination counts by itself'),
  fault('asynchronous limits', 'packages/postern/test/who-may-come', 'may have a plan of its own'),
  fault('mode of a route', 'packages/postern/test/who-may-come', 'observes one route'),

  // CrowdSec, logs, command line
  fault('W3C logs', 'packages/access-log/test/access-log', 'IIS: columns in the order'),
  fault('share of lines read', 'packages/cli/test/replay', 'says what share of the lines was read'),
  fault(
    'replay and gateway decide alike',
    'packages/cli/test/replay',
    'a path that begins with several slashes',
  ),
  fault('search for would-deny', 'packages/postern/test/audit-commands', 'what observe mode let pass'),
  fault('report of observe mode', 'packages/cli/test/report', 'what observe mode would have refused'),
  fault('inspect splits at U+2028', 'packages/cli/test/command-line', 'says what a line of inspect must be'),
  fault('weak messages', 'packages/config/test/config-errors', 'says where and how to fix it'),

  // The audit log
  fault('two workers lose the log', 'packages/cli/test/workers-log', 'every answered request is in the log'),
  fault('a flood hides an attack', 'packages/audit/test/events', 'does not hide a refusal with'),
  fault(
    'text of a caller in leaves',
    'packages/audit/test/events',
    'keeps nothing readable that a caller chose',
  ),
  fault('413 of a collector', 'packages/audit/test/export', 'gets smaller batches'),
  fault('the same batch again', 'packages/audit/test/export', 'gets the same batch again'),
  fault('a cursor ahead of the log', 'packages/audit/test/export', 'restored from an older copy'),
  fault('an export without its end', 'packages/audit/test/export', 'from whose end entries were cut'),
  fault('check-export', 'packages/postern/test/audit-commands', 'checks an export'),
  fault('a restored backup', 'packages/postern/test/audit-commands', 'opens from the command line'),
  fault('prune --keep 0s', 'packages/postern/test/audit-commands', 'is pruned only when that is meant'),
  fault('a failed statement', 'packages/audit/test/postgres-log', 'loses no event that nobody waits for'),
  fault('disk full', 'packages/audit/test/power-cut', 'because it is full refuses commits'),
  fault(
    'OCSF of every kind',
    'packages/audit/test/export',
    'events of every kind have what their class requires',
  ),
  fault('dates in search', 'packages/postern/test/audit-commands', 'shows the date of each entry'),
  fault('control characters', 'packages/cli/test/front-door', 'no control character of a caller'),
  fault(
    'behind, lost, coalesced',
    'packages/server/test/audit-readings',
    'how far the index and each sink are behind',
  ),

  // The gateway against hostile clients
  fault('bytes after a refusal', 'packages/gateway/test/exchange/after-refusal', 'never run'),
  fault(
    'one pool without fairness',
    'packages/gateway/test/exchange/fair-share',
    'however many answers one client asks for',
  ),
  fault(
    'HTTP/2 zero window',
    'packages/gateway/test/connection/hostile-clients',
    'whose window it keeps shut',
  ),
  fault('inspection stalls the loop', 'packages/inspect/test/slices', 'goes on where it stopped'),
  fault('SCRIPT_NAME', 'packages/gateway/test/message/untrusted-headers', 'is not passed on from anybody'),
  fault(
    'bodies of GET and HEAD',
    'packages/gateway/test/message/unread-bodies',
    'does not run it as the next request',
  ),
  fault('an early answer', 'packages/gateway/test/message/unread-bodies', 'never answers the next client'),
  fault('exemptions widen', 'packages/core/test/route/route-table', 'does not hold for'),
  fault('a worker crashes', 'packages/gateway/test/worker/workers', 'that fail lose no request'),
]
