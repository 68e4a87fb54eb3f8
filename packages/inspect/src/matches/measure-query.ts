/**
 * Addresses at which Prometheus and what speaks as it does (Thanos, Mimir, VictoriaMetrics, a dashboard that
 * passes queries on) take queries in PromQL, and its own page for them. No file of a server has such a name.
 */
const ADDRESS =
  /^[A-Z]{1,16} (?:\/[\w*:.-]{1,64}){0,8}\/(?:api\/v1\/(?:query|query_range|query_exemplars|format_query|parse_query|series|labels|label\/[\w*:.-]{1,64}\/values)|federate|graph)\/?$/i
const NAME = /^(?:query|match\[\]|(?:g\d{1,2}\.)?expr)$/
/** What a bracket may stand behind in PromQL; none of it reads or runs anything. */
const CALLED: ReadonlySet<string> = new Set(
  (
    'abs absent absent_over_time acos acosh asin asinh atan atanh avg avg_over_time bottomk ceil changes clamp ' +
    'clamp_max clamp_min cos cosh count count_over_time count_values day_of_month day_of_week day_of_year ' +
    'days_in_month deg delta deriv exp floor group histogram_avg histogram_count histogram_fraction ' +
    'histogram_quantile histogram_stddev histogram_stdvar histogram_sum hour idelta increase irate ' +
    'last_over_time ln log10 log2 mad_over_time max max_over_time min min_over_time minute month pi ' +
    'predict_linear present_over_time quantile quantile_over_time rad rate resets round scalar sgn sin sinh ' +
    'sort sort_desc sqrt stddev stddev_over_time stdvar stdvar_over_time sum sum_over_time tan tanh time ' +
    'timestamp topk vector year by without on ignoring group_left group_right and or unless'
  ).split(' '),
)
/** One call, and in it nothing but names, numbers, times, brackets and arithmetic: no quotes, no comments. */
const SHAPE = /^\s{0,8}[a-z_]\w{0,31}\s{0,4}\([\w\s:.,()[\]+*/%^-]{0,1000}$/
const COMMENT = /--|\/\*|\/\//
const CALL = /(\w{1,64})\s{0,8}\(/g
/** What such a call looks like to a rule about programs, or to one about other queries. */
const LOOKS_LIKE: ReadonlySet<string> = new Set(['code/php-start', 'sqli/hollow-call', 'sqli/call'])

/** The same with labels and what they have to match between quotes. */
const LABELLED = /^\s{0,8}[a-z_][\w\s:.,()[\]{}=~!<>+*/%^-]{0,1000}$/
const QUOTED = /"(?:[^"\\\n]|\\.){0,400}"/g
/** What seems to end a string of a script. */
const BREAKS_OUT = 'xss/break-out'
/** What lines of a log are searched for between quotes (LogQL): a statement that somebody sent. */
const SEARCHED = 'sqli/query'
const SEARCH = /^\s{0,8}[a-z_{](?:(?!\bselect\b)[\w\s:.,()[\]{}=~!<>+*/%^|-]){0,1000}$/
/** What is left of a query without what stands between its quotes, by what was found there. */
const QUOTING: ReadonlyMap<string, RegExp> = new Map([
  [BREAKS_OUT, LABELLED],
  [SEARCHED, SEARCH],
])

/** Whether what was found is a whole query of PromQL where Prometheus takes one. */
export function isMeasureQuery(id: string, route: string, name: string, lower: string): boolean {
  const quoting = QUOTING.get(id)
  if ((quoting === undefined && !LOOKS_LIKE.has(id)) || !NAME.test(name) || !ADDRESS.test(route)) return false
  const query = quoting === undefined ? lower : lower.replace(QUOTED, '')
  if (!(quoting ?? SHAPE).test(query) || COMMENT.test(query)) return false
  for (const [, called = ''] of query.matchAll(CALL)) if (!CALLED.has(called)) return false
  return true
}
