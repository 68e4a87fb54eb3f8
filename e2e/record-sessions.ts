// Records what real clients send to real servers, for `npm test -- honest-sessions`: each session becomes a
// file of `packages/runtime/test/recorded`. Run by hand, in e2e/: `node record-sessions.ts [NAME ...]`.
// Needs on Debian: git curl wget aria2 cadaver rclone restic skopeo docker-registry apt-utils python3-pip
// chromium, `npm ci` in e2e/, and `npm install --ignore-scripts --no-package-lock` in e2e/api-clients/.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { startShop } from '../examples/shop/src/server.ts'
import { launchChromium } from '../test/chromium.ts'
import { answering, freePort, root, run } from './protected.ts'
import { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts'

const LONGEST_MS = 120_000

/** A server that a session talks to. */
interface Served {
  readonly url: string
  stop(): Promise<unknown> | unknown
}

interface Recorded {
  /** @param folder empty, of this session alone */
  serve(folder: string): Promise<Served>
  use(proxy: RecordingProxy, folder: string): Promise<void>
}

/** Runs a client to its end. @throws Error with its output when it fails */
async function client(
  command: string,
  args: readonly string[],
  options: { cwd?: string; input?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { cwd, input, env } = options
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, timeout: LONGEST_MS })
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  child.stderr.on('data', chunk => {
    output += chunk
  })
  child.stdin.end(input ?? '')
  const code = await new Promise(resolve => child.on('error', resolve).on('exit', resolve))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${output.slice(-800)}`)
  return output
}

async function started(command: string, args: readonly string[], url: string, cwd: string): Promise<Served> {
  const running = run(command, args, { cwd })
  await answering(url)
  return { url, stop: () => running.stop() }
}

/** The web server of Python, whose lists of files are what mirrors follow. */
async function pythonServer(folder: string): Promise<Served> {
  const port = await freePort()
  return started(
    'python3',
    ['-m', 'http.server', String(port), '--bind', '127.0.0.1'],
    `http://127.0.0.1:${port}/`,
    folder,
  )
}

async function rclone(kind: 'webdav' | 'restic', folder: string): Promise<Served> {
  const port = await freePort()
  const address = `127.0.0.1:${port}`
  return started('rclone', ['serve', kind, folder, '--addr', address], `http://${address}/`, folder)
}

function writeTree(folder: string, count: number): void {
  for (let i = 0; i < count; i++) {
    const inside = join(folder, `chapter-${i % 4}`)
    mkdirSync(inside, { recursive: true })
    writeFileSync(
      join(inside, `page-${i}.html`),
      `<a href="page-${i + 4}.html">${'text '.repeat(50 + i)}</a>`,
    )
  }
}

/** git's own CGI program, behind the least server that can run it. */
async function gitServer(folder: string): Promise<Served> {
  await client('git', ['init', '-q', '--bare', 'project.git'], { cwd: folder })
  await client('git', ['-C', 'project.git', 'config', 'http.receivepack', 'true'], { cwd: folder })
  const server = createServer((request, response) => runGit(folder, request, response))
  const port = await freePort()
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

function runGit(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://a')
  const child = spawn('/usr/lib/git-core/git-http-backend', [], {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'ada',
    },
  })
  request.pipe(child.stdin)
  child.stdin.on('error', () => undefined)
  const parts: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => parts.push(part))
  child.on('exit', () => {
    const all = Buffer.concat(parts)
    const end = all.indexOf('\r\n\r\n')
    let status = 200
    for (const line of all.subarray(0, end).toString('latin1').split('\r\n')) {
      const [name = '', value = ''] = line.split(': ')
      if (name === 'Status') status = Number.parseInt(value, 10)
      else if (name !== '') response.setHeader(name, value)
    }
    response.writeHead(status).end(all.subarray(end + 4))
  })
}

async function browse(url: string, act: (page: Page) => Promise<void>): Promise<void> {
  const browser = await launchChromium()
  try {
    const page = await browser.newPage()
    await page.goto(url)
    await act(page)
  } finally {
    await browser.close()
  }
}

async function registry(folder: string): Promise<Served> {
  const port = await freePort()
  const listen = `127.0.0.1:${port}`
  writeFileSync(
    join(folder, 'config.yaml'),
    `storage: ${join(folder, 'storage')}
auth: { htpasswd: { file: ./htpasswd } }
uplinks: {}
packages: { '**': { access: $all, publish: $authenticated, unpublish: $authenticated } }
log: { type: stdout, format: json, level: warn }
`,
  )
  const program = join(root, 'e2e/node_modules/verdaccio/bin/verdaccio')
  const args = [program, '--config', join(folder, 'config.yaml'), '--listen', listen]
  return started(process.execPath, args, `http://${listen}/-/ping`, folder).then(served => ({
    ...served,
    url: `http://${listen}`,
  }))
}

async function publishAndInstall(url: string, folder: string): Promise<void> {
  const user = await fetch(`${url}/-/user/org.couchdb.user:ada`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ada', password: 'correct horse battery staple' }),
  })
  const { token } = (await user.json()) as { token: string }
  const settings = `registry=${url}/\n//${new URL(url).host}/:_authToken=${token}\naudit=false\nfund=false\n`
  const names = Array.from({ length: 8 }, (_, i) => `lamp-part-${i}`)
  for (const [i, name] of names.entries()) {
    const inside = join(folder, name)
    mkdirSync(inside)
    const dependencies = Object.fromEntries(names.slice(0, i).map(needed => [needed, '1.0.0']))
    writeFileSync(join(inside, 'package.json'), JSON.stringify({ name, version: '1.0.0', dependencies }))
    writeFileSync(join(inside, '.npmrc'), settings)
    await client('npm', ['publish', '--cache', join(folder, 'cache')], { cwd: inside })
  }
  const user2 = join(folder, 'user')
  mkdirSync(user2)
  writeFileSync(join(user2, '.npmrc'), settings)
  writeFileSync(join(user2, 'package.json'), '{"name":"user","version":"1.0.0"}')
  await client('npm', ['install', ...names, '--cache', join(folder, 'cache-2')], { cwd: user2 })
  await client('npm', ['search', 'lamp', '--cache', join(folder, 'cache-2')], { cwd: user2 })
  await client('npm', ['outdated', '--cache', join(folder, 'cache-2')], { cwd: user2 })
}

/** A client of an API and its server, both of e2e/api-clients. */
function apiClient(name: string, kind: string): Recorded {
  const at = join(root, 'e2e/api-clients')
  return {
    serve: async folder => {
      const port = await freePort()
      const url = `http://127.0.0.1:${port}`
      const args = [join(at, 'server.mjs'), kind, String(port)]
      return { ...(await started(process.execPath, args, `${url}/`, folder)), url }
    },
    use: async ({ url }, folder) => {
      await client(process.execPath, [join(at, 'client.mjs'), name, url], { cwd: folder })
    },
  }
}

const SESSIONS: Readonly<Record<string, Recorded>> = {
  'socket.io-polling': apiClient('socket.io-polling', 'socket.io'),
  'pouchdb-sync': apiClient('pouchdb-sync', 'pouchdb'),
  'apollo-client': apiClient('apollo-client', 'graphql'),
  urql: apiClient('urql', 'graphql'),
  'git-clone-push-fetch': {
    serve: gitServer,
    use: async ({ url }, folder) => {
      const work = join(folder, 'work')
      await client('git', ['clone', '-q', `${url}/project.git`, work])
      for (let i = 0; i < 5; i++) {
        writeTree(work, 10 + i * 10)
        await client('git', ['-C', work, 'add', '-A'])
        const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@shop.example']
        await client('git', ['-C', work, ...who, 'commit', '-qm', `Part ${i}`])
        await client('git', ['-C', work, 'push', '-q', 'origin', 'HEAD'])
        await client('git', ['clone', '-q', `${url}/project.git`, join(folder, `copy-${i}`)])
        await client('git', ['-C', join(folder, 'copy-0'), 'fetch', '-q'])
      }
    },
  },
  'npm-publish-install': { serve: registry, use: ({ url }, folder) => publishAndInstall(url, folder) },
  'pip-download': {
    serve: async folder => {
      const source = join(folder, 'source')
      mkdirSync(join(source, 'lamp'), { recursive: true })
      writeFileSync(join(source, 'lamp', '__init__.py'), '')
      for (let i = 0; i < 6; i++) {
        const simple = join(folder, 'simple', `lamp-${i}`)
        mkdirSync(simple, { recursive: true })
        const name = `lamp_${i}-1.0-py3-none-any.whl`
        const script = `import zipfile
z = zipfile.ZipFile('${join(simple, name)}', 'w')
z.writestr('lamp_${i}/__init__.py', '')
z.writestr('lamp_${i}-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: lamp-${i}\\nVersion: 1.0\\n')
z.writestr('lamp_${i}-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
z.writestr('lamp_${i}-1.0.dist-info/RECORD', '')
z.close()`
        await client('python3', ['-c', script])
      }
      return pythonServer(folder)
    },
    use: async ({ url }, folder) => {
      const names = Array.from({ length: 6 }, (_, i) => `lamp-${i}`)
      const index = ['--index-url', `${url}/simple/`, '--trusted-host', '127.0.0.1', '--no-cache-dir']
      await client('python3', ['-m', 'pip', 'download', '-q', ...index, '-d', join(folder, 'got'), ...names])
    },
  },
  'curl-downloads': {
    serve: folder => {
      writeTree(folder, 12)
      writeFileSync(join(folder, 'large.bin'), Buffer.alloc(3_000_000, 7))
      return pythonServer(folder)
    },
    use: async ({ url }, folder) => {
      const out = ['-sS', '-o', join(folder, 'out')]
      for (let i = 0; i < 12; i++) await client('curl', [...out, `${url}/chapter-${i % 4}/page-${i}.html`])
      await client('curl', ['-sSI', `${url}/large.bin`])
      await client('curl', [...out, '-r', '0-99999', `${url}/large.bin`])
      await client('curl', [...out, '-z', '2020-01-01', `${url}/large.bin`])
      await client('curl', [...out, '--parallel', `${url}/chapter-[0-3]/`])
      await client('curl', [...out, `${url}/not-there`])
    },
  },
  'wget-mirror': {
    serve: folder => {
      writeTree(folder, 60)
      return pythonServer(folder)
    },
    use: async ({ url }, folder) => {
      const args = ['-q', '--mirror', '--no-parent', '-e', 'robots=on', `${url}/`]
      // wget says 8 where one of the pages was not there: the last links of a book.
      for (let i = 0; i < 2; i++)
        await client('sh', ['-c', 'wget "$@" || test $? = 8', 'wget', ...args], { cwd: folder })
    },
  },
  'aria2-segments': {
    serve: folder => {
      writeFileSync(join(folder, 'image.iso'), Buffer.alloc(12_000_000, 3))
      return rclone('webdav', folder)
    },
    use: async ({ url }, folder) => {
      await client('aria2c', [
        '-q',
        '-x',
        '8',
        '-s',
        '8',
        '-k',
        '1M',
        '-d',
        join(folder, 'got'),
        `${url}/image.iso`,
      ])
    },
  },
  'webdav-cadaver': {
    serve: folder => {
      writeTree(folder, 16)
      return rclone('webdav', folder)
    },
    use: async ({ url }, folder) => {
      writeFileSync(join(folder, 'note.txt'), 'Oil for the lamp')
      const puts = Array.from({ length: 10 }, (_, i) => `put note.txt drafts/note-${i}.txt`)
      const input = [
        'ls',
        'mkcol drafts',
        ...puts,
        'ls drafts',
        'get drafts/note-1.txt got.txt',
        'move drafts/note-2.txt drafts/moved.txt',
        'copy drafts/moved.txt drafts/copied.txt',
        'delete drafts/moved.txt',
        'cd chapter-1',
        'ls',
        'quit',
        '',
      ].join('\n')
      await client('cadaver', [`${url}/`], { cwd: folder, input, env: { HOME: folder } })
    },
  },
  'webdav-sync-rclone': {
    serve: folder => {
      mkdirSync(join(folder, 'kept'))
      return rclone('webdav', join(folder, 'kept'))
    },
    use: async ({ url }, folder) => {
      const local = join(folder, 'local')
      const remote = `:webdav,url='${url}':`
      for (let i = 0; i < 3; i++) {
        writeTree(local, 20 + i * 10)
        await client('rclone', ['sync', local, remote, '--config', join(folder, 'none')])
      }
    },
  },
  'restic-backup': {
    serve: folder => {
      mkdirSync(join(folder, 'kept'))
      return rclone('restic', join(folder, 'kept'))
    },
    use: async ({ url }, folder) => {
      const local = join(folder, 'local')
      const env = { RESTIC_PASSWORD: 'for-the-recording', RESTIC_CACHE_DIR: join(folder, 'cache') }
      const restic = (...args: string[]): Promise<string> =>
        client('restic', ['-q', '-r', `rest:${url}/`, ...args], { env })
      await restic('init')
      for (let i = 0; i < 3; i++) {
        writeTree(local, 30 + i * 20)
        await restic('backup', local)
      }
      await restic('snapshots')
      await restic('check')
      await restic('restore', 'latest', '--target', join(folder, 'restored'))
    },
  },
  'container-images-skopeo': {
    serve: async folder => {
      const port = await freePort()
      const address = `127.0.0.1:${port}`
      writeFileSync(
        join(folder, 'config.yml'),
        `version: 0.1\nstorage: { filesystem: { rootdirectory: ${join(folder, 'kept')} } }\nhttp: { addr: "${address}" }\n`,
      )
      return started(
        'docker-registry',
        ['serve', join(folder, 'config.yml')],
        `http://${address}/v2/`,
        folder,
      ).then(served => ({ ...served, url: `http://${address}` }))
    },
    use: async ({ port }, folder) => {
      const image = join(folder, 'image')
      mkdirSync(image)
      const script = `import hashlib, json, gzip, io, tarfile, os
def put(data):
    digest = hashlib.sha256(data).hexdigest()
    open('${image}/' + digest, 'wb').write(data)
    return {'digest': 'sha256:' + digest, 'size': len(data)}
layers, diffs = [], []
for i in range(5):
    out = io.BytesIO()
    tar = tarfile.open(fileobj=out, mode='w')
    data = os.urandom(40000)
    info = tarfile.TarInfo('file-%d' % i); info.size = len(data)
    tar.addfile(info, io.BytesIO(data)); tar.close()
    diffs.append('sha256:' + hashlib.sha256(out.getvalue()).hexdigest())
    layers.append(dict(put(gzip.compress(out.getvalue())), mediaType='application/vnd.oci.image.layer.v1.tar+gzip'))
config = dict(put(json.dumps({'architecture': 'amd64', 'os': 'linux', 'rootfs': {'type': 'layers', 'diff_ids': diffs}}).encode()), mediaType='application/vnd.oci.image.config.v1+json')
open('${image}/manifest.json', 'w').write(json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json', 'config': config, 'layers': layers}))
open('${image}/version', 'w').write('Directory Transport Version: 1.1\\n')`
      await client('python3', ['-c', script])
      const there = `docker://127.0.0.1:${port}/lamps/web`
      const policy = ['--insecure-policy']
      for (const tag of ['1.0', '1.1', 'latest'])
        await client('skopeo', [
          ...policy,
          'copy',
          '-q',
          '--dest-tls-verify=false',
          `dir:${image}`,
          `${there}:${tag}`,
        ])
      await client('skopeo', [...policy, 'inspect', '--tls-verify=false', `${there}:latest`])
      await client('skopeo', [...policy, 'list-tags', '--tls-verify=false', there])
      for (let i = 0; i < 2; i++)
        await client('skopeo', [
          ...policy,
          'copy',
          '-q',
          '--src-tls-verify=false',
          `${there}:latest`,
          `dir:${join(folder, `got-${i}`)}`,
        ])
    },
  },
  'apt-update-download': {
    serve: async folder => {
      for (let i = 0; i < 8; i++) {
        const name = `lamp-part-${i}`
        const control = join(folder, 'build', name, 'DEBIAN')
        mkdirSync(control, { recursive: true })
        writeFileSync(
          join(control, 'control'),
          `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Ada <ada@shop.example>\nDescription: part ${i} of a lamp\n`,
        )
        await client('dpkg-deb', ['-b', join(folder, 'build', name), join(folder, `${name}.deb`)])
      }
      await client(
        'sh',
        [
          '-c',
          'apt-ftparchive packages . > Packages && gzip -k Packages && apt-ftparchive release . > Release',
        ],
        { cwd: folder },
      )
      return pythonServer(folder)
    },
    use: async ({ url }, folder) => {
      for (const name of ['lists/partial', 'cache/archives/partial', 'etc'])
        mkdirSync(join(folder, 'apt', name), { recursive: true })
      writeFileSync(join(folder, 'apt', 'sources.list'), `deb [trusted=yes] ${url}/ ./\n`)
      writeFileSync(join(folder, 'apt', 'status'), '')
      const own = (name: string, value: string): string[] => ['-o', `${name}=${value}`]
      const args = [
        ...own('Dir::Etc::sourcelist', join(folder, 'apt', 'sources.list')),
        ...own('Dir::Etc::sourceparts', '-'),
        ...own('Dir::State::lists', join(folder, 'apt', 'lists')),
        ...own('Dir::State::status', join(folder, 'apt', 'status')),
        ...own('Dir::Cache', join(folder, 'apt', 'cache')),
        ...own('APT::Sandbox::User', 'root'),
        '-q',
      ]
      const got = join(folder, 'got')
      mkdirSync(got)
      for (let i = 0; i < 2; i++) await client('apt-get', [...args, 'update'])
      const names = Array.from({ length: 8 }, (_, i) => `lamp-part-${i}`)
      await client('apt-get', [...args, 'download', ...names], { cwd: got })
    },
  },
  'chromium-shop': {
    serve: async () => {
      const shop = await startShop({ port: 0 })
      return { url: shop.url, stop: () => shop.close() }
    },
    use: ({ url }) =>
      browse(url, async page => {
        for (const text of [
          'lantern',
          "O'Brien",
          'select a seat',
          '../ harbour',
          'C++ & C# books',
          '50% off',
        ])
          await page.goto(`${url}/products?q=${encodeURIComponent(text)}`)
        const links = await page
          .goto(`${url}/products`)
          .then(() => page.locator('a[href^="/products/"]').all())
        const paths = await Promise.all(links.slice(0, 12).map(link => link.getAttribute('href')))
        for (const path of paths) await page.goto(`${url}${path}`)
        for (const path of ['/login', '/register', '/cart', '/account', '/']) await page.goto(`${url}${path}`)
        await page.goBack()
        await page.reload()
      }),
  },
  'chromium-package-site': {
    serve: async folder => {
      const served = await registry(folder)
      await publishAndInstall(served.url, folder)
      return served
    },
    use: ({ url }) =>
      browse(url, async page => {
        await page.waitForLoadState('networkidle')
        for (let i = 0; i < 6; i++) {
          await page.goto(`${url}/-/web/detail/lamp-part-${i}`)
          await page.waitForLoadState('networkidle')
        }
      }),
  },
}

const FOLDER = join(root, 'packages/runtime/test/recorded')

async function record(name: string, { serve, use }: Recorded): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-record-'))
  const [there, here] = [join(folder, 'there'), join(folder, 'here')]
  mkdirSync(there)
  mkdirSync(here)
  const served = await serve(there)
  const file = join(folder, 'session.ndjson')
  const proxy = await startRecordingProxy(new URL(served.url).origin, file)
  try {
    await use(proxy, here)
    mkdirSync(FOLDER, { recursive: true })
    cpSync(file, join(FOLDER, `${name}.ndjson`))
    process.stdout.write(`${name}: ${proxy.count()} requests, ${statSync(file).size} bytes\n`)
  } finally {
    await proxy.close()
    await served.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const asked = process.argv.slice(2)
for (const [name, session] of Object.entries(SESSIONS))
  if (asked.length === 0 || asked.includes(name))
    await record(name, session).catch((error: unknown) => {
      process.stderr.write(`${name}: ${error instanceof Error ? error.message : 'failed'}\n`)
      process.exitCode = 1
    })
process.exit()
