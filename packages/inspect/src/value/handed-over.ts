import { isBody, type Reading } from './reading.ts'

/** An address at which programs hand over what others did, and the fields that quote it. */
interface Collector {
  readonly address: RegExp
  /** Held against the whole location of a field. */
  readonly quoted: RegExp
}

/**
 * Where lines of logs are handed over: Elasticsearch and OpenSearch, Splunk, Datadog, New Relic, LogDNA,
 * Axiom, Honeycomb, VictoriaLogs, OpenObserve, and Seq, which has names of its own.
 */
const LOGS: readonly Collector[] = [
  {
    address:
      /^(?:POST|PUT) (?:\/[\w*.:-]{1,64}){0,3}\/(?:_bulk|_(?:doc|create)(?:\/[\w.:-]{1,128})?|services\/collector(?:\/event|\/raw)?|api\/v2\/logs|v1\/input\/[\w*]{1,64}|log\/v1|logs\/ingest|v1\/datasets\/[\w.-]{1,64}\/ingest|insert\/jsonline|api\/[\w.-]{1,64}\/[\w.-]{1,64}\/_(?:json|multi))\/?$/i,
    quoted: /\.(?:_?msg|message|log|line|event|original|full_log|_raw)$/i,
  },
  // Honeycomb: below something else, `1` is a number of it.
  { address: /^POST \/1\/(?:batch|events)\/[\w.-]{1,64}\/?$/i, quoted: /\.(?:message|log|line|msg)$/i },
  {
    address: /^POST (?:\/[\w.-]{1,64}){0,3}\/(?:api\/events\/raw|ingest\/clef)\/?$/i,
    quoted: /^body(?:\.\d{1,5})?\.@(?:mt?|x)$|\.Events\.\d{1,5}\.(?:MessageTemplate|Exception)$/i,
  },
]

/** Where lines are taken as they are, without fields: InfluxDB, Splunk, Sumo Logic. */
const LINES: Collector = {
  address:
    /^POST (?:\/[\w.-]{1,64}){0,3}\/(?:services\/collector\/raw|receiver\/v1\/http\/[\w+=-]{8,256}|api\/v2\/write|api\/v3\/write_lp)\/?$/i,
  // A line of InfluxDB has a comma before its first tag, and would be the name of a field of a form.
  quoted: /^body(?:\.[\w-]{1,64},[^.]{0,256})?$/,
}

/**
 * Where reports of errors (Sentry, Rollbar, Airbrake) are handed over, by servers too: the requests that they
 * tell of are often the attacks that raised an error there.
 */
const REPORTS: readonly Collector[] = [
  {
    address: /^POST (?:\/[\w.-]{1,64}){0,3}\/api\/\d{1,12}\/(?:store|envelope)\/?$/i,
    quoted:
      /^body(?:\.\d{1,3})?\.(?:request|exception\.values|breadcrumbs|contexts|logentry|spans|stacktrace|threads)\./,
  },
  {
    address: /^POST (?:\/[\w.-]{1,64}){0,3}\/api\/1\/item\/?$/i,
    quoted: /^body\.data\.(?:body|request|client)\./,
  },
  {
    address: /^POST (?:\/[\w.-]{1,64}){0,3}\/api\/v3\/projects\/\d{1,12}\/(?:create-)?notices\/?$/i,
    quoted: /^body\.(?:errors|context|environment|params)\./,
  },
]

/** Whether a field holds a line of a log, in which requests and commands of others stand. */
export function isLogLine(route: string, { place }: Reading, location: string): boolean {
  return (
    (place === 'body' && isQuoted(LOGS, route, location)) || (isBody(place) && quotes(LINES, route, location))
  )
}

/** Whether a field tells of a request, a query or code in a report of an error. */
export function isReported(route: string, { place }: Reading, location: string): boolean {
  return place === 'body' && isQuoted(REPORTS, route, location)
}

function isQuoted(collectors: readonly Collector[], route: string, location: string): boolean {
  return collectors.some(one => quotes(one, route, location))
}

function quotes({ address, quoted }: Collector, route: string, location: string): boolean {
  return quoted.test(location) && address.test(route)
}
