import type { Draws } from './draws.ts'

/** Kubernetes, Grafana and CI. */
export function addDeployments({ pick, post }: Draws): void {
  // kubernetes, grafana, CI
  const K8S = [
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: app\n    image: nginx:1.25\n    command: ["/bin/sh", "-c", "exec nginx -g \'daemon off;\'"]\n    env:\n    - name: DB\n      value: postgres://app@db/x\n    volumeMounts:\n    - mountPath: /var/lib/postgresql/data\n      name: data\n',
    'on: push\njobs:\n  build:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: actions/checkout@v4\n    - run: |\n        npm ci\n        npm test && curl -s https://codecov.io/bash | bash\n    - run: echo "${{ github.event.head_commit.message }}" >> $GITHUB_ENV\n      env:\n        TOKEN: ${{ secrets.TOKEN }}\n',
    'services:\n  db:\n    image: postgres\n    volumes:\n      - ./data:/var/lib/postgresql/data\n    environment:\n      - POSTGRES_PASSWORD=${PW:-x}\n    healthcheck:\n      test: ["CMD-SHELL", "pg_isready -U postgres || exit 1"]\n',
  ]
  for (const k of K8S)
    for (const f of ['manifest', 'yaml', 'text', 'content']) post('kubernetes', '/api/apply', { [f]: k })
  for (let i = 0; i < 100; i++)
    post('kubernetes', '/apis/apps/v1/deployments', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'x',
        annotations: {
          'kubectl.kubernetes.io/last-applied':
            '{"apiVersion":"v1","kind":"X","spec":{"command":["sh","-c","sleep 5; exit 0"]}}',
          'nginx.ingress.kubernetes.io/configuration-snippet':
            'if ($host = "x") { return 301 https://$host$request_uri; }\nlocation ~ \\.php$ { deny all; }',
        },
      },
      spec: {
        template: {
          spec: {
            containers: [
              {
                name: 'a',
                image: 'x',
                command: pick([
                  ['/bin/sh', '-c', 'exec java -jar /app.jar'],
                  ['sh', '-c', 'until nc -z db 5432; do sleep 1; done'],
                  ['sleep', '3600'],
                  ['bash', '-c', 'cat /config/* && env'],
                ]),
                args: [
                  pick([
                    '--config=/etc/app/config.yaml',
                    '-Dx=java.lang.String',
                    '--url=http://localhost:8080',
                    'while true; do date; sleep 5; done',
                    'cp -r /src/. /dst && chmod 600 /dst/key',
                  ]),
                ],
                env: [
                  { name: 'PATH', value: '/usr/bin:/bin' },
                  { name: 'URL', value: 'http://169.254.1.1/' },
                ],
                volumeMounts: [
                  {
                    mountPath: pick([
                      '/var/lib/postgresql/data',
                      '/etc/nginx/conf.d',
                      '/var/run/secrets/kubernetes.io/serviceaccount',
                      '/proc',
                      '/etc/ssl',
                      '/var/log',
                      '/root/.ssh',
                      '/etc/hosts',
                    ]),
                  },
                ],
                livenessProbe: {
                  exec: { command: ['cat', '/tmp/healthy'] },
                  httpGet: { path: '/healthz', host: '127.0.0.1' },
                },
              },
            ],
          },
        },
      },
    })
  for (let i = 0; i < 100; i++)
    post('grafana', '/api/dashboards/db', {
      dashboard: {
        title: 'CPU & memory',
        panels: [
          {
            type: 'timeseries',
            targets: [
              {
                expr: pick([
                  'sum(rate(http_requests_total{job="api",status=~"5.."}[5m])) by (pod) > 0',
                  '100 - (avg by(instance) (irate(node_cpu_seconds_total{mode="idle"}[5m])) * 100)',
                  'up == 0 or absent(up{job="x"})',
                ]),
                rawSql: pick([
                  "SELECT $__timeGroup(time, '1m'), count(*) FROM events WHERE $__timeFilter(time) AND host IN ($host) GROUP BY 1 ORDER BY 1",
                  'SELECT * FROM metric_values',
                  "select time, value from x where a='b' or c='d'",
                ]),
                legendFormat: '{{instance}} {{job}}',
                alias: '$tag_host: $col',
              },
            ],
            options: {
              content: pick([
                '<h1>${__value.raw}</h1>',
                '**${host}** ${__from:date:iso}',
                '{{#each data}}{{name}}{{/each}}',
              ]),
            },
            fieldConfig: { overrides: [{ matcher: { options: '/.*cpu.*|mem$/' } }] },
            links: [{ url: '/d/x?var-host=${host:queryparam}&from=${__from}' }],
            transformations: [
              { id: 'filterByValue', options: { expression: '$A > 5 && $B < 3 || $C == 1' } },
            ],
          },
        ],
        templating: {
          list: [
            {
              query: 'label_values(up{job=~"$job"}, instance)',
              regex: '/([^:]+):.*/',
              definition: 'SHOW TAG VALUES',
            },
          ],
        },
      },
    })
}
