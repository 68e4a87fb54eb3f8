import { asked, filled, type HonestKinds, sent, testKinds } from './honest-kinds.ts'

/** A key that Rails signed: the message is a string, as where records are numbered by UUID. */
const RAILS_STRING =
  'eyJfcmFpbHMiOnsibWVzc2FnZSI6IkJBaEpJaWszTVdWbFlXSTBNaTFqTWpsaUxUUm1NVFF0WVRBMVl5MWpOelprWkRnd1l6TTVZamNHT2daRlZBPT0iLCJleHAiOm51bGwsInB1ciI6ImJsb2JfaWQifX0=--5f0bdc5ac9a6a2d2e6b7b2f5d06ad1d2a5f1a1a1'

const BEHIND_ENCODING = Buffer.from(
  '\u0004\bI"\u0006a\u0007:\u0006ET:\u0007@xo:\u000eFooWidget\u0000',
  'latin1',
).toString('base64')

/** What published descriptions of interfaces give as examples, and what stays an attack beside it. */
const KINDS: HonestKinds = {
  'keys of the files of a Rails application': {
    honest: [
      asked(`/rails/active_storage/blobs/redirect/${RAILS_STRING}/a.png`, {}),
      sent({ avatar: RAILS_STRING }),
      filled({ 'post[files][]': RAILS_STRING }),
      sent({
        upload_id: {
          _rails: { message: 'BAhJIik3MWVlYWI0Mi1jMjliLTRmMTQtYTA1Yy1jNzZkZDgwYzM5YjcGOgZFVA==' },
        },
      }),
    ],
    attacks: [
      sent({ avatar: 'BAhvOhVBY3RpdmVTdXBwb3J0' }),
      sent({ avatar: 'BAh7CEkiD3Nlc3Npb25faWQ=' }),
      filled({ avatar: 'BAhbB2MVR2VtOjpTcGVjRmV0Y2hlcg==' }),
      // A string that carries an object besides its encoding, before and behind it.
      sent({ avatar: 'BAhJIgZhBzoHQHhvOg5Gb29XaWRnZXQGOgtAYmFyMDoGRVQ=' }),
      asked('/s', { q: BEHIND_ENCODING }),
    ],
  },
  'words in quotes before the end of an element': {
    honest: [
      sent({ html: '<p>Use "red" or "blue"</p>' }),
      sent({ html: "<li>in a state of 'accepted' or 'unfunded'</li>" }),
      filled({ html: '<p>"red" and "blue"<br>and more</p>' }),
      sent({ html: 'For example, "Can I order a pizza, please." and "I want to order a pizza."</p>' }),
    ],
    attacks: [
      asked('/s', { q: "x' or 'a'<'b" }),
      asked('/s', { q: "x' or 'a'</**/'b" }),
      asked('/s', { q: "x' or 1<id or '" }),
      sent({ html: "<p>x' or 'a'='a" }),
    ],
  },
  'filters of names and values': {
    honest: [
      asked('/v1/instances', { filter: '(platform = "Sky Lake") OR (platform = "Broad Well")' }),
      asked('/v1/instances', { filter: 'name = "x" OR user = "y"' }),
      sent({ predicate: 'tag1="value1" and (tag2="value2" and tag3!="value3")' }),
      sent({ filter: 'category=="music" && (tag == "soft" || tag == "smooth")' }),
      sent({
        query: "Alert | where Id == tolower('/subs/1') and tolower(Name) == tolower('Custom') | extend x=1",
      }),
    ],
    attacks: [
      asked('/s', { q: 'name="x" or 1=1' }),
      asked('/s', { q: 'name="x" or true="1"' }),
      asked('/s', { q: "name='x' or '1'='1'" }),
      asked('/s', { q: 'name="x" or user="y" or sleep(5)' }),
      asked('/s', { q: 'name = "x" or user = (select password from users)' }),
      asked('/s', { q: "y' or user='admin" }),
    ],
  },
  'names with a dollar of analytics and schemas': {
    honest: [
      sent({ event: '$identify', $set: { email: 'a@b.example' }, $set_once: { plan: 'x' } }),
      sent([{ $token: 't', $distinct_id: 'd', $set: { $name: 'Ann' } }, { $unset: ['a'] }]),
      sent({ $comment: 'of the schema', type: 'object' }),
      asked('/e', { $distinct_id: 'd', $transaction_id: '1', $organization_dir: 'x' }),
    ],
    attacks: [
      sent({ $where: 'sleep(5)' }),
      sent({ $ne: null }),
      sent({ password: { $set: 'x', $ne: 1 } }),
      sent({ token: { $set: 1 } }),
      asked('/s', { q: ';$u cat /etc/passwd' }),
      asked('/s', { q: ';$a_rather_long_name cat /etc/passwd' }),
      asked('/s', { q: ';c$a_rather_long_name{}at /etc/passwd' }),
    ],
  },
  'names that look like calls and addresses': {
    honest: [
      asked('/resource/x.json', { $select: 'count(*)', $group: 'kind' }),
      sent({ aggregations: [{ 'count(*)': 86 }] }),
      sent({ symbol: 'MID.INDX (S&P Midcap 400)' }),
      asked('/', { Action: 'ConfigureHealthCheck', 'HealthCheck.Target': 'HTTP:8080/index.html' }),
      filled({ target: 'HTTPS:443/' }),
      sent({ require: '"guzzlehttp/guzzle":"^5.3 || ^6.0.1","php":">=5.5"' }),
      sent({ pattern: '{0-9]{1,15}' }),
    ],
    attacks: [
      asked('/s', { q: 'count(*) union select 1,2' }),
      asked('/s', { q: 'count(*),(select password from users)' }),
      asked('/s', { q: 'mid(version(),1,1)=5' }),
      asked('/s', { url: 'http:2130706433/' }),
      asked('/s', { url: 'http://80/' }),
      asked('/s', { q: '{7*7}' }),
      asked('/s', { q: `x"^5.3||1 or "1"="1` }),
    ],
  },
  'types and words of other programs': {
    honest: [
      sent({ type: 'System.Management.Automation.PSCredential' }),
      sent({ ActionContext: { pipelineName: 'x' } }),
      sent({ description: 'as in new java.awt.Color(1, 2, 3)' }),
      sent({ description: 'Start the return process. It takes two days.' }),
      sent({ description: 'the jobs to execute (when there are any)' }),
    ],
    attacks: [
      sent({ $type: 'System.Management.Automation.PSCredential, System.Management.Automation' }),
      asked('/s', { q: 'ActionContext.getContext()' }),
      asked('/s', { q: 'new java.io.FileWriter("x")' }),
      asked('/s', { q: "Function('return process')()" }),
      asked('/s', { q: 'constructor.constructor("return process.env")()' }),
      asked('/s', { q: 'Execute(request("x"))' }),
    ],
  },
}

testKinds(KINDS)
