import type { HonestRequest } from '../honest-sessions.ts'
import { agent, BASIC, BEARER, digest, JSON_TYPE, steps, turn } from './session-steps.ts'

/** Package managers, registries, git and what builds and deploys. */
export const PACKAGE_SESSIONS: Readonly<Record<string, readonly HonestRequest[]>> = {
  'docker push 40 layers': [
    ...steps(2, 50, () => ({
      target: '/v2/',
      status: 401,
      headers: agent('docker/27.3.1 go/go1.22.7 kernel/6.8 os/linux arch/amd64'),
    })),
    ...steps(
      40,
      60,
      n => ({
        method: 'HEAD',
        target: `/v2/team/app/blobs/sha256:${digest(n)}`,
        status: 404,
        headers: agent('docker/27.3.1', ...BEARER),
      }),
      200,
    ),
    ...steps(
      40,
      60,
      n => ({
        method: 'POST',
        target:
          n % 2
            ? `/v2/team/app/blobs/uploads/?mount=sha256%3A${digest(n)}&from=team%2Fbase`
            : '/v2/team/app/blobs/uploads/',
        status: 202,
        headers: agent('docker/27.3.1', ...BEARER, 'Content-Length', '0'),
      }),
      400,
    ),
    ...steps(
      40,
      60,
      n => ({
        method: 'PATCH',
        target: `/v2/team/app/blobs/uploads/${digest(n, 32)}?_state=${'A-b_'.repeat(40)}%3D`,
        status: 202,
        headers: agent('docker/27.3.1', ...BEARER, 'Content-Type', 'application/octet-stream'),
        body: '\u001f\u008b\u0008\u0000 $(x) {{7*7}} \u0001\u0002',
      }),
      800,
    ),
    ...steps(
      40,
      60,
      n => ({
        method: 'PUT',
        target: `/v2/team/app/blobs/uploads/${digest(n, 32)}?_state=abc&digest=sha256%3A${digest(n)}`,
        status: 201,
        headers: agent('docker/27.3.1', ...BEARER),
      }),
      1_000,
    ),
    ...steps(
      40,
      60,
      n => ({
        method: n % 2 ? 'PUT' : 'GET',
        target: `/v2/team/app-${n}/manifests/${n % 2 ? '1.0' : 'latest'}`,
        status: n % 2 ? 201 : 404,
        headers: agent(
          'containerd/1.7',
          ...BEARER,
          'Content-Type',
          'application/vnd.docker.distribution.manifest.v2+json',
        ),
        ...(n % 2 && {
          body: JSON.stringify({
            schemaVersion: 2,
            config: {
              mediaType: 'application/vnd.docker.container.image.v1+json',
              size: 7,
              digest: `sha256:${digest(n)}`,
            },
            layers: [],
          }),
        }),
      }),
      4_000,
    ),
  ],
  'cargo sparse index': steps(200, 20, n => ({
    target: `${turn(['/se/rd/serde', '/3/l/log', '/1/a', '/to/ki/tokio-', '/wi/nd/windows-sys-'], n)}${n}`,
    status: n % 3 ? 200 : 404,
    headers: agent('cargo/1.83.0 (5ffbef321 2024-10-29)'),
  })),
  'nuget restore': steps(200, 20, n => ({
    target: `/v3-flatcontainer/lib.${n}/index.json`,
    status: n % 4 ? 404 : 200,
    headers: agent('NuGet .NET Core MSBuild Task/6.11.0 (.NET 8.0.10; Linux)'),
  })),
  'composer install': steps(150, 25, n => ({
    target: `/p2/vendor/pkg-${n}${n % 2 ? '~dev' : ''}.json`,
    status: n % 2 ? 404 : 200,
    headers: agent('Composer/2.8.1 (Linux; 6.8; PHP 8.3.12; cURL 8.5.0; CI)'),
  })),
  conda: steps(80, 30, n => ({
    method: n % 2 ? 'HEAD' : 'GET',
    target: `/conda/chan-${n % 9}/${turn(['linux-64', 'noarch'], n)}/${turn(['repodata.json.zst', 'repodata_shards.msgpack.zst', 'current_repodata.json', 'run_exports.json.zst'], n)}`,
    status: n % 4 === 2 ? 200 : 404,
    headers: agent('conda/24.9.2 requests/2.32.3 CPython/3.12.7'),
  })),
  'gradle 4 repositories': steps(240, 20, n => ({
    method: n % 3 ? 'GET' : 'HEAD',
    target: `/repository/maven-public/com/example/lib-${n}/1.0/lib-${n}-1.0.${turn(['pom', 'module', 'jar', 'pom.sha512'], n)}`,
    status: n % 3 ? 404 : 200,
    headers: agent('Gradle/8.10.2 (Linux;6.8;amd64) (Eclipse Adoptium;21.0.4;21.0.4+7-LTS)', ...BASIC),
  })),
  'apt update mirror': steps(80, 30, n => ({
    target: `/debian/dists/bookworm/${turn(['InRelease', 'Release.gpg', `main/by-hash/SHA256/${digest(n)}`, 'main/i18n/Translation-de_DE.xz', 'non-free/dep11/Components-amd64.yml.xz'], n)}`,
    status: turn([200, 404, 404, 404, 200], n),
    headers: agent('Debian APT-HTTP/1.3 (2.6.1)', 'If-Modified-Since', 'Mon, 01 Jan 2026 00:00:00 GMT'),
  })),
  'helm and terraform': [
    ...steps(30, 100, n => ({
      target: turn(
        [
          '/charts/index.yaml',
          '/.well-known/terraform.json',
          `/v1/modules/team/net-${n}/aws/versions`,
          '/charts/app-1.0.tgz.prov',
        ],
        n,
      ),
      status: turn([200, 200, 404, 404], n),
      headers: agent('Helm/3.16.2'),
    })),
    ...steps(
      30,
      200,
      n => ({
        method: turn(['LOCK', 'GET', 'POST', 'UNLOCK'], n),
        target: `/api/v4/projects/5/terraform/state/prod${n % 4 === 1 ? '' : '/lock'}`,
        status: turn([200, 404, 200, 200], n),
        headers: agent('Terraform/1.9.8', ...BASIC, ...JSON_TYPE),
        ...(n % 4 !== 1 && { body: '{"ID":"1","Operation":"OperationTypeApply","Who":"ann@ci"}' }),
      }),
      3_500,
    ),
  ],
  'go modules': steps(200, 20, n => ({
    target: `/example.com/!azure/m${n}/@v/${turn(['list', `v1.${n}.0.info`, `v1.${n}.0.mod`, `v1.${n}.0.zip`], n)}`,
    status: turn([404, 410, 200, 200], n),
    headers: agent('Go-http-client/1.1'),
  })),
  'github webhooks': steps(60, 200, n => ({
    method: 'POST',
    target: '/hooks/github',
    headers: agent(
      'GitHub-Hookshot/044aadd',
      'Content-Type',
      'application/x-www-form-urlencoded',
      'X-Hub-Signature-256',
      'sha256=abc',
    ),
    body: `payload=${encodeURIComponent(JSON.stringify({ ref: 'refs/heads/main', commits: [{ message: `fix: don't log /etc/passwd (${n})`, added: ['src/../a.ts'] }] }))}`,
    content: 'may be refused',
  })),
  'kubernetes informer': steps(200, 50, n => ({
    method: n % 5 ? 'GET' : 'PATCH',
    target:
      n % 5
        ? `/api/v1/namespaces/default/pods?allowWatchBookmarks=true&labelSelector=app%20in%20(a%2Cb)&watch=true&resourceVersion=${n}`
        : `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n${n}`,
    status: n % 7 ? 200 : 404,
    headers: agent(
      'kubectl/v1.31.2 (linux/amd64) kubernetes/5864a46',
      ...BEARER,
      'Content-Type',
      'application/strategic-merge-patch+json',
    ),
    ...(n % 5 === 0 && { body: '{"spec":{"renewTime":"2026-01-31T00:00:00Z"}}' }),
  })),
  'git smart http push of 30 repositories': steps(90, 120, n => ({
    method: n % 3 ? 'POST' : 'GET',
    target: `/team/r${Math.floor(n / 3)}.git/${n % 3 ? 'git-receive-pack' : 'info/refs?service=git-receive-pack'}`,
    status: n % 3 ? 200 : n % 2 ? 401 : 200,
    headers: agent(
      'git/2.47.0',
      ...BASIC,
      'Content-Type',
      'application/x-git-receive-pack-request',
      'Git-Protocol',
      'version=2',
    ),
    ...(n % 3 && {
      body: '00a20000000000 refs/heads/main\u0000 report-status side-band-64k\u0000PACK\u0000\u0000',
    }),
  })),
  'git lfs': steps(100, 60, n => ({
    method: n % 2 ? 'POST' : 'GET',
    target: n % 2 ? '/team/r.git/info/lfs/objects/batch' : `/team/r.git/gitlab-lfs/objects/${digest(n)}`,
    status: n % 6 ? 200 : 404,
    headers: agent(
      'git-lfs/3.5.1 (GitHub; linux amd64; go 1.22)',
      ...BASIC,
      'Content-Type',
      'application/vnd.git-lfs+json',
      'Accept',
      'application/vnd.git-lfs+json',
    ),
    ...(n % 2 && {
      body: JSON.stringify({
        operation: 'download',
        transfers: ['lfs-standalone-file', 'basic', 'ssh'],
        objects: [{ oid: digest(n), size: 1 }],
        hash_algo: 'sha256',
      }),
    }),
  })),
}
