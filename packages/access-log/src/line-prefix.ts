/** What container runtimes (CRI) write before a line. */
const CONTAINER = /^\d{4}-\d\d-\d\dT\S{8,32} (?:stdout|stderr) [FP] /
/** RFC 3164 and journalctl: a time, often a host, the program with its process number. */
const SYSLOG =
  /^(?:<\d{1,3}>)?(?:1 )?(?:\w{3} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S{8,32}) (?:\S{1,255} )?[\w./()@-]{1,64}(?:\[[\w.-]{1,32}\])?: /
/** RFC 5424: version, time, host, program, process, message id, structured data, maybe a byte order mark. */
const SYSLOG_5424 =
  /^<\d{1,3}>1 \S{1,40} \S{1,255} \S{1,48} \S{1,128} \S{1,32} (?:-|(?:\[(?:[^\]"\\]|\\.|"(?:[^"\\]|\\.)*")*\])+) (?:\u{feff}|\u00ef\u00bb\u00bf)?/u
/** docker compose and pm2: names of the service, a bar. */
const BARRED = /^(?:\d{1,5}\|)?[\w.-]{1,80} *\| /
/** kubectl logs --prefix. */
const POD = /^\[pod\/[\w./-]{1,300}\] /

/**
 * Length of what a container runtime, syslog daemon (RFC 3164 and 5424), journalctl, docker compose, pm2 or
 * kubectl writes before the line of a log; 0 without.
 */
export function prefixLength(line: string): number {
  const first = line.charCodeAt(0)
  if (first === 0x3c) return firstOf(line, SYSLOG_5424, SYSLOG)
  if (first === 0x5b) return firstOf(line, POD)
  // An address has no dash behind its fourth character: most lines end here.
  if (isDigit(first) && line.charCodeAt(4) === 0x2d) return firstOf(line, CONTAINER, SYSLOG)
  const bar = line.indexOf('| ')
  if (bar > 0 && bar < 90) return firstOf(line, BARRED)
  return first >= 0x41 && first <= 0x5a ? firstOf(line, SYSLOG) : 0
}

function firstOf(line: string, ...prefixes: readonly RegExp[]): number {
  for (const prefix of prefixes) {
    const found = prefix.exec(line)
    if (found !== null) return found[0].length
  }
  return 0
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}
